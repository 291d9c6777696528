// SPDX-License-Identifier: Apache-2.0
// What the machine of session.ts knows, hears and commands.

import { NO_LOOK, type Look } from './pictures';
import type {
  Action,
  EndReason,
  Floor,
  IceServer,
  Incoming,
  Level,
  Motion,
  Outgoing,
  Place,
  Refusal,
  Tile,
} from './protocol';

export type IceServerList = readonly IceServer[];

export interface Wish {
  readonly address: string;
  readonly name: string;
  readonly passcode?: string;
  readonly secret?: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly muted: boolean;
  readonly talking: boolean;
  readonly lobby: boolean;
  readonly sip: boolean;
  readonly video: boolean;
  readonly videoMuted: boolean;
  readonly content: boolean;
  readonly hand: boolean;
  readonly remoteCamera: boolean;
  /** Of a SIP leg whose layout may be chosen; else empty. */
  readonly layout: string;
}

export interface Rights {
  readonly muteOthers: boolean;
  readonly dropOthers: boolean;
  readonly lock: boolean;
  readonly end: boolean;
  readonly share: boolean;
  readonly setLayout: boolean;
  readonly muteVideoOthers: boolean;
  readonly chat: boolean;
  readonly raiseHand: boolean;
  readonly controlCamera: boolean;
}

export interface ChatLine {
  readonly id: number;
  readonly participant: string;
  readonly name: string;
  readonly text: string;
  /** Seconds since 1970. */
  readonly time: number;
}

export interface Notice {
  readonly text: string;
  readonly place: Place;
}

export type Phase = 'idle' | 'joining' | 'connecting' | 'open' | 'reconnecting' | 'over';
export type Problem = Refusal | 'network';
export type PeerState = 'none' | 'connecting' | 'connected' | 'broken';
export type ShareState = 'off' | 'asking' | 'on';
export type TimerName = 'retry' | 'opening' | 'alive' | 'answer' | 'media' | 'goodbye' | 'view' | 'floor';

export interface Session {
  readonly phase: Phase;
  readonly wish?: Wish;
  readonly token?: string;
  /** Why one is not in (yet). */
  readonly problem?: Problem;
  readonly end?: EndReason;

  readonly meeting: string;
  readonly self: string;
  readonly rights: Rights;
  readonly people: ReadonlyMap<string, Person>;
  readonly participants: number;
  readonly locked: boolean;
  readonly lobby: boolean;
  /** Who talked last, but oneself; empty: nobody yet. */
  readonly speaker: string;

  /** What the person wants; others may have muted them besides. */
  readonly wantMuted: boolean;
  readonly mutedByServer: boolean;
  readonly mutedByOther: boolean;
  readonly deaf: boolean;
  readonly mayUnmute: boolean;

  /** The same of one's camera. */
  readonly wantCamera: boolean;
  readonly videoMutedByOther: boolean;
  readonly mayUnmuteVideo: boolean;

  readonly share: ShareState;
  /** Who presents; empty: nobody. */
  readonly presenter: string;
  /** Why one's own sharing did not begin, or ended, until it is tried again. */
  readonly shareProblem?: Exclude<Floor, 'news' | 'granted'>;

  readonly wantHand: boolean;
  readonly chat: readonly ChatLine[];
  readonly chatLines: number;
  readonly chatOpen: boolean;
  readonly unread: number;
  readonly notice?: Notice;

  /** What the bridge says of the connection, and what the browser sees of it. */
  readonly quality: Level;
  readonly measured: Level;

  /** Number of the WebSocket that counts; 0: none. */
  readonly socket: number;
  readonly sockets: number;
  readonly attempts: number;
  readonly pinged: boolean;
  readonly wasOpen: boolean;
  /** Whether the server has told a state of mute since `opened`. */
  readonly muteTold: boolean;

  readonly peer: number;
  readonly peers: number;
  readonly peerState: PeerState;
  readonly peerFailures: number;
  readonly awaitingAnswer: boolean;
  readonly iceServers: readonly IceServer[];
  /** Of the last offer of this peer; 0: none yet. */
  readonly revision: number;
  /** Another offer of this peer was commanded and is not there yet. */
  readonly offering: boolean;

  /** Lines worth offering for pictures of others; 0: this bridge has none. */
  readonly tilesMax: number;
  /** Those of this peer, and whether it has one for one's own screen. */
  readonly lines: number;
  readonly screenLine: boolean;
  /** Mids of the lines: of the last offer, and of the last one that was answered. */
  readonly offeredMids: readonly string[];
  readonly mids: readonly string[];
  /** Who is in which line, by mid. */
  readonly tiles: ReadonlyMap<string, Tile>;
  readonly look: Look;
  /** The last view, as text, and whether the next has to wait. */
  readonly sentView: string;
  readonly viewWaits: boolean;
}

export type Announcement =
  | { readonly kind: 'joined' | 'waits' | 'left' | 'wrote' | 'raisedHand' | 'presents'; readonly name: string }
  | { readonly kind: 'mutedByOther' | 'unmutedByOther' | 'muted' | 'unmuted' | 'locked' | 'unlocked' }
  | { readonly kind: 'cameraOn' | 'cameraOff' | 'cameraOffByOther' | 'handRaised' | 'handLowered' }
  | { readonly kind: 'sharing' | 'sharingEnded' | 'presentationEnded' }
  | { readonly kind: 'reconnecting' | 'back' };

export type Event =
  | { readonly on: 'join'; readonly wish: Wish; readonly muted: boolean; readonly camera: boolean }
  | { readonly on: 'resume'; readonly wish: Wish; readonly token: string; readonly muted: boolean; readonly camera: boolean }
  | { readonly on: 'joined'; readonly token: string; readonly meeting: string }
  | { readonly on: 'joinRefused'; readonly problem: Problem }
  | { readonly on: 'message'; readonly socket: number; readonly message: Incoming }
  | { readonly on: 'closed'; readonly socket: number }
  | { readonly on: 'timer'; readonly name: TimerName }
  /** `mids`: of its lines that only receive, in their order. */
  | { readonly on: 'offer'; readonly peer: number; readonly sdp: string; readonly mids: readonly string[] }
  | { readonly on: 'peer'; readonly peer: number; readonly state: 'connected' | 'disconnected' | 'failed' }
  | { readonly on: 'measured'; readonly peer: number; readonly level: Level }
  | { readonly on: 'mute'; readonly muted: boolean }
  /** The camera runs, or is to stop. */
  | { readonly on: 'camera'; readonly running: boolean }
  /** A screen was chosen, or is to be shown no longer. */
  | { readonly on: 'share'; readonly chosen: boolean }
  | { readonly on: 'look'; readonly look: Look }
  | { readonly on: 'say'; readonly text: string }
  | { readonly on: 'chat'; readonly open: boolean }
  | { readonly on: 'hand'; readonly raised: boolean }
  | { readonly on: 'layout'; readonly participant: string; readonly layout: string }
  | { readonly on: 'remoteCamera'; readonly participant: string; readonly motion: Motion }
  | { readonly on: 'act'; readonly action: Action; readonly participant?: string }
  | { readonly on: 'leave' }
  /** The person has read why it is over. */
  | { readonly on: 'reset' }
  /** The network or the page is back: no need to wait. */
  | { readonly on: 'nudge' };

export type Command =
  | { readonly do: 'join'; readonly wish: Wish }
  | { readonly do: 'open'; readonly socket: number; readonly token: string }
  | { readonly do: 'send'; readonly socket: number; readonly message: Outgoing }
  | { readonly do: 'close'; readonly socket: number }
  /** `lines`: for pictures of others; 0: sound alone.  `screen`: a line for one's own screen. */
  | {
      readonly do: 'makePeer';
      readonly peer: number;
      readonly iceServers: readonly IceServer[];
      readonly lines: number;
      readonly screen: boolean;
    }
  | { readonly do: 'offerMore'; readonly peer: number; readonly lines: number; readonly screen: boolean }
  | { readonly do: 'answer'; readonly peer: number; readonly sdp: string }
  | { readonly do: 'closePeer'; readonly peer: number }
  | { readonly do: 'silence'; readonly silent: boolean }
  | { readonly do: 'stopCamera' }
  /** The floor is ours: what was chosen may be sent. */
  | { readonly do: 'sendScreen' }
  | { readonly do: 'stopScreen' }
  | { readonly do: 'keep'; readonly token: string; readonly wish: Wish; readonly muted: boolean; readonly camera: boolean }
  | { readonly do: 'forget' }
  | { readonly do: 'timer'; readonly name: TimerName; readonly ms: number }
  | { readonly do: 'cancel'; readonly name: TimerName }
  | { readonly do: 'announce'; readonly what: Announcement };

export const NO_RIGHTS: Rights = {
  muteOthers: false,
  dropOthers: false,
  lock: false,
  end: false,
  share: false,
  setLayout: false,
  muteVideoOthers: false,
  chat: false,
  raiseHand: false,
  controlCamera: false,
};

export const START: Session = {
  phase: 'idle',
  meeting: '',
  self: '',
  rights: NO_RIGHTS,
  people: new Map(),
  participants: 0,
  locked: false,
  lobby: false,
  speaker: '',
  wantMuted: false,
  mutedByServer: false,
  mutedByOther: false,
  deaf: false,
  mayUnmute: true,
  wantCamera: false,
  videoMutedByOther: false,
  mayUnmuteVideo: true,
  share: 'off',
  presenter: '',
  wantHand: false,
  chat: [],
  chatLines: 0,
  chatOpen: false,
  unread: 0,
  quality: 'good',
  measured: 'good',
  socket: 0,
  sockets: 0,
  attempts: 0,
  pinged: false,
  wasOpen: false,
  muteTold: false,
  peer: 0,
  peers: 0,
  peerState: 'none',
  peerFailures: 0,
  awaitingAnswer: false,
  iceServers: [],
  revision: 0,
  offering: false,
  tilesMax: 0,
  lines: 0,
  screenLine: false,
  offeredMids: [],
  mids: [],
  tiles: new Map(),
  look: NO_LOOK,
  sentView: '',
  viewWaits: false,
};

export type Draft = { -readonly [K in keyof Session]: Session[K] };

/** What the parts of the machine share. */
export interface Works {
  readonly now: Draft;
  do(command: Command): void;
  send(message: Outgoing): void;
  announce(what: Announcement): void;
  start(name: TimerName, ms: number): void;
  stop(...names: TimerName[]): void;
}

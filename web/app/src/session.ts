// SPDX-License-Identifier: Apache-2.0
// A person's way into a meeting and their time in it, as a pure state machine: events in, the next
// state and commands out.  It has no socket, clock or page; shell.ts carries out what it commands.
//
//   idle -> joining -> connecting -> open <-> reconnecting -> over
//
// The token survives everything: with it a broken WebSocket, a restarted server or a reloaded page
// comes back to the same place.  Sound is set up by one RTCPeerConnection ("peer") after the other;
// one that still flows when the session is resumed is kept.

import type { Action, EndReason, IceServer, Incoming, Opened, Outgoing, Refusal, RosterEntry } from './protocol';

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
}

export interface Rights {
  readonly muteOthers: boolean;
  readonly dropOthers: boolean;
  readonly lock: boolean;
  readonly end: boolean;
}

export type Phase = 'idle' | 'joining' | 'connecting' | 'open' | 'reconnecting' | 'over';
export type Problem = Refusal | 'network';
export type PeerState = 'none' | 'connecting' | 'connected' | 'broken';
export type TimerName = 'retry' | 'opening' | 'alive' | 'answer' | 'media' | 'goodbye';

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

  /** What the person wants; others may have muted them besides. */
  readonly wantMuted: boolean;
  readonly mutedByServer: boolean;
  readonly mutedByOther: boolean;
  readonly deaf: boolean;
  readonly mayUnmute: boolean;

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
}

export type Announcement =
  | { readonly kind: 'joined' | 'left'; readonly name: string }
  | { readonly kind: 'mutedByOther' | 'unmutedByOther' | 'muted' | 'unmuted' | 'locked' | 'unlocked' }
  | { readonly kind: 'reconnecting' | 'back' };

export type Event =
  | { readonly on: 'join'; readonly wish: Wish; readonly muted: boolean }
  | { readonly on: 'resume'; readonly wish: Wish; readonly token: string; readonly muted: boolean }
  | { readonly on: 'joined'; readonly token: string; readonly meeting: string }
  | { readonly on: 'joinRefused'; readonly problem: Problem }
  | { readonly on: 'message'; readonly socket: number; readonly message: Incoming }
  | { readonly on: 'closed'; readonly socket: number }
  | { readonly on: 'timer'; readonly name: TimerName }
  | { readonly on: 'offer'; readonly peer: number; readonly sdp: string }
  | { readonly on: 'peer'; readonly peer: number; readonly state: 'connected' | 'disconnected' | 'failed' }
  | { readonly on: 'mute'; readonly muted: boolean }
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
  | { readonly do: 'makePeer'; readonly peer: number; readonly iceServers: readonly IceServer[] }
  | { readonly do: 'answer'; readonly peer: number; readonly sdp: string }
  | { readonly do: 'closePeer'; readonly peer: number }
  | { readonly do: 'silence'; readonly silent: boolean }
  | { readonly do: 'keep'; readonly token: string; readonly wish: Wish; readonly muted: boolean }
  | { readonly do: 'forget' }
  | { readonly do: 'timer'; readonly name: TimerName; readonly ms: number }
  | { readonly do: 'cancel'; readonly name: TimerName }
  | { readonly do: 'announce'; readonly what: Announcement };

/** Waits before the first, second, ... attempt to reconnect; the last one repeats. */
export const RETRY_MS: readonly number[] = [300, 500, 800, 1000, 1000, 1500, 2000, 3000, 5000];
export const OPENING_MS = 12_000;
export const ALIVE_MS = 5_000;
export const ANSWER_MS = 8_000;
/** A peer connection that is disconnected often recovers by itself. */
export const BROKEN_MS = 2_500;
export const PEER_RETRY_MS: readonly number[] = [200, 500, 1000, 2000, 4000];
export const GOODBYE_MS = 1_500;
/** Every offer is the first of a peer connection of its own. */
export const REVISION = 1;
/** In bigger meetings comings and goings are not read out one by one. */
export const ANNOUNCE_PEOPLE_MAX = 20;

const NO_RIGHTS: Rights = { muteOthers: false, dropOthers: false, lock: false, end: false };

export const START: Session = {
  phase: 'idle',
  meeting: '',
  self: '',
  rights: NO_RIGHTS,
  people: new Map(),
  participants: 0,
  locked: false,
  lobby: false,
  wantMuted: false,
  mutedByServer: false,
  mutedByOther: false,
  deaf: false,
  mayUnmute: true,
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
};

export interface Step {
  readonly session: Session;
  readonly commands: readonly Command[];
}

export function isMuted(session: Session): boolean {
  return session.wantMuted || session.mutedByServer;
}

/** One step of the machine: what was, what happened. */
export function step(session: Session, event: Event): Step {
  const machine = new Machine(session);
  machine.take(event);
  return { session: machine.now, commands: machine.commands };
}

type Draft = { -readonly [K in keyof Session]: Session[K] };

class Machine {
  readonly now: Draft;
  readonly commands: Command[] = [];

  constructor(before: Session) {
    this.now = { ...before };
  }

  take(event: Event): void {
    switch (event.on) {
      case 'join':
        return this.join(event.wish, event.muted);
      case 'resume':
        return this.resume(event.wish, event.token, event.muted);
      case 'joined':
        return this.joined(event.token, event.meeting);
      case 'joinRefused':
        return this.joinRefused(event.problem);
      case 'message':
        if (event.socket !== 0 && event.socket === this.now.socket) this.message(event.message);
        return;
      case 'closed':
        if (event.socket !== 0 && event.socket === this.now.socket) this.lost();
        return;
      case 'timer':
        return this.timer(event.name);
      case 'offer':
        return this.offer(event.peer, event.sdp);
      case 'peer':
        if (event.peer !== 0 && event.peer === this.now.peer) this.peerChanged(event.state);
        return;
      case 'mute':
        return this.mute(event.muted);
      case 'act':
        return this.act(event.action, event.participant);
      case 'leave':
        return this.leave();
      case 'reset':
        return this.reset();
      case 'nudge':
        return this.nudge();
    }
  }

  // ---- Small things ----

  private do(command: Command): void {
    this.commands.push(command);
  }

  private send(message: Outgoing): void {
    if (this.now.socket !== 0) this.do({ do: 'send', socket: this.now.socket, message });
  }

  private announce(what: Announcement): void {
    this.do({ do: 'announce', what });
  }

  private start(name: TimerName, ms: number): void {
    this.do({ do: 'timer', name, ms });
  }

  private stop(...names: TimerName[]): void {
    for (const name of names) this.do({ do: 'cancel', name });
  }

  private remember(): void {
    const { token, wish, wantMuted } = this.now;
    if (token === undefined || wish === undefined) return;
    /* The token is enough to come back; a passcode is not left lying about. */
    const { passcode: _, ...kept } = wish;
    this.do({ do: 'keep', token, wish: kept, muted: wantMuted });
  }

  // ---- Coming in ----

  /** As new, but for the numbers that tell old sockets and peers from what comes. */
  private reset(): void {
    const { sockets, peers } = this.now;
    this.dropSocket();
    this.dropPeer();
    this.stop('retry', 'goodbye');
    const fresh: Partial<Draft> = this.now;
    for (const key of Object.keys(fresh) as (keyof Session)[]) delete fresh[key];
    Object.assign(this.now, START, { sockets, peers });
  }

  private begin(wish: Wish, muted: boolean, phase: Phase): void {
    this.reset();
    Object.assign(this.now, { phase, wish, wantMuted: muted });
    this.do({ do: 'silence', silent: muted });
  }

  private join(wish: Wish, muted: boolean): void {
    this.begin(wish, muted, 'joining');
    this.do({ do: 'join', wish });
  }

  private resume(wish: Wish, token: string, muted: boolean): void {
    this.begin(wish, muted, 'connecting');
    this.now.token = token;
    this.connect();
  }

  private joined(token: string, meeting: string): void {
    if (this.now.phase !== 'joining') return;
    this.now.phase = this.now.wasOpen ? 'reconnecting' : 'connecting';
    this.now.token = token;
    this.now.meeting = meeting;
    this.remember();
    this.connect();
  }

  /** Of a first join the person is told; one that the machine did by itself goes on trying. */
  private joinRefused(problem: Problem): void {
    if (this.now.phase !== 'joining') return;
    this.now.problem = problem;
    if (this.now.wasOpen && isPassing(problem)) {
      this.start('retry', this.pause());
      return;
    }
    this.now.phase = 'idle';
    this.dropPeer();
  }

  // ---- The WebSocket ----

  private connect(): void {
    const { token } = this.now;
    if (token === undefined) return;
    this.now.socket = ++this.now.sockets;
    this.now.pinged = false;
    this.do({ do: 'open', socket: this.now.socket, token });
    this.start('opening', OPENING_MS);
  }

  private dropSocket(): void {
    if (this.now.socket !== 0) this.do({ do: 'close', socket: this.now.socket });
    this.now.socket = 0;
    this.stop('opening', 'alive');
  }

  private pause(): number {
    const ms = RETRY_MS[Math.min(this.now.attempts, RETRY_MS.length - 1)] ?? 0;
    this.now.attempts++;
    return ms;
  }

  /** The WebSocket broke without a word: the token brings us back. */
  private lost(): void {
    this.dropSocket();
    if (this.now.phase === 'over' || this.now.phase === 'idle') return;
    if (this.now.phase === 'open') this.announce({ kind: 'reconnecting' });
    this.now.phase = this.now.wasOpen ? 'reconnecting' : 'connecting';
    this.start('retry', this.pause());
  }

  private nudge(): void {
    if (this.now.socket === 0 && (this.now.phase === 'reconnecting' || this.now.phase === 'connecting')) {
      this.stop('retry');
      this.connect();
    } else if (this.now.phase === 'open') {
      this.checkAlive();
    }
  }

  private checkAlive(): void {
    if (this.now.pinged) {
      this.lost();
      return;
    }
    this.now.pinged = true;
    this.send({ type: 'ping' });
    this.start('alive', ALIVE_MS);
  }

  private timer(name: TimerName): void {
    switch (name) {
      case 'retry':
        if (this.now.phase === 'joining' && this.now.wish !== undefined) this.do({ do: 'join', wish: this.now.wish });
        else if (this.now.phase === 'reconnecting' || this.now.phase === 'connecting') this.connect();
        return;
      case 'opening':
        if (this.now.phase !== 'open') this.lost();
        return;
      case 'alive':
        if (this.now.phase === 'open') this.checkAlive();
        return;
      case 'answer':
        this.now.peerFailures++;
        return this.mendPeer();
      case 'media':
        return this.mendPeer();
      case 'goodbye':
        this.dropSocket();
        return;
    }
  }

  // ---- What the server says ----

  private message(message: Incoming): void {
    this.now.pinged = false;
    if (this.now.phase === 'over') return;
    switch (message.type) {
      case 'opened':
        return this.opened(message);
      case 'refused':
        return this.refused(message.reason);
      case 'answer':
        return this.answered(message.revision, message.sdp);
      case 'roster':
        return this.roster(message.complete, message.people);
      case 'meeting':
        if (this.now.phase === 'open' && this.now.locked !== message.locked && this.now.participants !== 0)
          this.announce({ kind: message.locked ? 'locked' : 'unlocked' });
        this.now.meeting = message.name;
        this.now.participants = message.participants;
        this.now.locked = message.locked;
        this.now.lobby = message.lobby;
        return;
      case 'muted':
        return this.muted(message);
      case 'ended':
        return this.ended(message.reason);
      case 'ping':
        return this.send({ type: 'pong' });
      case 'pong':
        return;
    }
  }

  private opened(message: Opened): void {
    const now = this.now;
    if (now.phase === 'reconnecting') this.announce({ kind: 'back' });
    now.phase = 'open';
    now.wasOpen = true;
    now.attempts = 0;
    delete now.problem;
    now.self = message.participant;
    now.meeting = message.meeting;
    now.rights = {
      muteOthers: message.mayMuteOthers,
      dropOthers: message.mayDropOthers,
      lock: message.mayLock,
      end: message.mayEnd,
    };
    now.iceServers = message.iceServers ?? [];
    now.muteTold = false;
    if (message.token !== undefined && message.token !== '') now.token = message.token;
    this.remember();
    this.stop('opening', 'retry');
    this.start('alive', ALIVE_MS);
    /* A participant made anew knows nothing of what its person wanted. */
    if (!message.resumed) {
      now.mutedByServer = false;
      now.mutedByOther = false;
      if (now.wantMuted) this.send({ type: 'mute', muted: true });
    }
    if (!message.resumed || now.peerState !== 'connected') {
      now.peerFailures = 0;
      this.newPeer();
    }
  }

  private refused(reason: Refusal): void {
    this.dropSocket();
    this.now.problem = reason;
    if (isPassing(reason)) {
      this.now.phase = this.now.wasOpen ? 'reconnecting' : 'connecting';
      this.start('retry', this.pause());
    } else if ((reason === 'expired' || reason === 'badToken') && this.now.wish !== undefined) {
      delete this.now.token;
      this.now.phase = 'joining';
      this.do({ do: 'forget' });
      this.do({ do: 'join', wish: this.now.wish });
    } else {
      this.finish();
      this.now.phase = 'idle';
    }
  }

  private ended(reason: EndReason): void {
    if (reason === 'bridgeRestart') {
      this.lost();
      return;
    }
    this.finish();
    this.now.phase = 'over';
    this.now.end = reason;
  }

  private finish(): void {
    this.dropSocket();
    this.dropPeer();
    this.stop('retry');
    this.do({ do: 'forget' });
    delete this.now.token;
  }

  private roster(complete: boolean, entries: readonly RosterEntry[]): void {
    const before = this.now.people;
    const people = new Map(complete ? [] : before);
    for (const entry of entries) {
      if (entry.gone === true) people.delete(entry.participant);
      else people.set(entry.participant, personOf(entry));
    }
    this.now.people = people;
    if (!complete) this.announceChanges(before, people, entries);
  }

  private announceChanges(
    before: ReadonlyMap<string, Person>,
    after: ReadonlyMap<string, Person>,
    entries: readonly RosterEntry[],
  ): void {
    if (after.size > ANNOUNCE_PEOPLE_MAX) return;
    for (const { participant } of entries) {
      const old = before.get(participant);
      const now = after.get(participant);
      if (participant === this.now.self) continue;
      if (old === undefined && now !== undefined) this.announce({ kind: 'joined', name: now.name });
      else if (old !== undefined && now === undefined) this.announce({ kind: 'left', name: old.name });
    }
  }

  // ---- Mute ----

  private muted(message: Incoming & { type: 'muted' }): void {
    const now = this.now;
    const before = isMuted(now);
    /* Until the roster names us the bridge keeps us silent: nobody's doing, and nothing to be told. */
    const changed = now.people.has(now.self) && now.muteTold && message.byOther && message.muted !== now.mutedByServer;
    now.muteTold = true;
    now.mutedByServer = message.muted;
    now.mutedByOther = message.muted && message.byOther;
    now.deaf = message.deaf;
    now.mayUnmute = message.mayUnmute;
    /* Nobody else opens a microphone that its owner has closed. */
    if (!message.muted && now.wantMuted && message.byOther) this.send({ type: 'mute', muted: true });
    if (changed && before !== isMuted(now)) this.announce({ kind: message.muted ? 'mutedByOther' : 'unmutedByOther' });
    this.do({ do: 'silence', silent: isMuted(now) });
  }

  private mute(muted: boolean): void {
    const now = this.now;
    if (!muted && now.mutedByServer && !now.mayUnmute) return;
    now.wantMuted = muted;
    /* The page shows at once what was wished; the server's `muted` has the last word. */
    if (!muted) {
      now.mutedByServer = false;
      now.mutedByOther = false;
    }
    this.do({ do: 'silence', silent: muted });
    if (now.phase !== 'open') return;
    this.send({ type: 'mute', muted });
    this.remember();
    this.announce({ kind: muted ? 'muted' : 'unmuted' });
  }

  private act(action: Action, participant?: string): void {
    if (this.now.phase !== 'open') return;
    this.send(participant === undefined ? { type: 'act', action } : { type: 'act', action, participant });
  }

  private leave(): void {
    const { phase } = this.now;
    if (phase === 'idle' || phase === 'over') return;
    this.dropPeer();
    this.stop('retry', 'media', 'answer', 'opening', 'alive');
    this.do({ do: 'forget' });
    delete this.now.token;
    if (phase === 'open') {
      this.send({ type: 'leave' });
      this.start('goodbye', GOODBYE_MS);
    } else {
      this.dropSocket();
    }
    this.now.phase = 'over';
    this.now.end = 'left';
  }

  // ---- Sound ----

  private newPeer(): void {
    this.dropPeer();
    this.now.peer = ++this.now.peers;
    this.now.peerState = 'connecting';
    this.do({ do: 'makePeer', peer: this.now.peer, iceServers: this.now.iceServers });
    this.start('answer', ANSWER_MS);
  }

  private mendPeer(): void {
    if (this.now.phase === 'open' && this.now.peerState !== 'connected') this.newPeer();
  }

  private dropPeer(): void {
    if (this.now.peer !== 0) this.do({ do: 'closePeer', peer: this.now.peer });
    this.now.peer = 0;
    this.now.peerState = 'none';
    this.now.awaitingAnswer = false;
    this.stop('answer', 'media');
  }

  private offer(peer: number, sdp: string): void {
    if (peer !== this.now.peer || this.now.phase !== 'open') return;
    this.now.awaitingAnswer = true;
    this.send({ type: 'offer', revision: REVISION, sdp });
  }

  private answered(revision: number, sdp: string): void {
    if (!this.now.awaitingAnswer || revision !== REVISION) return;
    this.now.awaitingAnswer = false;
    this.do({ do: 'answer', peer: this.now.peer, sdp });
  }

  private peerChanged(state: 'connected' | 'disconnected' | 'failed'): void {
    const now = this.now;
    if (state === 'connected') {
      now.peerState = 'connected';
      now.peerFailures = 0;
      this.stop('answer', 'media');
    } else if (state === 'disconnected') {
      now.peerState = 'broken';
      this.start('media', BROKEN_MS);
    } else {
      now.peerState = 'broken';
      this.stop('answer');
      this.start('media', PEER_RETRY_MS[Math.min(now.peerFailures, PEER_RETRY_MS.length - 1)] ?? 0);
      now.peerFailures++;
    }
  }
}

/** Those that time alone may mend. */
function isPassing(problem: Problem): boolean {
  return problem === 'busy' || problem === 'noBridge' || problem === 'network';
}

function personOf(entry: RosterEntry): Person {
  return {
    id: entry.participant,
    name: entry.name ?? '',
    muted: entry.muted === true,
    talking: entry.talking === true,
    lobby: entry.lobby === true,
    sip: entry.sip === true,
  };
}

/** As shown: oneself first, then by name; who talks does not make the list jump. */
export function inOrder(session: Session): Person[] {
  const rank = (person: Person) => (person.id === session.self ? 0 : person.lobby ? 2 : 1);
  return [...session.people.values()].sort(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1),
  );
}

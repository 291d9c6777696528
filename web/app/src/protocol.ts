// SPDX-License-Identifier: Apache-2.0
// The messages of a browser's session (docs/c2w.md, section 1), as types, and reading what came.

export type Refusal =
  | 'unknownMeeting'
  | 'passcodeRequired'
  | 'passcodeIncorrect'
  | 'notAllowed'
  | 'locked'
  | 'full'
  | 'busy'
  | 'expired'
  | 'badToken'
  | 'noBridge'
  | 'badRequest';

export type EndReason = 'meetingEnded' | 'dropped' | 'left' | 'replaced' | 'timeout' | 'error' | 'bridgeRestart';

export type Action =
  | 'mute'
  | 'unmute'
  | 'drop'
  | 'admit'
  | 'muteVideo'
  | 'unmuteVideo'
  | 'lowerHand'
  | 'lock'
  | 'unlock'
  | 'end';

/** How the news of who presents concerns oneself. */
export type Floor = 'news' | 'granted' | 'notAllowed' | 'busy' | 'takenOver' | 'stopped';

export type Place = 'top' | 'middle' | 'bottom';

export type Level = 'good' | 'fair' | 'poor';

/** What a SIP leg may be sent; the words are the API's. */
export const layouts = [
  'automatic',
  'allEqual',
  'allEqualQuarters',
  'allEqualNinths',
  'allEqualSixteenths',
  'allEqualTwentyFifths',
  'speakerOnly',
  'telepresence',
  'stacked',
  'onePlusFive',
  'onePlusSeven',
  'onePlusNine',
  'onePlusN',
] as const;

export type Layout = (typeof layouts)[number];

export interface IceServer {
  readonly url: string;
  readonly username?: string;
  readonly credential?: string;
}

export interface RosterEntry {
  readonly participant: string;
  readonly name?: string;
  readonly gone?: boolean;
  readonly muted?: boolean;
  readonly talking?: boolean;
  readonly lobby?: boolean;
  readonly sip?: boolean;
  readonly video?: boolean;
  readonly videoMuted?: boolean;
  readonly content?: boolean;
  readonly hand?: boolean;
  readonly remoteCamera?: boolean;
  readonly layout?: string;
}

/** One line for pictures, by its mid: what it shows, or, in a view, what it is to show. */
export interface Tile {
  readonly mid: string;
  readonly participant?: string;
  readonly content?: boolean;
}

export interface ViewTile extends Tile {
  readonly height: number;
}

/** Each -1, 0 or 1: right, up, in, far. */
export interface Motion {
  readonly pan?: number;
  readonly tilt?: number;
  readonly zoom?: number;
  readonly focus?: number;
}

export interface Opened {
  readonly type: 'opened';
  readonly participant: string;
  readonly meeting: string;
  readonly token?: string;
  readonly resumed: boolean;
  readonly mayMuteOthers: boolean;
  readonly mayDropOthers: boolean;
  readonly mayLock: boolean;
  readonly mayEnd: boolean;
  readonly mayShare?: boolean;
  readonly maySetLayout?: boolean;
  readonly mayMuteVideoOthers?: boolean;
  readonly mayChat?: boolean;
  readonly mayRaiseHand?: boolean;
  readonly mayControlCamera?: boolean;
  readonly tilesMax?: number;
  readonly iceServers?: readonly IceServer[];
}

export type Incoming =
  | Opened
  | { readonly type: 'refused'; readonly reason: Refusal }
  | { readonly type: 'answer'; readonly revision: number; readonly sdp: string }
  | { readonly type: 'roster'; readonly complete: boolean; readonly people: readonly RosterEntry[] }
  | {
      readonly type: 'meeting';
      readonly name: string;
      readonly participants: number;
      readonly locked: boolean;
      readonly lobby: boolean;
    }
  | {
      readonly type: 'muted';
      readonly muted: boolean;
      readonly deaf: boolean;
      readonly byOther: boolean;
      readonly mayUnmute: boolean;
    }
  | { readonly type: 'videoMuted'; readonly muted: boolean; readonly byOther: boolean; readonly mayUnmute: boolean }
  | { readonly type: 'tiles'; readonly tiles: readonly Tile[] }
  | { readonly type: 'sharing'; readonly participant?: string; readonly floor: Floor }
  | { readonly type: 'chat'; readonly participant: string; readonly name: string; readonly text: string; readonly time: number }
  | { readonly type: 'notice'; readonly text: string; readonly place: Place }
  | { readonly type: 'quality'; readonly level: Level }
  | { readonly type: 'ended'; readonly reason: EndReason }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' };

export type Outgoing =
  | { readonly type: 'offer'; readonly revision: number; readonly sdp: string }
  | { readonly type: 'mute'; readonly muted: boolean }
  | { readonly type: 'act'; readonly action: Action; readonly participant?: string }
  | { readonly type: 'view'; readonly tiles: readonly ViewTile[] }
  | { readonly type: 'camera'; readonly on: boolean }
  | { readonly type: 'share'; readonly on: boolean }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'hand'; readonly raised: boolean }
  | { readonly type: 'layout'; readonly participant: string; readonly layout: string }
  | ({ readonly type: 'remoteCamera'; readonly participant: string } & Motion)
  | { readonly type: 'leave' }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' };

type Kind = 'string' | 'number' | 'boolean' | 'array';

// What must be there, and of which type, before a message is believed to be one.
const members: Record<Incoming['type'], Record<string, Kind>> = {
  opened: { participant: 'string', meeting: 'string', resumed: 'boolean' },
  refused: { reason: 'string' },
  answer: { revision: 'number', sdp: 'string' },
  roster: { complete: 'boolean', people: 'array' },
  meeting: { name: 'string', participants: 'number', locked: 'boolean', lobby: 'boolean' },
  muted: { muted: 'boolean', deaf: 'boolean', byOther: 'boolean', mayUnmute: 'boolean' },
  videoMuted: { muted: 'boolean', byOther: 'boolean', mayUnmute: 'boolean' },
  tiles: { tiles: 'array' },
  sharing: { floor: 'string' },
  chat: { participant: 'string', name: 'string', text: 'string', time: 'number' },
  notice: { text: 'string', place: 'string' },
  quality: { level: 'string' },
  ended: { reason: 'string' },
  ping: {},
  pong: {},
};

/** The message, or nothing for what a newer server may say and we do not know. */
export function readMessage(text: string): Incoming | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const wanted = Object.hasOwn(members, String(value['type'])) ? members[value['type'] as Incoming['type']] : undefined;
  if (wanted === undefined) return undefined;
  for (const [name, kind] of Object.entries(wanted)) {
    const member = value[name];
    if (kind === 'array' ? !Array.isArray(member) : typeof member !== kind) return undefined;
  }
  return value as unknown as Incoming;
}

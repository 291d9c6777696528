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

export type Action = 'mute' | 'unmute' | 'drop' | 'admit' | 'lock' | 'unlock' | 'end';

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
  | { readonly type: 'ended'; readonly reason: EndReason }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' };

export type Outgoing =
  | { readonly type: 'offer'; readonly revision: number; readonly sdp: string }
  | { readonly type: 'mute'; readonly muted: boolean }
  | { readonly type: 'act'; readonly action: Action; readonly participant?: string }
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

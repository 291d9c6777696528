// SPDX-License-Identifier: Apache-2.0
// The Events WebSocket as a management tool uses it: a token, a subscription, and for each message an
// acknowledgement.  What comes is kept as it stands now, and as it came.

import { at, isObject, text, type Value } from './api';

export type Row = Readonly<Record<string, string>>;
export type Rows = ReadonlyMap<string, Row>;

export interface Message {
  readonly number: number;
  readonly at: Date;
  readonly type: string;
  readonly body: string;
}

const MESSAGES_MAX = 200;
const AGAIN_MS = 3000;
const CALLS = 1;
const INFO = 2;
const ROSTER = 3;

export const ELEMENTS = {
  calls: ['name', 'participants', 'lockState', 'recording', 'streaming', 'callType', 'callCorrelator', 'distributedInstances', 'endpointRecording'],
  callInfo: ['name', 'participants', 'lockState', 'recording', 'streaming', 'callType', 'callCorrelator', 'joinAudioMuteOverride'],
  callRoster: ['name', 'uri', 'state', 'direction', 'audioMuted', 'videoMuted', 'importance', 'layout', 'activeSpeaker', 'presenter', 'handStatus', 'canMove'],
} as const;

function rowOf(value: Value): Row {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, typeof one === 'object' ? JSON.stringify(one) : String(one)])) : {};
}

/** What a list of updates makes of the rows there were. */
export function updated(rows: Rows, key: string, updates: readonly Value[]): Rows {
  const next = new Map(rows);
  for (const update of updates) {
    const { updateType, ...row } = rowOf(update);
    const id = row[key] ?? '';
    if (updateType === 'remove') next.delete(id);
    else next.set(id, updateType === 'update' ? { ...next.get(id), ...row } : row);
  }
  return next;
}

export function subscribeRequest(messageId: number, call: string): string {
  const ofCall = [
    { index: INFO, type: 'callInfo', call, elements: ELEMENTS.callInfo },
    { index: ROSTER, type: 'callRoster', call, elements: ELEMENTS.callRoster },
  ];
  const subscriptions = [{ index: CALLS, type: 'calls', elements: ELEMENTS.calls }, ...(call === '' ? [] : ofCall)];
  return JSON.stringify({ type: 'message', message: { messageId, type: 'subscribeRequest', subscriptions } });
}

/** What this page needs of a WebSocket. */
export interface Socket {
  onopen: (() => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

export type WatcherState = 'connecting' | 'open' | 'closed';

export class Watcher {
  state: WatcherState = 'connecting';
  /** Why it closed. */
  why = '';
  calls: Rows = new Map();
  info: Row = {};
  roster: Rows = new Map();
  messages: readonly Message[] = [];
  private socket: Socket | undefined;
  private call = '';
  private count = 0;
  private over = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `open` gives a new connection, with a new token. */
  constructor(
    private readonly open: () => Promise<Socket>,
    private readonly changed: () => void,
  ) {
    void this.connect();
  }

  /** Whose facts and participants are wanted besides all calls; empty: nobody's. */
  watch(call: string): void {
    if (call === this.call) return;
    this.call = call;
    if (this.state === 'open') this.subscribe();
    this.changed();
  }

  clear(): void {
    this.messages = [];
    this.changed();
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private subscribe(): void {
    this.calls = new Map();
    this.info = {};
    this.roster = new Map();
    this.socket?.send(subscribeRequest(++this.count, this.call));
  }

  private async connect(): Promise<void> {
    try {
      const socket = await this.open();
      if (this.over) return socket.close();
      this.socket = socket;
      socket.onopen = () => {
        this.state = 'open';
        this.why = '';
        this.subscribe();
        this.changed();
      };
      socket.onmessage = ({ data }) => this.receive(String(data));
      socket.onclose = ({ code, reason }) => this.lost(`${code} ${reason}`.trim());
    } catch (error) {
      this.lost(String(error));
    }
  }

  private lost(why: string): void {
    if (this.over) return;
    this.socket = undefined;
    this.state = 'closed';
    this.why = why;
    this.changed();
    this.timer = setTimeout(() => {
      this.state = 'connecting';
      this.changed();
      void this.connect();
    }, AGAIN_MS);
  }

  private receive(data: string): void {
    let frame: Value;
    try {
      frame = JSON.parse(data) as Value;
    } catch {
      return;
    }
    const message = at(frame, 'message');
    if (message === undefined) return;
    this.socket?.send(JSON.stringify({ type: 'messageAck', messageAck: { messageId: at(message, 'messageId') ?? 0, status: 'success' } }));
    const type = text(at(message, 'type'));
    const updates = at(message, 'updates');
    const list = Array.isArray(updates) ? updates : [];
    if (type === 'callListUpdate') this.calls = updated(this.calls, 'call', list);
    else if (type === 'rosterUpdate') this.roster = updated(this.roster, 'participant', list);
    else if (type === 'callInfoUpdate') this.info = { ...this.info, ...rowOf(at(message, 'callInfo') ?? {}) };
    const number = (this.messages[0]?.number ?? 0) + 1;
    this.messages = [{ number, at: new Date(), type, body: JSON.stringify(message) }, ...this.messages].slice(0, MESSAGES_MAX);
    this.changed();
  }
}

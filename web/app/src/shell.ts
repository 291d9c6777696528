// SPDX-License-Identifier: Apache-2.0
// Carries out what session.ts commands: WebSocket, RTCPeerConnection, fetch, timers, storage.

import { Microphone } from './media';
import { readMessage, type Refusal } from './protocol';
import { START, step, type Announcement, type Command, type Event, type IceServerList, type Session, type TimerName, type Wish } from './session';

const KEPT = 'convoke.session';
/** Spread over this much, so that not everybody comes back in the same instant. */
const JITTER = 0.25;
/** A timer that comes so much too late tells of a busy page or a sleeping machine: what arrived
 * meanwhile is to be read first. */
const LATE_MS = 1000;

interface Kept {
  readonly token: string;
  readonly wish: Wish;
  readonly muted: boolean;
}

/** What a reload of the page may take up again, if it was for this meeting. */
export function keptFor(address: string): Kept | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Kept | null;
    return kept !== null && typeof kept.token === 'string' && kept.wish.address === address ? kept : undefined;
  } catch {
    return undefined;
  }
}

export class Shell {
  session: Session = START;
  /** The browser wants a click before it lets us be heard. */
  soundBlocked = false;

  readonly microphone: Microphone;
  readonly sound = new Audio();
  private readonly timers = new Map<TimerName, number>();
  private socket: { readonly id: number; readonly ws: WebSocket } | undefined;
  private peer: { readonly id: number; readonly pc: RTCPeerConnection } | undefined;
  private readonly queue: Event[] = [];
  private stepping = false;

  constructor(
    private readonly changed: () => void,
    private readonly announce: (what: Announcement) => void,
  ) {
    this.sound.autoplay = true;
    this.microphone = new Microphone((track) => {
      void this.sender()?.replaceTrack(track).catch(() => undefined);
      this.changed();
    });
    window.addEventListener('online', () => this.happen({ on: 'nudge' }));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.happen({ on: 'nudge' });
    });
  }

  /** Events that come while one is being served wait for their turn. */
  happen(event: Event): void {
    this.queue.push(event);
    if (this.stepping) return;
    this.stepping = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const { session, commands } = step(this.session, next);
      this.session = session;
      commands.forEach((command) => this.carryOut(command));
    }
    this.stepping = false;
    this.changed();
  }

  private carryOut(command: Command): void {
    switch (command.do) {
      case 'join':
        void this.join(command.wish);
        return;
      case 'open':
        return this.open(command.socket, command.token);
      case 'send':
        if (this.socket?.id === command.socket && this.socket.ws.readyState === WebSocket.OPEN)
          this.socket.ws.send(JSON.stringify(command.message));
        return;
      case 'close':
        if (this.socket?.id === command.socket) this.socket.ws.close(1000);
        return;
      case 'makePeer':
        void this.makePeer(command.peer, command.iceServers);
        return;
      case 'answer':
        void this.answer(command.peer, command.sdp);
        return;
      case 'closePeer':
        if (this.peer?.id === command.peer) this.closePeer();
        return;
      case 'silence':
        return this.microphone.silence(command.silent);
      case 'keep':
        sessionStorage.setItem(KEPT, JSON.stringify({ token: command.token, wish: command.wish, muted: command.muted }));
        return;
      case 'forget':
        sessionStorage.removeItem(KEPT);
        return;
      case 'timer':
        return this.startTimer(command.name, command.ms);
      case 'cancel':
        window.clearTimeout(this.timers.get(command.name));
        this.timers.delete(command.name);
        return;
      case 'announce':
        return this.announce(command.what);
    }
  }

  private startTimer(name: TimerName, ms: number): void {
    window.clearTimeout(this.timers.get(name));
    const spread = name === 'retry' ? ms * (1 + JITTER * (Math.random() - 0.5)) : ms;
    const due = performance.now() + spread;
    const fire = () => {
      if (performance.now() - due > LATE_MS && !late) {
        late = true;
        this.timers.set(name, window.setTimeout(fire, LATE_MS));
        return;
      }
      this.timers.delete(name);
      this.happen({ on: 'timer', name });
    };
    let late = false;
    this.timers.set(name, window.setTimeout(fire, spread));
  }

  // ---- Joining ----

  private async join(wish: Wish): Promise<void> {
    try {
      const response = await fetch('/api/join', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(wish),
      });
      const body = (await response.json()) as { token?: string; name?: string; error?: Refusal };
      if (response.ok && body.token !== undefined)
        this.happen({ on: 'joined', token: body.token, meeting: body.name ?? '' });
      else this.happen({ on: 'joinRefused', problem: body.error ?? 'network' });
    } catch {
      this.happen({ on: 'joinRefused', problem: 'network' });
    }
  }

  // ---- WebSocket ----

  private open(id: number, token: string): void {
    /* As a subprotocol the token stands in no log of addresses. */
    const ws = new WebSocket(`wss://${location.host}/api/session`, ['convoke', token]);
    this.socket = { id, ws };
    ws.onmessage = (event) => {
      const message = typeof event.data === 'string' ? readMessage(event.data) : undefined;
      if (message !== undefined) this.happen({ on: 'message', socket: id, message });
    };
    ws.onclose = () => this.happen({ on: 'closed', socket: id });
  }

  // ---- RTCPeerConnection ----

  private sender(): RTCRtpSender | undefined {
    return this.peer?.pc.getTransceivers()[0]?.sender;
  }

  private async makePeer(id: number, iceServers: IceServerList): Promise<void> {
    const pc = new RTCPeerConnection({
      iceServers: iceServers.map(({ url, username, credential }) => ({
        urls: url,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      })),
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    this.peer = { id, pc };
    pc.onconnectionstatechange = () => {
      const state = pc.connectionState;
      if (state === 'connected' || state === 'disconnected' || state === 'failed')
        this.happen({ on: 'peer', peer: id, state });
    };
    pc.ontrack = (event) => {
      this.sound.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void this.play();
    };
    try {
      /* Both ways even without a microphone: one that is plugged in later needs no new offer. */
      const transceiver = pc.addTransceiver('audio', { direction: 'sendrecv' });
      await transceiver.sender.replaceTrack(this.microphone.track);
      await pc.setLocalDescription();
      this.happen({ on: 'offer', peer: id, sdp: pc.localDescription?.sdp ?? '' });
    } catch {
      this.happen({ on: 'peer', peer: id, state: 'failed' });
    }
  }

  private async answer(id: number, sdp: string): Promise<void> {
    if (this.peer?.id !== id) return;
    try {
      await this.peer.pc.setRemoteDescription({ type: 'answer', sdp });
    } catch {
      this.happen({ on: 'peer', peer: id, state: 'failed' });
    }
  }

  private closePeer(): void {
    const pc = this.peer?.pc;
    this.peer = undefined;
    if (pc === undefined) return;
    pc.onconnectionstatechange = null;
    pc.ontrack = null;
    pc.close();
  }

  // ---- Sound ----

  async play(): Promise<void> {
    try {
      await this.sound.play();
      this.soundBlocked = false;
    } catch (error) {
      this.soundBlocked = error instanceof DOMException && error.name === 'NotAllowedError';
    }
    this.changed();
  }
}

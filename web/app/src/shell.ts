// SPDX-License-Identifier: Apache-2.0
// Carries out what session.ts commands: WebSocket, RTCPeerConnection, fetch, timers, storage.

import { Camera, Microphone, Screen } from './media';
import { Peer, type Numbers } from './peer';
import { spaceOfAddress, type Portal } from './portal';
import { readMessage, type Refusal } from './protocol';
import { START, step, type Announcement, type Command, type Event, type Session, type TimerName, type Wish } from './session';

const KEPT = 'convoke.session';
/** Spread over this much, so that not everybody comes back in the same instant. */
const JITTER = 0.25;
/** A timer that comes so much too late tells of a busy page or a sleeping machine: what arrived
 * meanwhile is to be read first. */
const LATE_MS = 1000;
const MEASURE_MS = 2500;
const STEP_MS = 500;
/** In the page's address, for tests: the only codec to be offered. */
const CODEC = 'codec';

interface Kept {
  readonly token: string;
  readonly wish: Wish;
  readonly muted: boolean;
  readonly camera?: boolean;
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

function keptOf({ token, wish, muted, camera }: Kept): Kept {
  return { token, wish, muted, ...(camera === undefined ? {} : { camera }) };
}

export class Shell {
  session: Session = START;
  /** The browser wants a click before it lets us be heard. */
  soundBlocked = false;

  readonly microphone: Microphone;
  readonly camera: Camera;
  readonly screen: Screen;
  readonly sound = new Audio();
  numbers: Numbers | undefined;
  private readonly timers = new Map<TimerName, number>();
  private socket: { readonly id: number; readonly ws: WebSocket } | undefined;
  private peer: { readonly id: number; readonly peer: Peer } | undefined;
  private mayShow = false;
  private readonly queue: Event[] = [];
  private stepping = false;

  constructor(
    private readonly changed: () => void,
    private readonly announce: (what: Announcement) => void,
    private readonly portal: Portal,
  ) {
    this.sound.autoplay = true;
    const exchanged = () => {
      this.exchange();
      this.changed();
    };
    this.microphone = new Microphone(exchanged);
    this.camera = new Camera((track) => {
      exchanged();
      if (track === null && this.session.wantCamera) this.happen({ on: 'camera', running: false });
    });
    this.screen = new Screen(() => this.happen({ on: 'share', chosen: false }));
    window.setInterval(() => void this.measure(), MEASURE_MS);
    window.setInterval(() => void this.peer?.peer.keepInStep().catch(() => undefined), STEP_MS);
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
        return this.makePeer(command);
      case 'offerMore':
        if (this.peer?.id === command.peer) this.peer.peer.offer(command.lines, command.screen);
        return;
      case 'answer':
        if (this.peer?.id === command.peer) this.peer.peer.answer(command.sdp);
        return;
      case 'closePeer':
        if (this.peer?.id === command.peer) this.closePeer();
        return;
      case 'stopCamera':
        return this.camera.close();
      case 'sendScreen':
        this.mayShow = true;
        return this.exchange();
      case 'stopScreen':
        this.mayShow = false;
        this.screen.stop();
        return this.exchange();
      case 'silence':
        return this.microphone.silence(command.silent);
      case 'keep':
        sessionStorage.setItem(KEPT, JSON.stringify(keptOf(command)));
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
      const { address, ...rest } = wish;
      const space = spaceOfAddress(address);
      const token = this.portal.user?.token;
      const response = await fetch('/api/join', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        body: JSON.stringify(space === undefined ? wish : { ...rest, space }),
      });
      const body = (await response.json()) as { token?: string; name?: string; error?: Refusal };
      if (response.ok && body.token !== undefined)
        this.happen({ on: 'joined', token: body.token, meeting: body.name ?? '' });
      else {
        this.happen({ on: 'joinRefused', problem: body.error ?? 'network' });
        if (body.error === 'expired') this.portal.isOver();
      }
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

  private makePeer({ peer: id, iceServers, lines, screen }: Command & { do: 'makePeer' }): void {
    const codec = new URLSearchParams(location.search).get(CODEC) ?? '';
    const peer = new Peer({ iceServers, lines, screen, codec }, this.tracks(), {
      offered: (sdp, mids) => this.happen({ on: 'offer', peer: id, sdp, mids }),
      state: (state) => this.happen({ on: 'peer', peer: id, state }),
      sound: (stream) => {
        this.sound.srcObject = stream;
        void this.play();
      },
    });
    this.peer = { id, peer };
  }

  private closePeer(): void {
    this.peer?.peer.close();
    this.peer = undefined;
    this.numbers = undefined;
  }

  private tracks() {
    const screen = this.mayShow ? this.screen.track : null;
    return { microphone: this.microphone.track, camera: this.camera.track, screen };
  }

  private exchange(): void {
    this.peer?.peer.send(this.tracks());
  }

  /** The pictures that come in by a line. */
  streamOf(mid: string): MediaStream | undefined {
    return this.peer?.peer.streamOf(mid);
  }

  private async measure(): Promise<void> {
    const { peer } = this;
    if (peer === undefined || this.session.peerState !== 'connected') return;
    const numbers = await peer.peer.measure().catch(() => undefined);
    if (numbers === undefined || this.peer !== peer) return;
    this.numbers = numbers;
    if (numbers.level !== this.session.measured) this.happen({ on: 'measured', peer: peer.id, level: numbers.level });
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

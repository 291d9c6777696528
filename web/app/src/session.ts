// SPDX-License-Identifier: Apache-2.0
// A person's way into a meeting and their time in it, as a pure state machine: events in, the next
// state and commands out.  It has no socket, clock or page; shell.ts carries out what it commands.
//
//   idle -> joining -> connecting -> open <-> reconnecting -> over
//
// The token survives everything: with it a broken WebSocket, a restarted server or a reloaded page
// comes back to the same place.  Sound is set up by one RTCPeerConnection ("peer") after the other;
// one that still flows when the session is resumed is kept.

import { Pictures } from './session_pictures';
import type { Action, Incoming, Opened, Outgoing, Refusal, EndReason, RosterEntry } from './protocol';
import {
  START,
  type Announcement,
  type Command,
  type Draft,
  type Event,
  type Person,
  type Phase,
  type Problem,
  type Session,
  type TimerName,
  type Wish,
  type Works,
} from './state';

export * from './state';

/** Waits before the first, second, ... attempt to reconnect; the last one repeats. */
export const RETRY_MS: readonly number[] = [300, 500, 800, 1000, 1000, 1500, 2000, 3000, 5000];
export const OPENING_MS = 12_000;
export const ALIVE_MS = 5_000;
export const ANSWER_MS = 8_000;
/** A peer connection that is disconnected often recovers by itself. */
export const BROKEN_MS = 2_500;
export const PEER_RETRY_MS: readonly number[] = [200, 500, 1000, 2000, 4000];
export const GOODBYE_MS = 1_500;
/** In bigger meetings comings and goings are not read out one by one. */
export const ANNOUNCE_PEOPLE_MAX = 20;

/** Older lines of chat are forgotten. */
export const CHAT_KEPT = 500;

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

class Machine implements Works {
  readonly now: Draft;
  readonly commands: Command[] = [];
  private readonly pictures = new Pictures(this);

  constructor(before: Session) {
    this.now = { ...before };
  }

  take(event: Event): void {
    switch (event.on) {
      case 'join':
        return this.join(event.wish, event.muted, event.camera);
      case 'resume':
        return this.resume(event.wish, event.token, event.muted, event.camera);
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
        return this.offer(event.peer, event.sdp, event.mids);
      case 'peer':
        if (event.peer !== 0 && event.peer === this.now.peer) this.peerChanged(event.state);
        return;
      case 'mute':
        return this.mute(event.muted);
      case 'measured':
        if (event.peer === this.now.peer) this.now.measured = event.level;
        return;
      case 'camera':
        this.pictures.camera(event.running);
        return this.remember();
      case 'share':
        return this.pictures.share(event.chosen);
      case 'look':
        return this.pictures.look(event.look);
      case 'say':
      case 'chat':
      case 'hand':
      case 'layout':
      case 'remoteCamera':
        return this.together(event);
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

  do(command: Command): void {
    this.commands.push(command);
  }

  send(message: Outgoing): void {
    if (this.now.socket !== 0) this.do({ do: 'send', socket: this.now.socket, message });
  }

  announce(what: Announcement): void {
    this.do({ do: 'announce', what });
  }

  start(name: TimerName, ms: number): void {
    this.do({ do: 'timer', name, ms });
  }

  stop(...names: TimerName[]): void {
    for (const name of names) this.do({ do: 'cancel', name });
  }

  private remember(): void {
    const { token, wish, wantMuted, wantCamera } = this.now;
    if (token === undefined || wish === undefined) return;
    /* The token is enough to come back; a passcode is not left lying about. */
    const { passcode: _, ...kept } = wish;
    this.do({ do: 'keep', token, wish: kept, muted: wantMuted, camera: wantCamera });
  }

  // ---- Coming in ----

  /** As new, but for the numbers that tell old sockets and peers from what comes. */
  private reset(): void {
    const { sockets, peers } = this.now;
    this.dropSocket();
    this.dropPeer();
    this.stop('retry', 'goodbye', 'view', 'floor');
    const fresh: Partial<Draft> = this.now;
    for (const key of Object.keys(fresh) as (keyof Session)[]) delete fresh[key];
    Object.assign(this.now, START, { sockets, peers });
  }

  private begin(wish: Wish, muted: boolean, camera: boolean, phase: Phase): void {
    this.reset();
    Object.assign(this.now, { phase, wish, wantMuted: muted, wantCamera: camera });
    this.do({ do: 'silence', silent: muted });
  }

  private join(wish: Wish, muted: boolean, camera: boolean): void {
    this.begin(wish, muted, camera, 'joining');
    this.do({ do: 'join', wish });
  }

  private resume(wish: Wish, token: string, muted: boolean, camera: boolean): void {
    this.begin(wish, muted, camera, 'connecting');
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
        if (this.now.phase === 'open' && this.now.awaitingAnswer) return this.newPeer();
        return this.mendPeer();
      case 'view':
        return this.pictures.viewTimer();
      case 'floor':
        return this.pictures.floorTimer();
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
      case 'videoMuted':
        this.pictures.videoMuted(message);
        return this.remember();
      case 'tiles':
        return this.pictures.tiles(message);
      case 'sharing':
        return this.pictures.sharing(message);
      case 'chat':
        return this.chatLine(message);
      case 'notice':
        if (message.text === '') delete this.now.notice;
        else this.now.notice = { text: message.text, place: message.place };
        return;
      case 'quality':
        this.now.quality = message.level;
        return;
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
      share: message.mayShare === true,
      setLayout: message.maySetLayout === true,
      muteVideoOthers: message.mayMuteVideoOthers === true,
      chat: message.mayChat === true,
      raiseHand: message.mayRaiseHand === true,
      controlCamera: message.mayControlCamera === true,
    };
    now.tilesMax = message.tilesMax ?? 0;
    now.quality = 'good';
    now.sentView = '';
    delete now.notice;
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
      if (now.wantHand) this.send({ type: 'hand', raised: true });
      this.pictures.tellAgain();
    }
    /* An offer that was under way may not have arrived. */
    if (!message.resumed || now.peerState !== 'connected' || now.awaitingAnswer || now.offering) {
      now.peerFailures = 0;
      this.newPeer();
    } else {
      this.pictures.view();
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
    this.stop('retry', 'view', 'floor');
    this.do({ do: 'stopScreen' });
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
    this.handTold(before.get(this.now.self)?.hand === true);
    this.now.speaker = speakerOf(this.now);
    this.pictures.offerMore();
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
      if (now?.hand === true && old?.hand !== true) this.announce({ kind: 'raisedHand', name: now.name });
      if (now !== undefined && (old === undefined || old.lobby !== now.lobby))
        this.announce({ kind: now.lobby ? 'waits' : 'joined', name: now.name });
      else if (old !== undefined && now === undefined) this.announce({ kind: 'left', name: old.name });
    }
  }

  // ---- Chat, hands and rooms ----

  private together(event: Event & { on: 'say' | 'chat' | 'hand' | 'layout' | 'remoteCamera' }): void {
    const { now } = this;
    if (event.on === 'chat') {
      now.chatOpen = event.open;
      now.unread = 0;
    }
    if (now.phase !== 'open') return;
    if (event.on === 'say' && event.text.trim() !== '') this.send({ type: 'say', text: event.text.trim() });
    if (event.on === 'hand') this.hand(event.raised);
    if (event.on === 'layout') this.send({ type: 'layout', participant: event.participant, layout: event.layout });
    if (event.on === 'remoteCamera') this.send({ type: 'remoteCamera', participant: event.participant, ...event.motion });
  }

  private chatLine({ participant, name, text, time }: Incoming & { type: 'chat' }): void {
    const { now } = this;
    const line = { id: ++now.chatLines, participant, name, text, time };
    now.chat = [...now.chat, line].slice(-CHAT_KEPT);
    if (participant === now.self || now.chatOpen) return;
    now.unread++;
    this.announce({ kind: 'wrote', name });
  }

  private hand(raised: boolean): void {
    if (this.now.wantHand === raised) return;
    this.now.wantHand = raised;
    this.send({ type: 'hand', raised });
    this.announce({ kind: raised ? 'handRaised' : 'handLowered' });
  }

  /** Somebody with the right to has lowered it. */
  private handTold(wasUp: boolean): void {
    const { now } = this;
    if (!now.wantHand || !wasUp || now.people.get(now.self)?.hand !== false) return;
    now.wantHand = false;
    this.announce({ kind: 'handLowered' });
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
    this.stop('retry', 'media', 'answer', 'opening', 'alive', 'view', 'floor');
    this.do({ do: 'stopScreen' });
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

  // ---- Sound and pictures ----

  private newPeer(): void {
    this.dropPeer();
    this.now.peer = ++this.now.peers;
    this.now.peerState = 'connecting';
    this.now.lines = this.pictures.linesWanted();
    this.now.screenLine = this.now.share === 'on' && this.now.lines > 0;
    const { peer, iceServers, lines, screenLine } = this.now;
    this.do({ do: 'makePeer', peer, iceServers, lines, screen: screenLine });
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
    this.pictures.forgetPeer();
    this.stop('answer', 'media');
  }

  private offer(peer: number, sdp: string, mids: readonly string[]): void {
    const { now } = this;
    if (peer !== now.peer || now.phase !== 'open') return;
    now.offering = false;
    now.awaitingAnswer = true;
    now.revision++;
    now.offeredMids = mids;
    this.send({ type: 'offer', revision: now.revision, sdp });
    this.start('answer', ANSWER_MS);
  }

  private answered(revision: number, sdp: string): void {
    const { now } = this;
    if (!now.awaitingAnswer || revision !== now.revision) return;
    now.awaitingAnswer = false;
    now.mids = now.offeredMids;
    if (now.peerState === 'connected') this.stop('answer');
    this.do({ do: 'answer', peer: now.peer, sdp });
    this.pictures.offerMore();
    this.pictures.view();
  }

  private peerChanged(state: 'connected' | 'disconnected' | 'failed'): void {
    const now = this.now;
    if (state === 'connected') {
      now.peerState = 'connected';
      now.peerFailures = 0;
      this.stop('media');
      if (!now.awaitingAnswer) this.stop('answer');
      this.pictures.offerMore();
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
    video: entry.video === true,
    videoMuted: entry.videoMuted === true,
    content: entry.content === true,
    hand: entry.hand === true,
    remoteCamera: entry.remoteCamera === true,
    layout: entry.layout ?? '',
  };
}

/** Who is shown large: whoever talks, and afterwards still, until another one does. */
function speakerOf({ people, self, speaker }: Session): string {
  if (people.get(speaker)?.talking === true) return speaker;
  const other = [...people.values()].find(({ id, talking, lobby }) => talking && !lobby && id !== self);
  return other?.id ?? (people.has(speaker) ? speaker : '');
}

/** As shown: oneself first, then by name; who talks does not make the list jump. */
export function inOrder(session: Session): Person[] {
  const rank = (person: Person) => (person.id === session.self ? 0 : person.lobby ? 2 : 1);
  return [...session.people.values()].sort(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1),
  );
}

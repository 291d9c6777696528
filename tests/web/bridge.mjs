// SPDX-License-Identifier: Apache-2.0
// A Call Bridge for the tests: speaks C2W (docs/c2w.md) as the real one does, knows some meetings, and
// lets somebody else answer the offers.
import { createHash, randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { Portal } from './portal.mjs';
import { C2W_PORT, until } from './world.mjs';

const ID = 'b2c0ffee-0000-4000-8000-000000000001';
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(claims) {
  const payload = { ...claims, callBridge: ID };
  return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}.${createHash('sha256').update('x').digest('base64url')}`;
}

export class CallBridge {
  /** `far` is what farPage() gives. */
  constructor(webBridge, far) {
    this.webBridge = webBridge;
    this.far = far;
    this.rights = {};
    this.tilesMax = 26;
    this.presenter = undefined;
    this.floor = 'granted'; // or why it is not
    this.meetings = {
      1001: { name: 'Demo' },
      2002: { name: 'Board', passcode: '1234' },
    };
    this.portal = new Portal(tokenOf);
    this.extras = []; // people without a browser
    this.legs = new Map(); // by guest
    this.sessions = new Map(); // leg by session number
    this.heard = [];
    this.locked = false;
  }

  connect(certificate = 'bridge') {
    this.socket = new WebSocket(`wss://localhost:${C2W_PORT}/c2w`, 'c2w', {
      cert: this.webBridge.file(`${certificate}.crt`),
      key: this.webBridge.file(`${certificate}.key`),
      rejectUnauthorized: false,
    });
    const { socket } = this;
    socket.on('message', (data) => this.take(JSON.parse(String(data))));
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (code) => reject(new Error(`closed ${code}`)));
      socket.on('open', () => {
        this.send({ type: 'hello', version: 3, role: 'callbridge', id: ID, name: 'test', product: 'test' });
        resolve();
      });
    });
  }

  /** Until it works, as the real one does. */
  async stay() {
    this.staying = true;
    await until('C2W', async () => this.connect().then(() => true, () => false));
    this.socket.once('close', () => {
      this.sessions.clear();
      if (this.staying) void this.stay().catch(() => undefined);
    });
  }

  /** As by kill -9: the connection and all that it knew. */
  die() {
    this.staying = false;
    this.socket?.terminate();
    this.legs.clear();
    this.sessions.clear();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  take(message) {
    this.heard.push(message);
    const leg = this.sessions.get(message.session);
    switch (message.type) {
      case 'ping': return this.send({ type: 'pong' });
      case 'lookup': return this.lookup(message);
      case 'join': return this.join(message);
      case 'signInElsewhere': return this.send({ request: message.request, ...this.portal.signInElsewhere(message) });
      case 'signIn': return this.send({ request: message.request, ...this.portal.signIn(message) });
      case 'ask': {
        const [status, body] = this.portal.ask(message);
        return this.send({ type: 'told', request: message.request, status, body: JSON.stringify(body) });
      }
      case 'open': return this.open(message);
      case 'offer': return void this.offer(message);
      case 'mute':
        leg.muted = message.muted;
        leg.byOther = false;
        this.tellMuted(leg);
        return this.tellPerson(leg);
      case 'act': return this.act(message);
      case 'view': return this.view(leg, message.tiles);
      case 'camera':
        Object.assign(leg, { video: message.on, videoMuted: !message.on });
        this.tellVideoMuted(leg, false);
        return this.tellPerson(leg);
      case 'share': return this.share(leg, message.on);
      case 'say':
        return this.tellAll({ type: 'chat', participant: leg.id, name: leg.name, text: message.text, time: 1_700_000_000 });
      case 'hand':
        leg.hand = message.raised;
        return this.tellPerson(leg);
      case 'layout': {
        const other = this.everybody().find(({ id }) => id === message.participant);
        other.layout = message.layout || 'automatic';
        return this.tellPerson(other);
      }
      case 'leave': return this.drop(leg, 'left');
      case 'closed': return void this.sessions.delete(message.session);
      default: return undefined;
    }
  }

  // ---- Joining ----

  meetingOf({ address, space }) {
    return address === undefined ? this.portal.spaces.find(({ id }) => id === space) : this.meetings[address];
  }

  refusal(message) {
    const meeting = this.meetingOf(message);
    if (message.space !== undefined && meeting !== undefined) return undefined;
    if (meeting === undefined) return 'unknownMeeting';
    if (meeting.passcode === undefined || message.passcode === meeting.passcode) return undefined;
    return message.passcode === undefined ? 'passcodeRequired' : 'passcodeIncorrect';
  }

  lookup(message) {
    const reason = this.refusal(message);
    if (reason === 'unknownMeeting') return this.send({ type: 'refused', request: message.request, reason });
    return this.send({
      type: 'found', request: message.request, name: this.meetings[message.address].name, passcodeRequired: reason !== undefined,
    });
  }

  join(message) {
    const reason = this.refusal(message);
    if (reason !== undefined) return this.send({ type: 'refused', request: message.request, reason });
    const { name } = this.meetingOf(message);
    const token = tokenOf({ sub: `guest-${randomUUID()}`, name: message.name, space: name });
    return this.send({ type: 'joined', request: message.request, token, name });
  }

  open(message) {
    const claims = JSON.parse(Buffer.from(message.token.split('.')[1], 'base64url'));
    let leg = this.legs.get(claims.sub);
    const resumed = leg !== undefined;
    if (!resumed) {
      leg = { id: randomUUID(), guest: claims.sub, name: claims.name, muted: false, talking: false, byOther: false };
      this.legs.set(claims.sub, leg);
    }
    leg.session = message.session;
    this.sessions.set(message.session, leg);
    this.send({
      type: 'opened', session: message.session, participant: leg.id, call: 'call', meeting: claims.space, resumed,
      mayMuteOthers: false, mayDropOthers: false, mayLock: false, mayEnd: false, mayChat: true, mayRaiseHand: true,
      mayShare: true, ...this.rights, tilesMax: this.tilesMax, iceServers: [],
    });
    this.tellMuted(leg);
    this.tellEverybody();
  }

  async offer(message) {
    const leg = this.sessions.get(message.session);
    /* Nobody waits for an answer when the browser is gone; anybody else notices that there is none. */
    const sdp = await this.far.answer(message.sdp, leg.id, message.revision).catch(() => undefined);
    if (sdp === undefined) return;
    this.send({ type: 'answer', session: message.session, revision: message.revision, sdp });
  }

  // ---- Telling ----

  person({ id, name, muted, talking, layout, ...flags }) {
    const told = ['sip', 'lobby', 'video', 'videoMuted', 'hand', 'remoteCamera'].filter((flag) => flags[flag]);
    return {
      participant: id, name, muted, talking, ...Object.fromEntries(told.map((flag) => [flag, true])),
      ...(layout === undefined ? {} : { layout }), ...(this.presenter === id ? { content: true } : {}),
    };
  }

  everybody() {
    return [...this.legs.values(), ...this.extras];
  }

  tellAll(message) {
    const sessions = [...this.sessions.keys()];
    if (sessions.length !== 0) this.send({ ...message, sessions });
  }

  tellEverybody() {
    this.tellAll({ type: 'roster', complete: true, people: this.everybody().map((leg) => this.person(leg)) });
    this.tellMeeting();
  }

  tellMeeting() {
    this.tellAll({ type: 'meeting', name: 'Demo', participants: this.everybody().length, locked: this.locked, lobby: false });
  }

  tellPerson(leg) {
    this.tellAll({ type: 'roster', complete: false, people: [this.person(leg)] });
  }

  tellMuted({ session, muted, byOther }) {
    this.send({ type: 'muted', session, muted, deaf: false, byOther, mayUnmute: true });
  }

  tellVideoMuted({ session, videoMuted = false }, byOther, mayUnmute = true) {
    this.send({ type: 'videoMuted', session, muted: videoMuted, byOther, mayUnmute });
  }

  // ---- Pictures ----

  /** Who is asked for, then who has a picture, each in the line where they were. */
  view(leg, view) {
    leg.view = view;
    const before = new Map((leg.tiles ?? []).map(({ mid, participant }) => [mid, participant]));
    const seen = this.everybody().filter(({ id, video, lobby }) => video && !lobby && id !== leg.id).map(({ id }) => id);
    const shown = new Map();
    const isFree = (id) => seen.includes(id) && ![...shown.values()].includes(id);
    const shared = this.presenter !== undefined && this.presenter !== leg.id;
    const content = shared ? (view.find((tile) => tile.content) ?? view[0])?.mid : undefined;
    const lines = view.filter(({ mid }) => mid !== content);
    for (const { mid, participant } of lines) if (participant !== undefined && isFree(participant)) shown.set(mid, participant);
    for (const { mid } of lines) if (!shown.has(mid) && isFree(before.get(mid))) shown.set(mid, before.get(mid));
    for (const { mid } of lines) {
      const next = seen.find(isFree);
      if (!shown.has(mid) && next !== undefined) shown.set(mid, next);
    }
    const tiles = view.map(({ mid }) => {
      if (mid === content) return { mid, participant: this.presenter, content: true };
      return shown.has(mid) ? { mid, participant: shown.get(mid) } : { mid };
    });
    if (JSON.stringify(tiles) === JSON.stringify(leg.tiles)) return;
    leg.tiles = tiles;
    for (const { mid, participant, content: isContent } of tiles)
      if (participant !== undefined) void this.far.paint(leg.id, mid, isContent ? 'rgb(0, 0, 200)' : this.everybody().find(({ id }) => id === participant).colour ?? 'gray');
    this.send({ type: 'tiles', session: leg.session, tiles });
  }

  viewAll() {
    for (const leg of this.sessions.values()) if (leg.view !== undefined) this.view(leg, leg.view);
  }

  share(leg, on) {
    if (!on) {
      if (this.presenter === leg.id) this.present(undefined);
    } else if (this.floor === 'granted') {
      this.present(leg.id, leg);
    } else {
      this.send({ type: 'sharing', session: leg.session, floor: this.floor });
    }
  }

  /** Somebody presents, or nobody; `asked` is told so as an answer. */
  present(id, asked) {
    const before = [...this.sessions.values()].find((leg) => leg.id === this.presenter);
    this.presenter = id;
    const who = id === undefined ? {} : { participant: id };
    for (const leg of this.sessions.values()) {
      const floor = leg === asked ? 'granted' : leg === before && id !== undefined ? 'takenOver' : 'news';
      this.send({ type: 'sharing', session: leg.session, ...who, floor });
    }
    this.viewAll();
  }

  // ---- Acting ----

  act({ action, participant }) {
    const leg = this.everybody().find(({ id }) => id === participant);
    if (action === 'lock' || action === 'unlock') {
      this.locked = action === 'lock';
      this.tellMeeting();
    } else if (action === 'drop') {
      this.drop(leg, 'dropped');
    } else if (action === 'mute' || action === 'unmute') {
      this.mute(leg, action === 'mute');
    } else if (action === 'muteVideo' || action === 'unmuteVideo') {
      leg.videoMuted = action === 'muteVideo';
      leg.video = leg.video && !leg.videoMuted;
      if (leg.session !== undefined) this.tellVideoMuted(leg, true);
      this.tellPerson(leg);
    } else if (action === 'lowerHand') {
      leg.hand = false;
      this.tellPerson(leg);
    } else if (action === 'admit') {
      leg.lobby = false;
      this.tellPerson(leg);
    } else if (action === 'end') {
      for (const other of [...this.legs.values()]) this.drop(other, 'meetingEnded');
    }
  }

  mute(leg, muted) {
    leg.muted = muted;
    leg.byOther = true;
    if (leg.session !== undefined) this.tellMuted(leg);
    this.tellPerson(leg);
  }

  drop(leg, reason) {
    if (leg.session !== undefined) this.send({ type: 'ended', session: leg.session, reason });
    this.sessions.delete(leg.session);
    this.legs.delete(leg.guest);
    this.extras = this.extras.filter((extra) => extra !== leg);
    this.tellAll({ type: 'roster', complete: false, people: [{ participant: leg.id, gone: true }] });
    this.tellMeeting();
  }

  legOf(name) {
    return this.everybody().find((leg) => leg.name === name);
  }

  /** The newest message of a kind. */
  last(type) {
    return this.heard.findLast((message) => message.type === type);
  }

  count(type) {
    return this.heard.filter((message) => message.type === type).length;
  }
}

// SPDX-License-Identifier: Apache-2.0
// A Call Bridge for the tests: speaks C2W (docs/c2w.md) as the real one does, knows some meetings, and
// lets somebody else answer the offers.
import { createHash, randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { C2W_PORT, until } from './world.mjs';

const ID = 'b2c0ffee-0000-4000-8000-000000000001';
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class CallBridge {
  /** `answer(sdp)` gives the SDP of an answer. */
  constructor(webBridge, answer) {
    this.webBridge = webBridge;
    this.answer = answer;
    this.rights = {};
    this.meetings = {
      1001: { name: 'Demo' },
      2002: { name: 'Board', passcode: '1234' },
    };
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
        this.send({ type: 'hello', version: 2, role: 'callbridge', id: ID, name: 'test', product: 'test' });
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
      case 'open': return this.open(message);
      case 'offer': return void this.offer(message);
      case 'mute':
        leg.muted = message.muted;
        leg.byOther = false;
        this.tellMuted(leg);
        return this.tellPerson(leg);
      case 'act': return this.act(message);
      case 'leave': return this.drop(leg, 'left');
      case 'closed': return void this.sessions.delete(message.session);
      default: return undefined;
    }
  }

  // ---- Joining ----

  refusal(message) {
    const meeting = this.meetings[message.address];
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
    const { name } = this.meetings[message.address];
    const claims = { sub: `guest-${randomUUID()}`, name: message.name, callBridge: ID, space: name };
    const token = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}.${createHash('sha256').update('x').digest('base64url')}`;
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
      mayMuteOthers: false, mayDropOthers: false, mayLock: false, mayEnd: false, ...this.rights, iceServers: [],
    });
    this.tellMuted(leg);
    this.tellEverybody();
  }

  async offer(message) {
    const sdp = await this.answer(message.sdp);
    this.send({ type: 'answer', session: message.session, revision: message.revision, sdp });
  }

  // ---- Telling ----

  person({ id, name, muted, talking, sip, lobby }) {
    return { participant: id, name, muted, talking, ...(sip ? { sip } : {}), ...(lobby ? { lobby } : {}) };
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

  count(type) {
    return this.heard.filter((message) => message.type === type).length;
  }
}

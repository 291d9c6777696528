// SPDX-License-Identifier: Apache-2.0
// Goal: whatever breaks, the person is back by themselves; whatever ends, it ends; a closed microphone
// stays closed.  Method: the machine is given events by a small world with a clock of its own that
// keeps timers as the browser would, and what it commands is looked at.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Incoming } from '../src/protocol';
import {
  ALIVE_MS,
  ANNOUNCE_PEOPLE_MAX,
  BROKEN_MS,
  GOODBYE_MS,
  isMuted,
  inOrder,
  OPENING_MS,
  RETRY_MS,
} from '../src/session';
import { inside, joining, openedMessage, resumedMessage, wish, World } from './world';

test('joins, opens with the token, offers and is heard', () => {
  const world = joining();
  assert.deepEqual(world.take('join'), [{ do: 'join', wish }]);
  world.happen({ on: 'joined', token: 't', meeting: 'Demo' });
  assert.deepEqual(world.take('open'), [{ do: 'open', socket: 1, token: 't' }]);
  assert.deepEqual(world.take('keep'), [{ do: 'keep', token: 't', wish, muted: false, camera: false }]);
  world.hear(openedMessage);
  assert.deepEqual(world.take('makePeer'), [{ do: 'makePeer', peer: 1, iceServers: [], lines: 0, screen: false }]);
  world.happen({ on: 'offer', peer: 1, sdp: 'v=0', mids: [] });
  assert.deepEqual(world.sent(), [{ type: 'offer', revision: 1, sdp: 'v=0' }]);
  world.hear({ type: 'answer', revision: 1, sdp: 'v=1' });
  assert.deepEqual(world.take('answer'), [{ do: 'answer', peer: 1, sdp: 'v=1' }]);
  world.hear({ type: 'answer', revision: 1, sdp: 'again' });
  assert.deepEqual(world.take('answer'), []);
});

test('a refused join says why and may be tried again', () => {
  const world = joining().happen({ on: 'joinRefused', problem: 'passcodeRequired' });
  assert.equal(world.session.phase, 'idle');
  assert.equal(world.session.problem, 'passcodeRequired');
  world.happen({ on: 'join', wish: { ...wish, passcode: '1' }, muted: false, camera: false });
  assert.equal(world.session.problem, undefined);
  assert.equal(world.session.phase, 'joining');
});

test('a passcode is used and not kept', () => {
  const world = new World().happen({ on: 'join', wish: { ...wish, passcode: 'p' }, muted: false, camera: false });
  assert.equal(world.take('join')[0]?.wish.passcode, 'p');
  world.happen({ on: 'joined', token: 't', meeting: '' }).hear(openedMessage);
  assert.deepEqual(world.take('keep').map((kept) => kept.wish), [wish, wish]);
});

test('who joins muted tells so before being heard', () => {
  const world = joining(true).happen({ on: 'joined', token: 't', meeting: '' });
  assert.deepEqual(world.take('silence').at(-1), { do: 'silence', silent: true });
  world.hear(openedMessage);
  assert.deepEqual(world.sent(), [{ type: 'mute', muted: true }]);
});

test('a broken socket is opened again, soon and then more slowly, with the same token', () => {
  const world = inside();
  world.happen({ on: 'closed', socket: 1 });
  assert.equal(world.session.phase, 'reconnecting');
  assert.deepEqual(world.said(), ['reconnecting']);
  assert.deepEqual(world.take('timer').at(-1), { do: 'timer', name: 'retry', ms: 300 });
  let waited = 0;
  for (const ms of RETRY_MS) {
    world.pass(ms - 1);
    assert.deepEqual(world.take('open'), []);
    world.pass(1);
    assert.equal(world.take('open').length, 1, `after ${ms} ms`);
    world.happen({ on: 'closed', socket: world.session.socket });
    waited += ms;
  }
  assert.ok(waited > 10_000);
  world.pass(RETRY_MS.at(-1) ?? 0).hear(resumedMessage);
  assert.equal(world.session.phase, 'open');
  assert.deepEqual(world.said(), ['back']);
});

test('sound that flowed through the break is kept when the session is resumed', () => {
  const world = inside();
  world.happen({ on: 'closed', socket: 1 }).pass(300).hear(resumedMessage);
  assert.deepEqual(world.take('makePeer'), []);
  assert.deepEqual(world.take('closePeer'), []);
  assert.equal(world.session.peerState, 'connected');
});

test('a participant made anew needs a new connection, and its mute told', () => {
  const world = inside();
  world.happen({ on: 'mute', muted: true }).clear();
  world.happen({ on: 'closed', socket: 1 }).pass(300).hear(openedMessage);
  assert.equal(world.take('closePeer').length, 1);
  assert.equal(world.take('makePeer').length, 1);
  assert.deepEqual(world.sent(), [{ type: 'mute', muted: true }]);
});

test('a bridge that came back on the same socket is met with a new connection', () => {
  const world = inside();
  world.hear(openedMessage);
  assert.deepEqual(world.take('closePeer'), [{ do: 'closePeer', peer: 1 }]);
  assert.deepEqual(world.take('makePeer'), [{ do: 'makePeer', peer: 2, iceServers: [], lines: 0, screen: false }]);
  world.happen({ on: 'peer', peer: 1, state: 'failed' });
  assert.equal(world.session.peerState, 'connecting');
});

test('resumed, but with broken sound: a new connection', () => {
  const world = inside();
  world.happen({ on: 'peer', peer: 1, state: 'disconnected' });
  world.happen({ on: 'closed', socket: 1 }).pass(300).hear(resumedMessage);
  assert.equal(world.take('makePeer').length, 1);
});

test('sound that breaks alone is set up again unless it mends itself', () => {
  const world = inside();
  world.happen({ on: 'peer', peer: 1, state: 'disconnected' }).pass(BROKEN_MS - 1);
  world.happen({ on: 'peer', peer: 1, state: 'connected' }).pass(BROKEN_MS);
  assert.deepEqual(world.take('makePeer'), []);
  world.hear({ type: 'pong' });
  world.happen({ on: 'peer', peer: 1, state: 'disconnected' }).pass(BROKEN_MS);
  assert.equal(world.take('makePeer').length, 1);
  for (let failures = 1; failures < 10; failures++) {
    world.hear({ type: 'pong' });
    world.happen({ on: 'peer', peer: world.session.peer, state: 'failed' }).pass(4_000);
    assert.equal(world.take('makePeer').length, 1);
    assert.ok(world.session.peerFailures >= failures);
  }
});

test('an offer without an answer is made again', () => {
  const world = joining().happen({ on: 'joined', token: 't', meeting: '' }).hear(openedMessage);
  world.happen({ on: 'offer', peer: 1, sdp: 'x', mids: [] }).clear();
  world.pass(8_000);
  assert.equal(world.take('makePeer').length, 1);
});

test('a dead network is noticed by a ping without an answer', () => {
  const world = inside();
  for (let i = 0; i < 5; i++) {
    world.pass(ALIVE_MS);
    assert.deepEqual(world.sent(), [{ type: 'ping' }]);
    world.hear({ type: 'pong' });
  }
  world.pass(ALIVE_MS);
  world.pass(ALIVE_MS);
  assert.equal(world.session.phase, 'reconnecting');
  assert.equal(world.take('close').length, 1);
});

test('a socket that never opens is given up', () => {
  const world = joining().happen({ on: 'joined', token: 't', meeting: '' });
  world.pass(OPENING_MS);
  assert.deepEqual(world.take('close'), [{ do: 'close', socket: 1 }]);
  world.pass(300);
  assert.equal(world.session.socket, 2);
});

test('the network coming back cuts the wait short', () => {
  const world = inside();
  world.happen({ on: 'closed', socket: 1 }).clear();
  world.happen({ on: 'nudge' });
  assert.equal(world.take('open').length, 1);
  world.hear(resumedMessage).clear();
  world.happen({ on: 'nudge' });
  assert.deepEqual(world.sent(), [{ type: 'ping' }]);
});

test('what an old socket says does not count', () => {
  const world = inside();
  world.happen({ on: 'closed', socket: 1 }).pass(300);
  const before = world.session;
  world.happen({ on: 'message', socket: 1, message: { type: 'ended', reason: 'dropped' } });
  world.happen({ on: 'closed', socket: 1 });
  assert.deepEqual(world.session, before);
});

test('a token that is no longer good leads to a new join, by itself', () => {
  for (const reason of ['expired', 'badToken'] as const) {
    const world = inside();
    world.happen({ on: 'closed', socket: 1 }).pass(300).clear();
    world.hear({ type: 'refused', reason });
    assert.deepEqual(world.take('join'), [{ do: 'join', wish }]);
    assert.equal(world.take('forget').length, 1);
    world.happen({ on: 'joinRefused', problem: 'network' }).pass(5_000);
    assert.equal(world.take('join').length, 1);
    world.happen({ on: 'joined', token: 'u', meeting: 'Demo' });
    assert.equal(world.take('open').at(-1)?.token, 'u');
  }
});

test('a busy server is asked again, a locked meeting is not', () => {
  for (const reason of ['busy', 'noBridge'] as const) {
    const world = joining().happen({ on: 'joined', token: 't', meeting: '' });
    world.hear({ type: 'refused', reason });
    assert.equal(world.session.phase, 'connecting');
    assert.equal(world.session.problem, reason);
    world.clear().pass(RETRY_MS[0] ?? 0);
    assert.equal(world.take('open').length, 1);
  }
  const world = joining().happen({ on: 'joined', token: 't', meeting: '' });
  world.hear({ type: 'refused', reason: 'locked' }).clear().pass(60_000);
  assert.equal(world.session.phase, 'idle');
  assert.equal(world.session.problem, 'locked');
  assert.deepEqual(world.take('open'), []);
});

test('what ends stays ended, and leaves nothing running', () => {
  for (const reason of ['meetingEnded', 'dropped', 'replaced', 'timeout', 'error'] as const) {
    const world = inside();
    world.hear({ type: 'ended', reason });
    assert.equal(world.session.phase, 'over');
    assert.equal(world.session.end, reason);
    assert.equal(world.take('forget').length, 1);
    assert.equal(world.take('closePeer').length, 1);
    assert.deepEqual(world.timersLeft(), []);
    world.happen({ on: 'closed', socket: 1 }).happen({ on: 'nudge' }).pass(60_000);
    assert.deepEqual(world.take('open'), []);
  }
  const world = inside();
  world.hear({ type: 'ended', reason: 'bridgeRestart' }).pass(300);
  assert.equal(world.take('open').length, 1);
});

test('leaving says so, waits a moment for the answer and is over at once', () => {
  const world = inside();
  world.happen({ on: 'leave' });
  assert.deepEqual(world.sent(), [{ type: 'leave' }]);
  assert.equal(world.session.phase, 'over');
  assert.equal(world.session.end, 'left');
  world.pass(GOODBYE_MS);
  assert.deepEqual(world.take('close'), [{ do: 'close', socket: 1 }]);
  assert.deepEqual(world.timersLeft(), []);
  const waiting = inside();
  waiting.happen({ on: 'closed', socket: 1 }).happen({ on: 'leave' }).clear().pass(60_000);
  assert.equal(waiting.session.phase, 'over');
  assert.deepEqual(waiting.take('open'), []);
});

test('a page loaded again comes back by its token', () => {
  const world = new World().happen({ on: 'resume', wish, token: 'kept', muted: true, camera: false });
  assert.deepEqual(world.take('open'), [{ do: 'open', socket: 1, token: 'kept' }]);
  world.hear(resumedMessage);
  assert.equal(world.take('makePeer').length, 1);
  assert.equal(isMuted(world.session), true);
});

test('after the end one may begin anew, and the old is forgotten', () => {
  const world = inside();
  world.hear({ type: 'roster', complete: true, people: [{ participant: 'me', name: 'Ann' }] });
  world.hear({ type: 'ended', reason: 'dropped' }).happen({ on: 'reset' });
  assert.equal(world.session.phase, 'idle');
  assert.equal(world.session.people.size, 0);
  assert.equal(world.session.end, undefined);
  world.happen({ on: 'join', wish, muted: false, camera: false }).happen({ on: 'joined', token: 't', meeting: '' });
  assert.equal(world.session.socket, 2);
});

test('the roster follows what is told and reads out who comes and goes', () => {
  const world = inside();
  const name = (id: string) => world.session.people.get(id)?.name;
  world.hear({
    type: 'roster',
    complete: true,
    people: [
      { participant: 'me', name: 'Ann' },
      { participant: 'b', name: 'Bob', sip: true, muted: true },
    ],
  });
  assert.deepEqual(world.said(), []);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'c', name: 'Cy', talking: true }] });
  assert.deepEqual(world.said(), ['joined']);
  assert.equal(world.session.people.get('c')?.talking, true);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'c', name: 'Cy' }] });
  assert.equal(world.session.people.get('c')?.talking, false);
  assert.deepEqual(world.said(), []);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'b', gone: true }] });
  assert.deepEqual(world.said(), ['left']);
  assert.equal(name('b'), undefined);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'd', name: 'Di', lobby: true }] });
  assert.deepEqual(world.said(), ['waits']);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'd', name: 'Di' }] });
  assert.deepEqual(world.said(), ['joined']);
  world.hear({ type: 'roster', complete: true, people: [{ participant: 'me', name: 'Ann' }] });
  assert.equal(world.session.people.size, 1);
});

test('in a big meeting nobody is read out', () => {
  const world = inside();
  const people = Array.from({ length: ANNOUNCE_PEOPLE_MAX }, (_, i) => ({ participant: `p${i}`, name: `P${i}` }));
  world.hear({ type: 'roster', complete: true, people });
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'late', name: 'Late' }] });
  assert.deepEqual(world.said(), []);
});

test('people are listed with oneself first and without jumping when somebody talks', () => {
  const world = inside();
  const people = ['zoe', 'me', 'bob', 'al'].map((id) => ({ participant: id, name: id }));
  world.hear({ type: 'roster', complete: true, people });
  const order = () => inOrder(world.session).map(({ id }) => id);
  assert.deepEqual(order(), ['me', 'al', 'bob', 'zoe']);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'zoe', name: 'zoe', talking: true }] });
  assert.deepEqual(order(), ['me', 'al', 'bob', 'zoe']);
});

const told = (muted: boolean, byOther: boolean, mayUnmute = true): Incoming => ({
  type: 'muted',
  muted,
  byOther,
  deaf: false,
  mayUnmute,
});

test('muting oneself is at once, and told', () => {
  const world = inside();
  world.happen({ on: 'mute', muted: true });
  assert.deepEqual(world.sent(), [{ type: 'mute', muted: true }]);
  assert.deepEqual(world.take('silence'), [{ do: 'silence', silent: true }]);
  assert.deepEqual(world.said(), ['muted']);
  assert.equal(world.take('keep').at(-1)?.muted, true);
  world.hear(told(true, false));
  assert.deepEqual(world.said(), []);
  world.happen({ on: 'mute', muted: false }).hear(told(false, false));
  assert.equal(isMuted(world.session), false);
  assert.deepEqual(world.take('silence').at(-1), { do: 'silence', silent: false });
});

test('who is muted by others is told, may undo it, and cannot when not allowed', () => {
  const world = inside();
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'me', name: 'Ann' }] });
  world.hear(told(false, true)).clear();
  world.hear(told(true, true));
  assert.deepEqual(world.said(), ['mutedByOther']);
  assert.equal(isMuted(world.session), true);
  assert.equal(world.session.mutedByOther, true);
  world.happen({ on: 'mute', muted: false });
  assert.deepEqual(world.sent(), [{ type: 'mute', muted: false }]);
  world.hear(told(true, true, false)).clear();
  world.happen({ on: 'mute', muted: false });
  assert.deepEqual(world.sent(), []);
  assert.equal(isMuted(world.session), true);
});

test('that the bridge keeps us silent until we are in is not read out', () => {
  const world = inside();
  world.hear(told(true, true)).hear({ type: 'roster', complete: true, people: [] });
  world.hear(told(true, true)).hear(told(false, true));
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'me', name: 'Ann' }] });
  assert.deepEqual(world.said(), []);
});

test('nobody else opens a microphone that its owner closed', () => {
  const world = inside();
  world.happen({ on: 'mute', muted: true }).hear(told(true, false)).clear();
  world.hear(told(false, true));
  assert.equal(isMuted(world.session), true);
  assert.deepEqual(world.sent(), [{ type: 'mute', muted: true }]);
  assert.deepEqual(world.take('silence').at(-1), { do: 'silence', silent: true });
});

test('the lock is read out when it changes, not when one enters', () => {
  const world = inside();
  const meeting = (locked: boolean): Incoming => ({ type: 'meeting', name: 'Demo', participants: 2, locked, lobby: false });
  world.hear(meeting(true));
  assert.deepEqual(world.said(), []);
  world.hear(meeting(false));
  world.hear(meeting(false));
  assert.deepEqual(world.said(), ['unlocked']);
});

test('what one does to others is passed on while one is in', () => {
  const world = inside();
  world.happen({ on: 'act', action: 'drop', participant: 'b' }).happen({ on: 'act', action: 'lock' });
  assert.deepEqual(world.sent(), [
    { type: 'act', action: 'drop', participant: 'b' },
    { type: 'act', action: 'lock' },
  ]);
  world.happen({ on: 'closed', socket: 1 }).happen({ on: 'act', action: 'lock' });
  assert.deepEqual(world.sent(), []);
});

test('any order of events keeps the machine sound', () => {
  /* A small generator of our own, so that a failure can be repeated by its seed. */
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed;
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return Math.floor((state / 2147483648) * below);
    };
    const world = new World();
    for (let i = 0; i < 120; i++) {
      const events: (() => void)[] = [
        () => world.happen({ on: 'join', wish, muted: random(2) === 0, camera: false }),
        () => world.happen({ on: 'joined', token: 't', meeting: 'm' }),
        () => world.happen({ on: 'joinRefused', problem: 'network' }),
        () => world.hear({ ...(random(2) === 0 ? openedMessage : resumedMessage), tilesMax: random(2) * 26 }),
        () => world.hear({ type: 'refused', reason: random(2) === 0 ? 'busy' : 'badToken' }),
        () => world.hear({ type: 'ended', reason: random(3) === 0 ? 'dropped' : 'bridgeRestart' }),
        () => world.hear(told(random(2) === 0, random(2) === 0)),
        () => world.happen({ on: 'closed', socket: world.session.socket }),
        () => world.happen({ on: 'offer', peer: world.session.peer, sdp: 'x', mids: ['2', '3'] }),
        () => world.hear({ type: 'answer', revision: world.session.revision, sdp: 'y' }),
        () => world.hear({ type: 'sharing', participant: 'b', floor: random(2) === 0 ? 'granted' : 'takenOver' }),
        () => world.hear({ type: 'roster', complete: false, people: [{ participant: `p${random(9)}`, video: true }] }),
        () => world.happen({ on: 'share', chosen: random(2) === 0 }),
        () => world.happen({ on: 'camera', running: random(2) === 0 }),
        () => world.happen({ on: 'peer', peer: world.session.peer, state: random(2) === 0 ? 'connected' : 'failed' }),
        () => world.happen({ on: 'mute', muted: random(2) === 0 }),
        () => world.happen({ on: 'leave' }),
        () => world.happen({ on: 'nudge' }),
        () => world.happen({ on: 'reset' }),
        () => world.pass(random(3000)),
      ];
      events[random(events.length)]?.();
      const { session } = world;
      const alive = session.phase === 'reconnecting' || session.phase === 'connecting';
      assert.ok(!alive || session.socket !== 0 || world.timersLeft().includes('retry'), `seed ${seed}: stuck, nothing will happen`);
      assert.ok(session.phase !== 'open' || session.socket !== 0, `seed ${seed}: open without a socket`);
      assert.ok((session.peer === 0) === (session.peerState === 'none'), `seed ${seed}: peer without a state`);
      assert.ok(!session.offering || session.peer !== 0, `seed ${seed}: an offer of nobody`);
      assert.ok(!session.viewWaits || world.timersLeft().includes('view'), `seed ${seed}: no view ever again`);
      assert.ok(session.share !== 'asking' || session.phase !== 'open' || world.timersLeft().includes('floor'), `seed ${seed}: asking for ever`);
      if (session.phase === 'over' || session.phase === 'idle') assert.equal(session.peer, 0, `seed ${seed}: sound after the end`);
    }
  }
});

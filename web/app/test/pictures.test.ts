// SPDX-License-Identifier: Apache-2.0
// Goal: everybody who can be seen has a line, each line is asked for as large as it is drawn and no
// more often than needed; nobody but oneself opens one's camera; a screen is sent only with the floor.
// Method: pure functions by tables, the machine in its small world.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CONTENT, heightStep, linesFor, NO_LOOK, viewOf, type Look } from '../src/pictures';
import { asSent } from '../src/peer';
import type { Opened, Tile } from '../src/protocol';
import { ANSWER_MS } from '../src/session';
import { FLOOR_MS, VIEW_MS } from '../src/session_pictures';
import { focusRects, gridFor, gridRects, placesIn, shownOf, stripPlaces, type Rect } from '../src/stage';
import { inside, joining, openedMessage, resumedMessage, type World } from './world';

const withPictures: Opened = { ...openedMessage, tilesMax: 26, mayShare: true, mayChat: true, mayRaiseHand: true };
const resumed: Opened = { ...resumedMessage, tilesMax: 26 };
const MIDS = ['c', '1', '2', '3', '4'];

const look = (change: Partial<Look>): Look => ({ ...NO_LOOK, places: 9, spare: 300, ...change });
const tilesOf = (shown: Record<string, string>) =>
  new Map<string, Tile>(Object.entries(shown).map(([mid, participant]) => [mid, { mid, participant }]));

function seeing(camera = false): World {
  return inside(false, withPictures, MIDS, camera);
}

function people(world: World, count: number): World {
  const entries = Array.from({ length: count }, (_, i) => ({ participant: `p${i}`, name: `P${i}`, video: true }));
  return world.hear({ type: 'roster', complete: true, people: [{ participant: 'me', name: 'Ann' }, ...entries] });
}

// ---- What is asked of lines ----

test('a height is asked for by steps, a little below what is drawn', () => {
  const cases: [number, number][] = [[0, 0], [-5, 0], [1, 90], [99, 90], [100, 180], [396, 360], [397, 540], [1188, 1080], [9000, 2160]];
  for (const [drawn, asked] of cases) assert.equal(heightStep(drawn), asked, String(drawn));
});

test('lines come by steps, one of them for what is shared, and never too many', () => {
  const cases: [number, number, number, number][] = [[0, 25, 26, 5], [4, 25, 26, 5], [5, 25, 26, 10], [9, 25, 26, 10], [100, 25, 26, 26], [100, 4, 26, 5], [30, 25, 12, 12], [3, 25, 0, 0]];
  for (const [seen, places, max, lines] of cases) assert.equal(linesFor(seen, places, max), lines, `${seen} of ${places}`);
});

test('each line is asked for as its person is drawn, and nothing of whom nobody sees', () => {
  const heights = new Map([['a', 720], ['b', 0], [CONTENT, 1000]]);
  const tiles = tilesOf({ c: 'a', 2: 'b', 3: 'newcomer' });
  assert.deepEqual(viewOf(MIDS, tiles, look({ heights }), ''), [
    { mid: 'c', height: 720 },
    { mid: '1', height: 360 },
    { mid: '2', height: 0 },
    { mid: '3', height: 360 },
    { mid: '4', height: 360 },
  ]);
  for (const { height } of viewOf(MIDS, tiles, look({ heights, hidden: true }), 'a')) assert.equal(height, 0);
  assert.deepEqual(viewOf(MIDS, tilesOf({}), look({ places: 2 }), '').map(({ height }) => height), [360, 360, 0, 0, 0]);
  assert.deepEqual(viewOf([], tiles, look({}), 'a'), []);
});

test('what is shared has a line, whatever else its presenter has', () => {
  const heights = new Map([['a', 180], [CONTENT, 1000]]);
  const content = { height: 1080, participant: 'a', content: true };
  assert.deepEqual(viewOf(['1', '2'], tilesOf({ 1: 'a' }), look({ heights }), 'a'), [{ mid: '1', height: 180 }, { mid: '2', ...content }]);
  const told = new Map<string, Tile>([['1', { mid: '1', participant: 'a', content: true }], ['2', { mid: '2', participant: 'a' }]]);
  assert.deepEqual(viewOf(['1', '2'], told, look({ heights, wanted: ['a'] }), 'a'), [{ mid: '1', ...content }, { mid: '2', height: 180, participant: 'a' }]);
});

test('who is wanted keeps the line they are in, else takes a free one, else the smallest', () => {
  const pinned = (shown: Record<string, string>, wanted: string[], heights: Record<string, number> = {}) =>
    Object.fromEntries(
      viewOf(['1', '2', '3', '4'], tilesOf(shown), look({ wanted, heights: new Map(Object.entries(heights)) }), '')
        .filter(({ participant }) => participant !== undefined)
        .map(({ mid, participant }) => [mid, participant]),
    );
  assert.deepEqual(pinned({ 1: 'a', 2: 'b' }, ['b']), { 2: 'b' });
  assert.deepEqual(pinned({ 1: 'a', 2: 'b' }, ['z']), { 3: 'z' });
  assert.deepEqual(pinned({ 1: 'a', 2: 'b', 3: 'd', 4: 'e' }, ['z'], { a: 200, b: 100, d: 300, e: 300 }), { 2: 'z' });
  assert.deepEqual(pinned({ 1: 'a', 2: 'b', 3: 'd', 4: 'e' }, ['a', 'z'], { a: 0, b: 100, d: 90, e: 300 }), { 1: 'a', 3: 'z' });
  assert.deepEqual(pinned({}, ['u', 'v', 'w', 'x', 'y']), { 1: 'u', 2: 'v', 3: 'w', 4: 'x' });
});

test('a view is sent when it changes, and no more often than its pause', () => {
  const world = seeing().happen({ on: 'look', look: look({ spare: 200 }) });
  world.pass(3 * VIEW_MS).clear();
  world.happen({ on: 'look', look: look({ spare: 200 }) });
  assert.deepEqual(world.sent(), [], 'the same');
  for (let spare = 300; spare < 900; spare += 10) world.happen({ on: 'look', look: look({ spare }) });
  const first = world.sent();
  assert.equal(first.length, 1);
  world.pass(VIEW_MS);
  const last = world.sent();
  assert.equal(last.length, 1);
  assert.ok(last[0]?.type === 'view' && last[0].tiles[1]?.height === 1080, 'the newest');
  world.pass(10 * VIEW_MS);
  assert.deepEqual(world.sent(), []);
});

test('when the tiles change, so does what is asked of them', () => {
  const world = people(seeing(), 3).happen({ on: 'look', look: look({ heights: new Map([['p1', 100]]), spare: 400 }) });
  world.pass(3 * VIEW_MS).clear();
  world.hear({ type: 'tiles', tiles: [{ mid: '2', participant: 'p1' }] });
  const [view] = world.sent();
  assert.ok(view?.type === 'view');
  assert.deepEqual(view.tiles.map(({ height }) => height), [540, 540, 180, 540, 540]);
});

// ---- More lines ----

test('the first offer has lines for pictures, and none where the bridge has none', () => {
  const lines = (opened: Opened) => joining().happen({ on: 'joined', token: 't', meeting: '' }).hear(opened).take('makePeer')[0]?.lines;
  assert.equal(lines(withPictures), 5);
  assert.equal(lines({ ...withPictures, tilesMax: 3 }), 3);
  assert.equal(lines(openedMessage), 0);
});

test('when more people can be seen than there are lines, more are offered, and one offer waits for the other', () => {
  const world = people(seeing().happen({ on: 'look', look: look({ places: 25 }) }).clear(), 6);
  assert.deepEqual(world.take('offerMore'), [{ do: 'offerMore', peer: 1, lines: 10, screen: false }]);
  people(world, 12);
  assert.deepEqual(world.take('offerMore'), [], 'one is being made');
  const mids = ['c', ...Array.from({ length: 9 }, (_, i) => String(i))];
  world.happen({ on: 'offer', peer: 1, sdp: 'more', mids });
  assert.deepEqual(world.sent().filter(({ type }) => type === 'offer'), [{ type: 'offer', revision: 2, sdp: 'more' }]);
  assert.deepEqual(world.take('offerMore'), [], 'it has no answer');
  world.hear({ type: 'answer', revision: 1, sdp: 'old' });
  assert.deepEqual(world.take('answer'), []);
  world.hear({ type: 'answer', revision: 2, sdp: 'new' });
  assert.deepEqual(world.take('answer'), [{ do: 'answer', peer: 1, sdp: 'new' }]);
  assert.equal(world.session.mids.length, 10);
  assert.equal(world.take('offerMore')[0]?.lines, 17);
  people(world, 2);
  assert.equal(world.session.lines, 17, 'lines are never taken away');
});

test('another offer without an answer leads to a new connection', () => {
  const world = people(seeing().happen({ on: 'look', look: look({ places: 25 }) }), 8);
  world.happen({ on: 'offer', peer: 1, sdp: 'more', mids: [] }).clear().pass(ANSWER_MS);
  assert.deepEqual(world.take('makePeer').map(({ peer, lines }) => [peer, lines]), [[2, 10]]);
  assert.equal(world.session.revision, 0);
  assert.equal(world.session.tiles.size, 0);
});

test('an offer lost with the WebSocket is made again by a new connection; otherwise only the view is told again', () => {
  const lost = people(seeing().happen({ on: 'look', look: look({ places: 25 }) }), 8);
  lost.happen({ on: 'closed', socket: 1 }).happen({ on: 'offer', peer: 1, sdp: 'more', mids: [] }).clear();
  lost.pass(300).hear(resumed);
  assert.equal(lost.take('makePeer').length, 1);
  const kept = seeing().happen({ on: 'look', look: look({}) }).pass(VIEW_MS).clear();
  kept.happen({ on: 'closed', socket: 1 }).pass(300).hear(resumed);
  assert.deepEqual(kept.take('makePeer'), []);
  assert.deepEqual(kept.sent().map(({ type }) => type), ['view']);
});

// ---- Camera ----

test('a camera is told on joining, when it changes, and to a participant made anew', () => {
  const world = joining(false, true).happen({ on: 'joined', token: 't', meeting: '' }).hear(withPictures);
  assert.deepEqual(world.sent(), [{ type: 'camera', on: true }]);
  assert.equal(world.take('keep').at(-1)?.camera, true);
  world.happen({ on: 'camera', running: false });
  assert.deepEqual(world.sent(), [{ type: 'camera', on: false }]);
  assert.equal(world.take('stopCamera').length, 1);
  assert.equal(world.take('keep').at(-1)?.camera, false);
  world.hear(withPictures);
  assert.deepEqual(world.sent(), [{ type: 'camera', on: false }]);
});

test('that the bridge shows nobody before one is in closes no camera', () => {
  const world = seeing(true).hear({ type: 'videoMuted', muted: true, byOther: true, mayUnmute: true });
  assert.deepEqual([world.take('stopCamera').length, world.said(), world.session.wantCamera], [0, [], true]);
  world.hear({ type: 'videoMuted', muted: false, byOther: true, mayUnmute: true });
  assert.deepEqual(world.sent(), []);
});

test('others may close a camera, but never open it', () => {
  const world = people(seeing(true), 1).clear();
  world.hear({ type: 'videoMuted', muted: true, byOther: true, mayUnmute: true });
  assert.equal(world.take('stopCamera').length, 1);
  assert.deepEqual(world.said(), ['cameraOffByOther']);
  assert.deepEqual([world.session.wantCamera, world.session.videoMutedByOther], [false, true]);
  world.hear({ type: 'videoMuted', muted: false, byOther: true, mayUnmute: true });
  assert.deepEqual(world.sent(), [{ type: 'camera', on: false }]);
  assert.equal(world.session.wantCamera, false);
  world.happen({ on: 'camera', running: true });
  assert.deepEqual(world.sent(), [{ type: 'camera', on: true }]);
});

test('who may not switch the camera on again does not send', () => {
  const world = people(seeing(true), 1).hear({ type: 'videoMuted', muted: true, byOther: true, mayUnmute: false }).clear();
  world.happen({ on: 'camera', running: true });
  assert.equal(world.take('stopCamera').length, 1);
  assert.deepEqual(world.sent(), []);
});

// ---- Screen ----

const granted = { type: 'sharing', participant: 'me', floor: 'granted' } as const;

test('a screen is sent when the floor is given, over a line of its own', () => {
  const world = seeing().happen({ on: 'share', chosen: true });
  assert.deepEqual(world.sent(), [{ type: 'share', on: true }]);
  assert.deepEqual([world.take('sendScreen').length, world.take('offerMore').length], [0, 0]);
  world.hear(granted);
  assert.equal(world.take('sendScreen').length, 1);
  assert.deepEqual(world.take('offerMore'), [{ do: 'offerMore', peer: 1, lines: 5, screen: true }]);
  world.happen({ on: 'share', chosen: false });
  assert.deepEqual(world.sent().at(-1), { type: 'share', on: false });
  assert.ok(world.take('stopScreen').length > 0);
  assert.equal(world.session.share, 'off');
});

test('refused, taken over, ended or unanswered: nothing is sent any more, and it is told why', () => {
  for (const floor of ['notAllowed', 'busy'] as const) {
    const world = seeing().happen({ on: 'share', chosen: true }).hear({ type: 'sharing', participant: 'b', floor });
    assert.deepEqual([world.session.share, world.session.shareProblem], ['off', floor]);
    assert.equal(world.take('sendScreen').length, 0);
    assert.ok(world.take('stopScreen').length > 0);
  }
  for (const floor of ['takenOver', 'stopped'] as const) {
    const world = seeing().happen({ on: 'share', chosen: true }).hear(granted).clear();
    world.hear({ type: 'sharing', participant: floor === 'takenOver' ? 'b' : '', floor });
    assert.deepEqual([world.session.share, world.session.shareProblem], ['off', floor]);
    assert.ok(world.take('stopScreen').length > 0);
  }
  const unheard = seeing().happen({ on: 'share', chosen: true }).pass(FLOOR_MS);
  assert.deepEqual([unheard.session.share, unheard.session.shareProblem], ['off', 'busy']);
  unheard.hear(granted);
  assert.equal(unheard.take('sendScreen').length, 0, 'too late');
});

test('a participant made anew asks for the floor again, and a new connection has the line at once', () => {
  const world = seeing().happen({ on: 'share', chosen: true }).hear(granted).clear();
  world.happen({ on: 'peer', peer: 1, state: 'failed' }).pass(200);
  assert.equal(world.take('makePeer')[0]?.screen, true);
  world.hear(withPictures);
  assert.equal(world.session.share, 'asking');
  assert.ok(world.sent().some((message) => message.type === 'share' && message.on));
  assert.equal(world.take('makePeer')[0]?.screen, false);
});

test('leaving lets go of screen and floor', () => {
  const world = seeing().happen({ on: 'share', chosen: true }).hear(granted).clear();
  world.happen({ on: 'leave' });
  assert.ok(world.take('stopScreen').length > 0);
});

// ---- Together ----

test('what others write is counted until it is read, and read out only when it is not seen', () => {
  const world = people(seeing(), 1).clear();
  const line = { type: 'chat', participant: 'p0', name: 'P0', text: 'hello', time: 1 } as const;
  world.hear(line).hear({ ...line, participant: 'me', name: 'Ann' });
  assert.deepEqual([world.session.unread, world.said()], [1, ['wrote']]);
  world.happen({ on: 'chat', open: true }).hear(line);
  assert.deepEqual([world.session.unread, world.said(), world.session.chat.length], [0, [], 3]);
  world.happen({ on: 'say', text: '  hi \n' }).happen({ on: 'say', text: '   ' });
  assert.deepEqual(world.sent(), [{ type: 'say', text: 'hi' }]);
  for (let i = 0; i < 600; i++) world.hear(line);
  assert.equal(world.session.chat.length, 500);
});

test('a hand is raised, kept over a restart, and may be lowered by others', () => {
  const world = people(seeing(), 1).clear();
  world.happen({ on: 'hand', raised: true }).happen({ on: 'hand', raised: true });
  assert.deepEqual(world.sent(), [{ type: 'hand', raised: true }]);
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'me', name: 'Ann', hand: true }] });
  world.hear({ ...withPictures });
  assert.ok(world.sent().some((message) => message.type === 'hand' && message.raised));
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'me', name: 'Ann' }] });
  assert.equal(world.session.wantHand, false);
  world.clear().hear({ type: 'roster', complete: false, people: [{ participant: 'p0', name: 'P0', hand: true }] });
  assert.deepEqual(world.said(), ['raisedHand']);
});

test('who talked last stays large until another one talks', () => {
  const world = people(seeing(), 3);
  const talk = (id: string, talking: boolean) =>
    world.hear({ type: 'roster', complete: false, people: [{ participant: id, name: id, talking, video: true }] }).session.speaker;
  assert.equal(talk('me', true), '');
  assert.equal(talk('p1', true), 'p1');
  assert.equal(talk('p2', true), 'p1');
  assert.equal(talk('p1', false), 'p2');
  assert.equal(talk('p2', false), 'p2');
  world.hear({ type: 'roster', complete: false, people: [{ participant: 'p2', gone: true }] });
  assert.equal(world.session.speaker, '');
});

test('what is written over the pictures comes and goes', () => {
  const world = seeing().hear({ type: 'notice', text: 'Hello', place: 'top' });
  assert.deepEqual(world.session.notice, { text: 'Hello', place: 'top' });
  world.hear({ type: 'notice', text: '', place: 'top' });
  assert.equal(world.session.notice, undefined);
});

// ---- What is sent of an offer ----

test('a screen is marked, and feedback of codecs that are not offered is left out', () => {
  const head = 'v=0\r\ns=-\r\n';
  const camera = 'm=video 0 UDP/TLS/RTP/SAVPF 120\r\na=mid:1\r\na=rtcp-fb:120 nack\r\n';
  const orphan = 'a=rtcp-fb:123 nack\r\n';
  const screen = 'm=video 0 UDP/TLS/RTP/SAVPF 120\r\na=mid:12\r\na=rtcp-fb:* ccm fir\r\n';
  assert.equal(asSent(head + camera + orphan + screen, '12'), `${head}${camera}${screen}a=content:slides\r\n`);
  assert.equal(asSent(head + camera + screen, undefined), head + camera + screen);
  assert.equal(asSent(head + camera + screen, '2'), head + camera + screen);
});

// ---- Where pictures stand ----

const sizes = [[312, 430], [748, 880], [1400, 740], [1040, 740], [1900, 980], [600, 200], [320, 120]] as const;

function areApart(rects: readonly Rect[]): boolean {
  return rects.every((a, i) =>
    rects.slice(i + 1).every((b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y),
  );
}

test('places lie apart, inside the window, and are never of a wild shape', () => {
  for (const [width, height] of sizes) {
    const strip = stripPlaces(width, height, 8);
    for (let count = 1; count <= 25; count++) {
      const ids = Array.from({ length: count }, (_, i) => String(i));
      const grid = [...gridRects(ids, width, height, 8).values()];
      const focus = [...focusRects('main', ids.slice(0, strip), width, height, 8).values()];
      for (const rects of [grid, focus]) {
        const name = `${count} in ${width} x ${height}`;
        assert.ok(areApart(rects), name);
        for (const { x, y, width: wide, height: high } of rects)
          assert.ok(x >= 0 && y >= 0 && x + wide <= width && y + high <= height, `${name}: ${x} ${y} ${wide} ${high}`);
      }
      assert.ok(grid.every(({ width: wide, height: high }) => wide / high > 1.2 && wide / high < 1.85), `${count} in ${width} x ${height}`);
    }
  }
});

test('a window shows as many as can still be told apart', () => {
  assert.equal(placesIn(312, 430), 6);
  assert.equal(placesIn(2500, 1300), 25);
  assert.equal(placesIn(0, 0), 2);
  assert.deepEqual(gridFor(4, 1400, 740, 8).columns, 2);
  assert.deepEqual(gridFor(9, 1400, 740, 8).columns, 3);
});

test('who is shown stays where they were; who must be seen takes the place of one who need not', () => {
  const none = new Set<string>();
  assert.deepEqual(shownOf([], ['a', 'b', 'c'], none, 2), ['a', 'b']);
  assert.deepEqual(shownOf(['b', 'a'], ['a', 'b', 'c'], none, 3), ['b', 'a', 'c']);
  assert.deepEqual(shownOf(['a', 'b', 'c'], ['a', 'b', 'c', 'd'], new Set(['d', 'a', 'c']), 3), ['a', 'd', 'c']);
  assert.deepEqual(shownOf(['a', 'b', 'c'], ['a', 'c'], none, 3), ['a', 'c']);
  assert.deepEqual(shownOf(['a', 'b', 'c'], ['a', 'b', 'c'], none, 2), ['a', 'b']);
  assert.deepEqual(shownOf(['a', 'b'], ['a', 'b'], none, 0), []);
});

// SPDX-License-Identifier: Apache-2.0
// Goal: rules are moved with few changes, panes stay in the picture, and events are kept as they
// stand.  Method: plain values, and a WebSocket that is a list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { updated, Watcher, type Socket } from '../src/events';
import { inOrder, moved, type Ranked } from '../src/order';
import { grid, placed, readTemplate, writeTemplate } from '../src/panes';
import { chooseLanguage } from '../src/strings';

const ranked = (...priorities: number[]): Ranked[] => priorities.map((priority, i) => ({ id: 'abcdefgh'[i] ?? '', priority }));

/** The order after the changes were made, the older first of equals. */
function after(rules: readonly Ranked[], changes: readonly Ranked[]): string {
  const now = new Map(changes.map(({ id, priority }) => [id, priority]));
  return inOrder(rules.map(({ id, priority }) => ({ id, priority: now.get(id) ?? priority })))
    .map(({ id }) => id)
    .join('');
}

test('rules are asked by priority, of equal ones the older', () => {
  assert.equal(after(ranked(5, 9, 5, 0), []), 'bacd');
});

test('a rule is moved wherever it shall be, and nobody else changes places', () => {
  for (const rules of [ranked(30, 20, 10, 0), ranked(0, 0, 0, 0), ranked(3, 2, 1, 0), ranked(7, 7, 3, 3)]) {
    for (let from = 0; from < rules.length; from++)
      for (let to = 0; to < rules.length; to++) {
        const order = rules.map(({ id }) => id);
        order.splice(to, 0, ...order.splice(from, 1));
        assert.equal(after(rules, moved(rules, from, to)), order.join(''), `${JSON.stringify(rules)} ${from} ${to}`);
      }
  }
  assert.deepEqual(moved(ranked(30, 20, 10), 2, 1), [{ id: 'c', priority: 25 }], 'there is room in between');
  assert.deepEqual(moved(ranked(3, 2, 1), 2, 1), [
    { id: 'c', priority: 2 },
    { id: 'b', priority: 1 },
  ]);
});

test('a template is read and written, and a pane never leaves the picture', () => {
  const template = { templates: [{ panes: [{ x: 0, y: 0, width: 66.66, height: 50 }] }, { panes: [{ x: 5, y: 5, width: 20, height: 20, over: true }] }] };
  const read = readTemplate(template);
  assert.equal(read[1]?.[0]?.over, true);
  assert.deepEqual(JSON.parse(writeTemplate(read)), template);
  assert.equal(writeTemplate([[]]), '', 'no pane at all takes the template away');
  assert.deepEqual(readTemplate({ templates: [] }), []);
  const [pane] = grid(4);
  assert.ok(pane !== undefined);
  assert.deepEqual(placed(pane, { x: 90, width: 30 }), { ...pane, x: 70, width: 30 });
  assert.deepEqual(placed(pane, { y: -4, height: 400 }), { ...pane, y: 0, height: 100 });
  assert.equal(grid(5).length, 5);
});

test('updates of a list are kept as it stands', () => {
  const one = updated(new Map(), 'call', [{ call: 'c1', updateType: 'add', name: 'A', participants: 1 }]);
  const two = updated(one, 'call', [{ call: 'c1', updateType: 'update', participants: 2 }]);
  assert.deepEqual(two.get('c1'), { call: 'c1', name: 'A', participants: '2' });
  assert.equal(updated(two, 'call', [{ call: 'c1', updateType: 'remove' }]).size, 0);
});

test('the language is chosen by its whole name', () => {
  assert.equal(chooseLanguage(['de', 'fr-CA']), 'fr');
  assert.equal(chooseLanguage(['kok-IN', 'frr']), 'en'); // Konkani, North Frisian
});

test('whoever watches subscribes, and acknowledges every message', async () => {
  const sent: string[] = [];
  const socket: Socket = { onopen: null, onclose: null, onmessage: null, send: (text) => sent.push(text), close: () => undefined };
  const watcher = new Watcher(
    () => Promise.resolve(socket),
    () => undefined,
  );
  await Promise.resolve();
  await Promise.resolve();
  socket.onopen?.();
  assert.equal(watcher.state, 'open');
  assert.equal(JSON.parse(sent[0] ?? '').message.subscriptions.length, 1);
  watcher.watch('c1');
  assert.deepEqual(
    JSON.parse(sent[1] ?? '').message.subscriptions.map(({ type }: { type: string }) => type),
    ['calls', 'callInfo', 'callRoster'],
  );
  const say = (message: unknown) => socket.onmessage?.({ data: JSON.stringify({ type: 'message', message }) });
  say({ messageId: 7, type: 'rosterUpdate', subscriptionIndex: 3, updates: [{ participant: 'p', updateType: 'add', name: 'Ann' }] });
  assert.deepEqual(JSON.parse(sent[2] ?? ''), { type: 'messageAck', messageAck: { messageId: 7, status: 'success' } });
  assert.equal(watcher.roster.get('p')?.name, 'Ann');
  say({ messageId: 8, type: 'callInfoUpdate', callInfo: { call: 'c1', name: 'Demo' } });
  assert.equal(watcher.info.name, 'Demo');
  socket.onmessage?.({ data: JSON.stringify({ type: 'messageAck', messageAck: { messageId: 1 } }) });
  assert.equal(sent.length, 4, 'an acknowledgement is not acknowledged');
  assert.equal(watcher.messages.length, 2);
  watcher.close();
});

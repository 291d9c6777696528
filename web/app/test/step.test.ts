// SPDX-License-Identifier: Apache-2.0
// Goal: a picture is shown when its sound is heard, however many hours a meeting lasts; what cannot be
// told apart from chance changes nothing.  Method: pure functions, by tables; and a line that does what it
// is asked for, until it stands still.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ahead, between, waitOf, WAIT_MS_MAX } from '../src/step';

const TIMES = 2 ** 32;
const HOUR_MS = 3_600_000;
const DRAWING_MS = 17;
const soundAt = (ms: number) => Math.floor(ms * 48) % TIMES;
const pictureAt = (ms: number) => Math.floor(ms * 90) % TIMES;

test('moments are compared over the ends of both clocks', () => {
  for (const hours of [0.001, 1, 13, 14, 24, 25, 26, 30])
    for (const apart of [-900, 0, 40, 1200]) {
      const at = hours * HOUR_MS;
      assert.ok(Math.abs(between(soundAt(at), pictureAt(at + apart)) - apart) < 1, `${hours} h, ${apart} ms`);
    }
});

test('what is shown before it is heard is ahead', () => {
  const sound = { rtp: soundAt(5000), at: 100 };
  assert.ok(Math.abs(ahead(sound, { rtp: pictureAt(5000), at: 100 })) < 1);
  assert.ok(Math.abs(ahead(sound, { rtp: pictureAt(5000), at: 70 }) - 30) < 1);
  assert.ok(Math.abs(ahead(sound, { rtp: pictureAt(5200), at: 100 }) - 200) < 1);
});

test('a line that is asked to wait comes into step, and stays', () => {
  for (const needed of [-300, 0, 30, 120, 400, 900]) {
    let asked = 0;
    let waits = 40;
    let changes = 0;
    for (let i = 0; i < 40; i++) {
      const before = asked;
      asked = waitOf(waits, needed - waits - DRAWING_MS, asked);
      changes += asked === before ? 0 : 1;
      /* As Chromium does: never less than its own need, more by a tenth of the time that passes. */
      waits += Math.max(-50, Math.min(50, Math.max(40, asked - DRAWING_MS) - waits));
    }
    const wanted = Math.min(WAIT_MS_MAX, Math.max(40 + DRAWING_MS, needed));
    assert.ok(Math.abs(waits + DRAWING_MS - wanted) <= 10, `${needed}: ${waits}`);
    assert.ok(changes <= 8, `${needed}: ${changes} changes`);
  }
});

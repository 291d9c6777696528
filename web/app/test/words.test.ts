// SPDX-License-Identifier: Apache-2.0
// Goal: every language says everything, addresses are understood as people give them, and nothing that
// a server may send breaks the page.
import assert from 'node:assert/strict';
import test from 'node:test';
import { cutName } from '../src/app';
import { readMessage } from '../src/protocol';
import { chooseLanguage, languages } from '../src/strings';
import { addressOf } from '../src/ui/landing';

function words(value: unknown, path: string, out: Map<string, string>): void {
  if (typeof value === 'string') out.set(path, value);
  else if (typeof value === 'function') out.set(path, String((value as (...args: unknown[]) => string)('Ann', 2)));
  else for (const [key, member] of Object.entries(value as object)) words(member, `${path}.${key}`, out);
}

test('each language has every word, and its own', () => {
  const all = Object.entries(languages).map(([name, strings]) => {
    const out = new Map<string, string>();
    words(strings, '', out);
    return { name, out };
  });
  const english = all[0]?.out ?? new Map<string, string>();
  for (const { name, out } of all) {
    assert.deepEqual([...out.keys()].sort(), [...english.keys()].sort(), name);
    for (const [path, text] of out) assert.notEqual(text.trim(), '', `${name}${path}`);
  }
  for (const { name, out } of all.slice(1)) {
    const same = [...out].filter(([path, text]) => text === english.get(path) && path !== '.numbered');
    assert.deepEqual(same, [], name);
  }
});

test('the first language of the browser that we speak is chosen', () => {
  assert.equal(chooseLanguage(['ko-KR', 'en']), 'ko');
  assert.equal(chooseLanguage(['de', 'fr-CA']), 'fr');
  assert.equal(chooseLanguage(['de']), 'en');
  assert.equal(chooseLanguage([]), 'en');
  assert.equal(chooseLanguage(['constructor']), 'en');
});

test('an address may be a number with blanks, a URI or the whole link', () => {
  assert.equal(addressOf(' 1001 '), '1001');
  assert.equal(addressOf('100 123-456'), '100123456');
  assert.equal(addressOf('demo@example.com'), 'demo@example.com');
  assert.equal(addressOf('https://meet.example.com/meeting/a%20b?secret=x'), 'a b');
  assert.equal(addressOf('https://meet.example.com/meeting/%zz'), '%zz');
});

test('a name is cut to what a server takes, between characters', () => {
  assert.equal(cutName('  Ann '), 'Ann');
  assert.equal(cutName('x'.repeat(120)).length, 100);
  assert.equal(cutName('가'.repeat(60)), '가'.repeat(33));
  assert.equal(cutName('😀'.repeat(60)), '😀'.repeat(25));
});

test('messages are read when they are whole, and otherwise not', () => {
  assert.deepEqual(readMessage('{"type":"pong"}'), { type: 'pong' });
  assert.deepEqual(readMessage('{"type":"ended","reason":"left","more":1}')?.type, 'ended');
  assert.equal(readMessage('{"type":"tiles","tiles":[]}')?.type, 'tiles');
  for (const text of ['{"type":"tiles"}', '{"type":"chat","participant":"p","name":"n","text":"t"}', '{"type":"sharing"}', '{"type":"notice","text":1,"place":"top"}', '', 'null', '[]', '1', '{}', '{"type":"ended"}', '{"type":"roster","complete":true,"people":{}}', '{"type":"toString"}', '{"type":"__proto__"}', '{"type":"muted","muted":1,"deaf":false,"byOther":false,"mayUnmute":true}'])
    assert.equal(readMessage(text), undefined, text);
});

// SPDX-License-Identifier: Apache-2.0
// Goal: what the API says about itself and answers is understood.  Method: a small description, and
// answers as the server gives them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, failuresOf } from '../src/api';
import { Description, flat, indented, valueOf } from '../src/description';
import { linkTo, readRoute } from '../src/route';

const description = new Description({
  paths: {
    '/coSpaces': { 'x-kind': 'collection', 'x-object': 'coSpace', get: {}, post: {} },
    '/coSpaces/{id}': { 'x-kind': 'object', 'x-object': 'coSpace', get: {}, put: {}, delete: {} },
    '/coSpaces/{id}/accessMethods': { 'x-kind': 'collection', 'x-object': 'accessMethod', get: {} },
    '/coSpaces/{id}/diagnostics': { 'x-kind': 'action', post: {} },
    '/coSpaces/{id}/moves': { 'x-kind': 'action', put: {} },
    '/coSpaces/{id}/all/*': {
      'x-kind': 'action',
      put: {
        requestBody: {
          content: { form: { schema: { allOf: [{ $ref: '#/components/schemas/profile' }, { properties: { mode: { type: 'string', enum: ['a'], 'x-put': true } } }] } } },
        },
      },
    },
    '/system/status': { 'x-kind': 'single', 'x-object': 'status', get: {} },
  },
  components: {
    schemas: {
      coSpace: {
        'x-collection': 'coSpaces',
        'x-extends': 'profile',
        required: ['name'],
        properties: {
          name: { type: 'string', maxLength: 127, 'x-kind': 'text', 'x-post': true, 'x-list': true, 'x-get': true },
          secure: { type: 'boolean', default: false, 'x-kind': 'boolean', 'x-post': true, 'x-lacking': true },
          codec: { type: 'string', 'x-inside': 'status/rxAudio', 'x-get': true },
        },
      },
      profile: { properties: { name: { type: 'string' }, layout: { type: 'string', enum: ['a', 'b'], 'x-put': true } } },
    },
  },
});

test('an address is at its place', () => {
  assert.equal(description.placeOf('coSpaces')?.template, 'coSpaces');
  assert.equal(description.placeOf('coSpaces/1234')?.template, 'coSpaces/{id}');
  assert.deepEqual(description.placeOf('coSpaces/1234')?.methods, ['GET', 'PUT', 'DELETE']);
  assert.equal(description.placeOf('coSpaces/'), undefined);
  assert.equal(description.placeOf('coSpaces/1/2'), undefined);
  assert.equal(description.collectionOf('coSpace'), 'coSpaces');
  assert.equal(description.collectionOf('accessMethod'), undefined);
});

test('what can be read, asked for or done is shown below an object', () => {
  const place = description.placeOf('coSpaces/1234');
  assert.ok(place !== undefined);
  assert.deepEqual(
    description.below(place).map(({ template }) => template),
    ['coSpaces/{id}/accessMethods', 'coSpaces/{id}/diagnostics', 'coSpaces/{id}/moves'],
  );
});

test('an action takes what its description says', () => {
  const place = description.placeOf('coSpaces/1234/all/*');
  assert.ok(place !== undefined);
  assert.deepEqual(
    description.parameters(place, 'PUT').map(({ name }) => name),
    ['layout', 'mode'],
  );
  assert.deepEqual(description.parameters(place, 'GET'), []);
  const nothing = description.placeOf('coSpaces/1234/diagnostics');
  assert.ok(nothing !== undefined);
  assert.deepEqual(description.parameters(nothing, 'POST'), []);
});

test('an object has its own parameters before those of its profile', () => {
  const fields = description.fields('coSpace');
  assert.deepEqual(
    fields.map(({ name }) => name),
    ['name', 'secure', 'codec', 'layout'],
  );
  const [name, secure, codec, layout] = fields;
  assert.ok(name?.required && name.postable && !name.puttable);
  assert.equal(secure?.postable, false, 'what we lack is not offered');
  assert.deepEqual(layout?.choices, ['a', 'b']);
  assert.ok(codec !== undefined);
  assert.equal(valueOf(codec, { status: { rxAudio: { codec: 'opus' } } }), 'opus');
});

test('rows and totals are found, also where there are none', () => {
  const answer = { coSpaces: { total: 21, coSpace: [{ id: '1' }, { id: '2' }] } };
  assert.equal(description.rows('coSpace', answer).length, 2);
  assert.equal(description.total('coSpace', answer), 21);
  assert.deepEqual(description.rows('coSpace', { coSpaces: { total: 0 } }), []);
  assert.equal(at(answer, 'coSpaces', 'nothing', 'inside'), undefined);
});

test('each failure is told with its parameter', () => {
  assert.deepEqual(failuresOf({ failureDetails: { parameterError: { parameter: 'callId', error: 'invalidValue' } } }), [
    { error: 'invalidValue', parameter: 'callId' },
  ]);
  assert.deepEqual(failuresOf({ failureDetails: { duplicateCoSpaceUri: {} } }), [{ error: 'duplicateCoSpaceUri' }]);
  assert.deepEqual(failuresOf(undefined), []);
});

test('an answer is flat, and its XML has lines', () => {
  assert.deepEqual(flat({ id: '1', status: { rxVideo: [{ role: 'main' }] } }), [
    ['id', '1'],
    ['status/rxVideo/role', 'main'],
  ]);
  assert.equal(indented('<?xml version="1.0"?><a><b id="1"><c>x</c></b><d/></a>').split('\n').join('|'), '<?xml version="1.0"?>|<a>|  <b id="1">|    <c>x</c>|  </b>|  <d/>|</a>');
});

test('a link leads back to its address', () => {
  const { words, query } = readRoute(linkTo('coSpaces', { filter: 'a & b?', offset: 0 }));
  assert.deepEqual(words, ['api', 'coSpaces']);
  assert.deepEqual([...query], [['filter', 'a & b?']]);
});

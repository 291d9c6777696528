// SPDX-License-Identifier: Apache-2.0
// What must be seen in a browser, a function each; its name is the test's.
import assert from 'node:assert/strict';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { axeProblems, connections, enter, inside, person, press } from './browser.mjs';
import { CallBridge } from './bridge.mjs';
import { fetchText, HTTPS_PORT, ORIGIN, until, wait } from './world.mjs';

const BACK_MS = 5000; // the promise after any restart

// ---- Without a browser ----

export async function pages_are_served_safely() {
  for (const path of ['/', '/meeting', '/meeting/1001?secret=x']) {
    const { status, headers, body } = await fetchText(path);
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html/);
    assert.match(headers['content-security-policy'], /script-src 'self';.*frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(headers['strict-transport-security'], /max-age=/);
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.doesNotMatch(String(body), /<script>|style=/);
  }
  const script = /src="(\/assets\/[^"]+)"/.exec(String((await fetchText('/')).body))[1];
  const plain = await fetchText(script);
  const brotli = await fetchText(script, { headers: { 'Accept-Encoding': 'gzip, br' } });
  const gzip = await fetchText(script, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.match(plain.headers['cache-control'], /immutable/);
  assert.equal(brotli.headers['content-encoding'], 'br');
  assert.ok(brotliDecompressSync(brotli.body).equals(plain.body));
  assert.ok(gunzipSync(gzip.body).equals(plain.body));
  assert.ok(gzip.body.length < 60 * 1024);
  for (const path of ['/assets/none.js', '/index.html.br', '/../etc/passwd', '/api/none']) assert.equal((await fetchText(path)).status, 404, path);
  assert.equal((await fetchText('/', { method: 'DELETE' })).status, 405);
}

const post = (body, headers = {}) =>
  fetchText('/api/join', { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body });

export async function joins_are_answered_over_http() {
  const json = async (response) => JSON.parse(String((await response).body));
  const joined = await json(post('{"numericId":1001,"name":"Ann"}'));
  assert.equal(joined.name, 'Demo');
  assert.match(joined.token, /\./);
  assert.deepEqual(await json(post('{"address":"2002","name":"Ann"}')), { error: 'passcodeRequired' });
  assert.equal((await post('{"address":"2002","name":"Ann","passcode":"1234"}')).status, 200);
  assert.equal((await post('{"address":"nowhere","name":"Ann"}')).status, 404);
  for (const body of ['', '{', '[]', '{"address":"1001"}', '{"name":"Ann"}', '{"address":[],"name":"Ann"}'])
    assert.equal((await post(body)).status, 400, body);
  assert.equal((await post('x'.repeat(100_000))).status, 413);
  const found = await fetchText('/api/meeting?address=2002');
  assert.deepEqual(JSON.parse(String(found.body)), { type: 'found', name: 'Board', passcodeRequired: true });
  assert.equal((await fetchText('/api/meeting')).status, 400);
  assert.equal(found.headers['cache-control'], 'no-store');
}

/** How a WebSocket to the session's address ends: a close code, or "http 403". */
function endOf(query, { headers = {}, say, protocols } = {}) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`wss://localhost:${HTTPS_PORT}/api/session${query}`, protocols, { headers, rejectUnauthorized: false });
    const heard = [];
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data)));
      if (heard.at(-1).type === 'opened' && say !== undefined) socket.send(say);
    });
    socket.on('unexpected-response', (_, response) => resolve({ code: `http ${response.statusCode}`, heard }));
    socket.on('close', (code) => resolve({ code, heard }));
    socket.on('error', () => undefined);
  });
}

export async function sockets_of_strangers_are_refused({ bridge }) {
  const { token } = JSON.parse(String((await post('{"address":"1001","name":"Eve"}')).body));
  assert.deepEqual((await endOf('')).heard, [{ type: 'refused', reason: 'badToken' }]);
  assert.equal((await endOf(`?token=${token}`, { headers: { Origin: 'https://evil.example' } })).code, 'http 403');
  const sayings = ['nonsense', '{"type":"offer"}', '{"type":"closed"}', '{"type":"leave","session":1}', `{"type":"offer","revision":1,"sdp":"${'x'.repeat(135_000)}"}`];
  for (const say of sayings) assert.equal((await endOf(`?token=${token}`, { say })).code, 1008, say.slice(0, 40));
  assert.equal((await endOf('', { say: 'x', protocols: ['convoke', token] })).code, 1008);
  assert.equal((await endOf(`?token=${token}`, { say: 'x'.repeat(170_000) })).code, 1009);
  bridge.drop(bridge.legOf('Eve'), 'dropped');
}

export async function bridges_need_a_trusted_certificate({ webBridge }) {
  const stranger = new CallBridge(webBridge, () => '');
  await assert.rejects(stranger.connect('stranger'));
}

// ---- With one ----

export async function a_person_joins_and_sound_flows({ browser, bridge }) {
  const page = await person(browser);
  await page.goto(ORIGIN);
  await page.getByLabel('Your name').fill('Ann');
  await page.getByLabel('Meeting ID').fill('100 1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Demo' }).waitFor();
  await until('the meter moves', async () => Number(await page.getByRole('meter').getAttribute('aria-valuenow')) > 0);
  await page.getByRole('button', { name: 'Join' }).click();
  await inside(page);
  await until('sound', async () => (await connections(page))[0]?.received > 20);
  assert.equal(await page.getByRole('listitem').count(), 1);
  assert.equal(await page.title(), 'Demo – Convoke');
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { name: 'You have left the meeting' }).waitFor();
  await until('leave', () => bridge.count('leave') === 1);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByRole('button', { name: 'Join again' }).click();
  assert.equal(await page.getByLabel('Your name').inputValue(), 'Ann');
  return page;
}

export async function people_are_shown_and_read_out({ browser, bridge }) {
  const page = await person(browser);
  await enter(page);
  bridge.extras = [{ id: 'p1', name: 'Board room', muted: true, talking: false, sip: true }];
  bridge.tellEverybody();
  await press(page, 'People');
  const room = page.getByRole('complementary').getByRole('listitem').filter({ hasText: 'Board room' });
  await room.getByText('phone or room').waitFor();
  await room.getByText('muted').waitFor({ state: 'attached' });
  await page.getByText('2 people').waitFor();
  bridge.extras[0].muted = false;
  bridge.extras[0].talking = true;
  bridge.tellPerson(bridge.extras[0]);
  await room.getByText('talking').waitFor({ state: 'attached' });
  const late = { id: 'p2', name: 'Cy', muted: false, talking: false };
  bridge.extras.push(late);
  bridge.tellPerson(late);
  await page.getByRole('log').filter({ hasText: 'Cy has joined' }).waitFor({ state: 'attached' });
  bridge.drop(late, 'left');
  await page.getByRole('log').filter({ hasText: 'Cy has left' }).waitFor({ state: 'attached' });
  for (const place of [page.getByRole('complementary'), page.getByRole('list', { name: 'Pictures' })])
    await until('two are left', async () => (await place.getByRole('listitem').count()) === 2);
  return page;
}

const untilSending = (page, wanted) =>
  until(wanted ? 'the microphone is open' : 'the microphone is closed', () =>
    page.evaluate((on) => window.connections.at(-1).getSenders()[0].track.enabled === on, wanted));

export async function mute_works_by_key_and_button_and_by_others({ browser, bridge }) {
  const page = await person(browser);
  await enter(page);
  await page.keyboard.press('m');
  await page.getByRole('button', { name: 'Unmute' }).waitFor();
  await untilSending(page, false);
  await until('mute', () => bridge.legOf('Ann').muted);
  await page.keyboard.press('Control+d');
  await page.getByRole('button', { name: 'Mute', exact: true }).waitFor();
  await until('unmute', () => !bridge.legOf('Ann').muted);
  await untilSending(page, true);
  bridge.mute(bridge.legOf('Ann'), true);
  await page.getByText('Somebody has muted you.').waitFor();
  await page.getByRole('log').filter({ hasText: 'Somebody has muted you' }).waitFor({ state: 'attached' });
  await untilSending(page, false);
  await page.getByRole('button', { name: 'Unmute' }).click();
  await until('unmute', () => !bridge.legOf('Ann').muted);
  return page;
}

export async function another_microphone_is_taken_without_a_new_call({ browser }) {
  const page = await person(browser);
  await enter(page);
  await until('sound', async () => (await connections(page)).length === 1);
  const track = () => page.evaluate(() => window.connections[0].getSenders()[0].track.label);
  const before = await track();
  await press(page, 'Sound and camera');
  const choice = page.getByLabel('Microphone', { exact: true });
  const names = await choice.locator('option').allTextContents();
  const other = names.find((name) => name !== before && /Fake/.test(name));
  assert.ok(other !== undefined, names.join(', '));
  await choice.selectOption({ label: other });
  await until('the other microphone', async () => (await track()) === other);
  await page.getByRole('button', { name: 'Play a test sound' }).click();
  await page.getByText('Playing…').waitFor();
  await page.getByRole('button', { name: 'Play a test sound' }).waitFor();
  assert.equal((await connections(page)).length, 1);
  return page;
}

export async function hosts_mute_remove_lock_and_end({ browser, bridge }) {
  bridge.rights = { mayMuteOthers: true, mayDropOthers: true, mayLock: true, mayEnd: true };
  bridge.extras = [{ id: 'p1', name: 'Bob', muted: false, talking: false }];
  const page = await person(browser);
  await enter(page);
  await press(page, 'People');
  await page.getByRole('button', { name: 'Mute Bob' }).click();
  await page.getByRole('button', { name: 'Unmute Bob' }).waitFor();
  await press(page, 'Lock the meeting');
  await page.getByText('Locked').waitFor();
  await press(page, 'Unlock the meeting');
  await page.getByRole('button', { name: 'Remove Bob' }).click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(bridge.extras.length, 1);
  await page.getByRole('button', { name: 'Remove Bob' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await until('Bob is gone', async () => (await page.getByRole('complementary').getByRole('listitem').count()) === 1);
  await press(page, 'End for everybody');
  await page.getByRole('dialog').getByRole('button', { name: 'End for everybody' }).click();
  await page.getByRole('heading', { name: 'The meeting has ended' }).waitFor();
  return page;
}

export async function a_passcode_is_asked_for_and_checked({ browser }) {
  const page = await person(browser);
  await page.goto(`${ORIGIN}/meeting/2002`);
  await page.getByLabel('Passcode').waitFor();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('This meeting has a passcode. Please type it.').waitFor();
  await page.getByLabel('Passcode').fill('0000');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('That is not the passcode.').waitFor();
  await page.getByLabel('Passcode').fill('1234');
  await page.getByRole('button', { name: 'Join' }).click();
  await inside(page);
  return page;
}

export async function an_unknown_meeting_is_told({ browser }) {
  const page = await person(browser);
  await page.goto(`${ORIGIN}/meeting/nowhere`);
  await page.getByText('There is no meeting with this ID').waitFor();
  return page;
}

export async function without_a_microphone_one_listens({ browser }) {
  const page = await person(browser, { microphone: false });
  await page.goto(`${ORIGIN}/meeting/1001`);
  await page.getByText('does not let this page use the microphone').waitFor();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Join, listening only' }).click();
  await inside(page);
  await page.getByText('Listening only').waitFor();
  await until('sound', async () => (await connections(page))[0]?.received > 20);
  return page;
}

export async function a_killed_web_bridge_costs_no_sound({ browser, bridge, webBridge }) {
  const page = await person(browser);
  await enter(page);
  await until('sound', async () => (await connections(page))[0]?.received > 20);
  const opened = bridge.count('open');
  await webBridge.stop('SIGKILL');
  await page.getByText('Reconnecting').first().waitFor();
  await wait(700);
  const begun = Date.now();
  await webBridge.start();
  await until('back', async () => bridge.count('open') > opened && (await page.getByText('Reconnecting').count()) === 0, BACK_MS);
  const took = Date.now() - begun;
  const alive = await connections(page);
  assert.deepEqual(alive.map(({ number }) => number), [0], 'the same connection goes on');
  await until('more sound', async () => (await connections(page))[0].received > alive[0].received + 20);
  assert.ok(took < BACK_MS, `${took} ms`);
  return page;
}

export async function a_server_that_hangs_is_noticed({ browser, webBridge }) {
  const page = await person(browser);
  await enter(page);
  webBridge.child.kill('SIGSTOP');
  await page.getByText('Reconnecting').first().waitFor({ timeout: 15_000 });
  webBridge.child.kill('SIGCONT');
  await until('back', async () => (await page.getByText('Reconnecting').count()) === 0, BACK_MS);
  await until('one connection', async () => (await connections(page)).length === 1);
  return page;
}

export async function a_killed_call_bridge_is_rejoined({ browser, bridge }) {
  const page = await person(browser);
  await enter(page);
  await page.keyboard.press('m');
  await until('mute', () => bridge.legOf('Ann').muted);
  await until('sound', async () => (await connections(page))[0]?.received > 20);
  bridge.die();
  await wait(1000);
  const begun = Date.now();
  await bridge.stay();
  await until('a new connection', async () => (await connections(page)).some(({ number, received }) => number > 0 && received > 10), BACK_MS);
  await until('mute told again', () => bridge.legOf('Ann')?.muted);
  assert.ok(Date.now() - begun < BACK_MS);
  assert.equal((await connections(page)).length, 1);
  return page;
}

export async function a_page_loaded_again_is_back({ browser, bridge }) {
  const page = await person(browser);
  await enter(page);
  const { id } = bridge.legOf('Ann');
  await page.reload();
  await inside(page, BACK_MS);
  await until('sound', async () => (await connections(page))[0]?.received > 20);
  assert.equal(bridge.legOf('Ann').id, id);
  return page;
}

export async function words_follow_the_browser_and_the_choice({ browser }) {
  const page = await person(browser, { locale: 'ko-KR' });
  await page.goto(ORIGIN);
  await page.getByRole('heading', { name: '회의 참가' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
  await page.getByRole('combobox').selectOption('fr');
  await page.getByRole('heading', { name: 'Rejoindre une réunion' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Rejoindre une réunion' }).waitFor();
  return page;
}

export async function the_keyboard_is_enough({ browser, bridge }) {
  const page = await person(browser);
  await page.goto(`${ORIGIN}/meeting/1001`);
  await page.getByRole('heading', { name: 'Demo' }).waitFor();
  await until('the heading has the focus', () => page.evaluate(() => document.activeElement.tagName === 'H1'));
  const focused = () => page.evaluate(() => {
    const { ariaLabel, textContent, tagName } = document.activeElement;
    return ariaLabel || textContent || tagName;
  });
  const walk = async (steps) => {
    const stops = [];
    for (let i = 0; i < steps; i++) {
      await page.keyboard.press('Tab');
      stops.push(await focused());
    }
    return stops;
  };
  assert.deepEqual(await walk(3), ['Microphone', 'Camera', 'INPUT']);
  await page.keyboard.type('Kay');
  await page.keyboard.press('Enter');
  await inside(page);
  await page.getByRole('button', { name: 'Connection: good' }).waitFor();
  assert.deepEqual(await walk(10), [
    'Connection: good', 'Mute', 'Stop camera', 'Share screen', 'Raise hand', 'Speaker view', 'People', 'Chat', 'More', 'Leave',
  ]);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Sound and camera');
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'More');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Chat');
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'Chat');
  await page.getByRole('complementary').waitFor({ state: 'detached' });
  bridge.extras = [{ id: 'p1', name: 'Bob', muted: false, talking: false }];
  bridge.tellEverybody();
  await page.locator('[data-participant="p1"]').waitFor();
  await page.getByRole('heading', { name: 'Demo' }).focus();
  assert.deepEqual(await walk(4), ['Connection: good', 'Skip to the buttons', 'Keep Bob large', 'Bob in full screen']);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Mute');
  await page.getByRole('button', { name: 'Leave' }).focus();
  await page.keyboard.press('Enter');
  await until('left', () => bridge.legOf('Kay') === undefined);
  return page;
}

const crowd = ['Bo Andersson', 'Chloé Martin', '김지민', 'Board room 4', 'Dewi', 'Emre Yılmaz', 'Grace of the very long name that never ends'].map((name, i) => ({
  id: `crowd-${i}`, name, muted: i === 1, talking: i === 2, sip: i === 3, video: i % 3 !== 1, videoMuted: i === 4, hand: i === 5,
  remoteCamera: i === 3, ...(i === 3 ? { layout: 'allEqual' } : {}), colour: ['#7a4b3a', '#3a5f7a', '#4f7a3a', '#6a3a7a'][i % 4],
}));

const everyRight = {
  mayMuteOthers: true, mayDropOthers: true, mayLock: true, mayEnd: true, maySetLayout: true, mayMuteVideoOthers: true, mayControlCamera: true,
};

/** Every page, in two sizes and two colours: nothing wider than the window, nothing that axe finds. */
async function looked({ browser, bridge, picture }, name, options) {
  const page = await person(browser, options);
  const found = [];
  const look = async (what) => {
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: options.colorScheme });
    await picture(page, `${what}-${name}`);
    found.push(...(await axeProblems(page)).map((problem) => `${what}-${name}: ${problem}`));
    const { scrollWidth, innerWidth } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth, innerWidth: window.innerWidth,
    }));
    assert.ok(scrollWidth <= innerWidth, `${what}-${name} is ${scrollWidth} wide`);
  };
  bridge.rights = everyRight;
  bridge.extras = [];
  bridge.presenter = undefined;
  await page.goto(ORIGIN);
  await page.getByRole('heading').waitFor();
  await look('landing');
  await page.goto(`${ORIGIN}/meeting/1001`);
  await page.getByRole('heading', { name: 'Demo' }).waitFor();
  await look('prejoin');
  await enter(page);
  await until('sound', async () => (await connections(page)).length === 1);
  await look('alone');
  bridge.extras = crowd;
  bridge.tellEverybody();
  bridge.viewAll();
  await page.locator('[data-participant="crowd-0"] video.live').waitFor();
  await look('grid');
  bridge.present('crowd-0');
  await page.locator('[data-participant="content"] video.live').waitFor();
  await look('content');
  await press(page, 'Raise hand');
  await press(page, 'People');
  await look('people');
  await press(page, 'Chat');
  bridge.tellAll({ type: 'chat', participant: 'crowd-2', name: '김지민', text: '안녕하세요\nhello', time: 1_700_000_000 });
  await page.getByText('안녕하세요').waitFor();
  await look('chat');
  await page.keyboard.press('Escape');
  const { session } = bridge.legOf('Ann');
  bridge.send({ type: 'notice', session, text: 'The room closes at 18:00, please finish in time.', place: 'bottom' });
  bridge.send({ type: 'quality', session, level: 'poor' });
  bridge.mute(bridge.legOf('Ann'), true);
  await page.getByText('Somebody has muted you.').waitFor();
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await look('more');
  await page.getByRole('button', { name: 'Sound and camera' }).click();
  await page.getByRole('dialog').waitFor();
  await look('settings');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Connection: poor' }).click();
  await look('quality');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { name: 'You have left' }).waitFor();
  await look('over');
  assert.deepEqual(page.problems, []);
  await page.context().close();
  assert.deepEqual(found, []);
}

export async function axe_finds_nothing_serious_on_a_desk(world) {
  for (const colorScheme of ['light', 'dark']) await looked(world, `desktop-${colorScheme}`, { colorScheme, viewport: { width: 1100, height: 760 } });
}

export async function axe_finds_nothing_serious_on_a_phone(world) {
  for (const colorScheme of ['light', 'dark']) await looked(world, `phone-${colorScheme}`, { colorScheme, viewport: { width: 320, height: 640 } });
}

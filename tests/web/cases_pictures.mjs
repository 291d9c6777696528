// SPDX-License-Identifier: Apache-2.0
// What must be seen of pictures: tiles, views, sharing, chat, hands and rights.  The far end paints
// each person in a colour of their own; what is shown is read from screenshots.
import assert from 'node:assert/strict';
import { colourOf, connections, enter, inside, person, press } from './browser.mjs';
import { ORIGIN, until, wait } from './world.mjs';

const COLOURS = { red: [200, 0, 0], blue: [0, 0, 200], teal: [0, 150, 150], ochre: [180, 130, 0], pink: [220, 80, 180], gray: [110, 110, 110] };
const CAMERA_REPEAT_MS = 400; // of what is told while a button is held
const NAMES = ['Bea', 'Cy', 'Dan', 'Eve', 'Flo', 'Gus', 'Hal', 'Ida'];

/** So many others with pictures; the first is red, the second blue. */
function others(count, change = {}) {
  return NAMES.slice(0, count).map((name, i) => ({
    id: `id-${name}`, name, muted: false, talking: false, video: true, colour: `rgb(${Object.values(COLOURS)[i % 6].join(',')})`, ...change,
  }));
}

const tile = (page, name) => page.locator(`.stage [data-participant="${name === 'content' ? name : `id-${name}`}"]`);

async function shows(page, name, colour) {
  const place = tile(page, name);
  await place.locator('video.live').waitFor();
  await until(`${name} in ${colour}`, async () => {
    const seen = await colourOf(place);
    return COLOURS[colour].every((part, i) => Math.abs(part - seen[i]) < 40);
  });
}

const heights = (bridge) => Object.fromEntries((bridge.last('view')?.tiles ?? []).map(({ mid, height = 0 }) => [mid, height]));
const midOf = async (page, name) => tile(page, name).locator('video').getAttribute('data-mid');

async function meeting({ browser, bridge }, people, options) {
  bridge.extras = people;
  const page = await person(browser, options);
  await enter(page);
  await until('connected', async () => (await connections(page)).length === 1);
  return page;
}

// ---- Seeing others ----

export async function everybody_is_in_their_tile_and_moves(world) {
  const { bridge } = world;
  const page = await meeting(world, others(3));
  await shows(page, 'Bea', 'red');
  await shows(page, 'Cy', 'blue');
  await shows(page, 'Dan', 'teal');
  const time = () => tile(page, 'Bea').locator('video').evaluate((video) => video.currentTime);
  const before = await time();
  await until('motion', async () => (await time()) > before + 0.3);
  const offer = bridge.heard.find(({ type }) => type === 'offer');
  assert.match(offer.sdp, /a=simulcast:send l;m;h/);
  assert.equal(offer.sdp.match(/a=recvonly/g).length, 5);
  assert.doesNotMatch(offer.sdp, /ulpfec|flexfec|profile-id=2/);
  await until('own camera', async () => ((await world.far.frames(bridge.legOf('Ann').id))['1'] ?? 0) > 5);
  return page;
}

export async function a_camera_off_is_a_name_and_on_again_a_picture(world) {
  const { bridge } = world;
  const [bea] = others(1);
  const page = await meeting(world, [bea]);
  await shows(page, 'Bea', 'red');
  Object.assign(bea, { video: false, videoMuted: true });
  bridge.tellPerson(bea);
  await tile(page, 'Bea').locator('video').waitFor({ state: 'detached' });
  await tile(page, 'Bea').getByText('camera off').waitFor({ state: 'attached' });
  Object.assign(bea, { video: true, videoMuted: false });
  bridge.tellPerson(bea);
  await shows(page, 'Bea', 'red');
  return page;
}

export async function when_more_people_come_more_lines_are_offered(world) {
  const { bridge } = world;
  const page = await meeting(world, others(2));
  await shows(page, 'Cy', 'blue');
  bridge.extras = others(8);
  bridge.tellEverybody();
  await until('another offer', () => bridge.last('offer').revision === 2);
  await until('a view of ten', () => bridge.last('view').tiles.length === 10);
  await shows(page, 'Ida', 'blue');
  assert.equal((await connections(page)).length, 1, 'the same connection goes on');
  return page;
}

export async function small_tiles_are_asked_for_small(world) {
  const { bridge } = world;
  const page = await meeting(world, others(1));
  await shows(page, 'Bea', 'red');
  const mid = await midOf(page, 'Bea');
  await until('a large one', () => heights(bridge)[mid] === 720);
  bridge.extras = others(8);
  bridge.tellEverybody();
  await until('a small one', () => heights(bridge)[mid] === 270);
  await page.setViewportSize({ width: 500, height: 500 });
  await until('a smaller one', () => heights(bridge)[mid] === 180);
  return page;
}

export async function what_nobody_looks_at_is_not_asked_for(world) {
  const { bridge } = world;
  const page = await meeting(world, others(2), { viewport: { width: 320, height: 640 } });
  await shows(page, 'Bea', 'red');
  const all = () => Object.values(heights(bridge));
  await until('heights', () => all().some((height) => height > 0));
  await press(page, 'People');
  await until('nothing behind the panel', () => all().every((height) => height === 0));
  await page.keyboard.press('Escape');
  await until('heights again', () => all().some((height) => height > 0));
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until('nothing for a hidden page', () => all().every((height) => height === 0));
  return page;
}

export async function views_are_few_while_a_window_is_dragged_about(world) {
  const { bridge } = world;
  const page = await meeting(world, others(4));
  await shows(page, 'Eve', 'ochre');
  await wait(600);
  const before = bridge.count('view');
  const begun = Date.now();
  for (let width = 1000; width > 400; width -= 30) await page.setViewportSize({ width, height: 700 });
  await wait(600);
  const most = Math.ceil((Date.now() - begun) / 250) + 1;
  assert.ok(bridge.count('view') - before <= most, `${bridge.count('view') - before} views, ${most} at most`);
  return page;
}

export async function the_speaker_is_large_and_a_pin_keeps_somebody_else_so(world) {
  const { bridge } = world;
  const people = others(4);
  const page = await meeting(world, people);
  await shows(page, 'Eve', 'ochre');
  await press(page, 'Speaker view');
  const width = async (name) => (await tile(page, name).boundingBox()).width;
  const talk = (who, talking) => {
    who.talking = talking;
    bridge.tellPerson(who);
  };
  talk(people[1], true);
  await until('Cy is large', async () => (await width('Cy')) > 600);
  assert.equal(await page.locator('.place.talks').count(), 1);
  await until('Cy is asked for', () => bridge.last('view').tiles.some(({ participant, height }) => participant === 'id-Cy' && height >= 540));
  talk(people[1], false);
  talk(people[2], true);
  await until('Dan is large', async () => (await width('Dan')) > 600);
  await tile(page, 'Bea').hover();
  await tile(page, 'Bea').getByRole('button', { name: 'Keep Bea large' }).click();
  await until('Bea is large', async () => (await width('Bea')) > 600);
  talk(people[2], false);
  talk(people[3], true);
  await wait(400);
  assert.ok((await width('Bea')) > 600, 'whoever talks');
  await shows(page, 'Bea', 'red');
  await page.getByRole('button', { name: 'No longer keep Bea large' }).click();
  await until('Eve is large', async () => (await width('Eve')) > 600);
  await press(page, 'Grid view');
  await until('all equal', async () => Math.abs((await width('Eve')) - (await width('Bea'))) < 2);
  return page;
}

export async function who_must_be_seen_replaces_who_need_not(world) {
  const { bridge } = world;
  const people = others(8);
  const page = await meeting(world, people, { viewport: { width: 360, height: 640 } });
  await until('some are shown', async () => (await page.locator('.stage .place').count()) === 6);
  await page.getByRole('button', { name: 'and 3 more' }).waitFor();
  const before = await page.locator('.stage .place').evaluateAll((places) => places.map(({ dataset }) => dataset.participant));
  const late = people.find(({ id }) => !before.includes(id));
  late.talking = true;
  bridge.tellPerson(late);
  await tile(page, late.name).waitFor();
  const after = await page.locator('.stage .place').evaluateAll((places) => places.map(({ dataset }) => dataset.participant));
  assert.equal(after.filter((id, at) => id !== before[at]).length, 1, 'nobody else moved');
  return page;
}

export async function pictures_keep_their_shape(world) {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 320, height: 640 }]) {
    const page = await meeting(world, others(3), { viewport });
    await shows(page, 'Bea', 'red');
    for (const video of await page.locator('.stage video').all()) {
      const { fit, own, box } = await video.evaluate((element) => ({
        fit: getComputedStyle(element).objectFit, own: element.videoWidth / element.videoHeight, box: element.clientWidth / element.clientHeight,
      }));
      assert.ok(fit === 'contain' || fit === 'cover');
      if (fit === 'cover') assert.ok(own / box < 1.46 && box / own < 1.46, `${own} in ${box}`);
    }
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('heading', { name: 'You have left' }).waitFor();
  }
}

export async function full_screen_asks_for_all_of_it_and_for_nothing_else(world) {
  const { bridge } = world;
  const page = await meeting(world, others(2));
  await shows(page, 'Cy', 'blue');
  const mid = await midOf(page, 'Bea');
  await tile(page, 'Bea').hover();
  await tile(page, 'Bea').getByRole('button', { name: 'Bea in full screen' }).click();
  await until('only Bea', () => Object.entries(heights(bridge)).every(([line, height]) => (line === mid ? height >= 540 : height === 0 || height < 540)));
  await until('Bea fills the screen', () => page.evaluate(() => document.fullscreenElement?.dataset.participant === 'id-Bea'));
  await page.evaluate(() => document.exitFullscreen());
  await until('both', () => Object.values(heights(bridge)).filter((height) => height > 0).length > 1);
  return page;
}

// ---- One's own picture ----

/** Whoever comes from a link sees how to come in without having to look for it. */
export async function the_button_to_join_is_seen_at_once(world) {
  for (const viewport of [{ width: 1280, height: 720 }, { width: 1366, height: 768 }, { width: 1024, height: 640 }]) {
    const page = await person(world.browser, { viewport });
    await page.goto(`${ORIGIN}/meeting/1001`);
    await page.locator('.preview video.live').waitFor();
    const join = await page.getByRole('button', { name: 'Join' }).boundingBox();
    await world.picture(page, `join-${viewport.width}`);
    assert.ok(join.y + join.height + 32 <= viewport.height, `it ends ${viewport.height - join.y - join.height} above the edge of ${viewport.width}x${viewport.height}`);
    await page.goto(ORIGIN);
    await page.getByRole('heading').first().waitFor();
    await world.picture(page, `landing-${viewport.width}`);
    await page.context().close();
  }
}

export async function one_sees_oneself_mirrored_small_or_not_at_all(world) {
  const { bridge, browser } = world;
  const page = await person(browser);
  await page.goto(`${ORIGIN}/meeting/1001`);
  await page.locator('.preview video.live.mirrored').waitFor();
  await page.getByLabel('Your name').fill('Ann');
  bridge.extras = others(1);
  await page.getByRole('button', { name: 'Join' }).click();
  await inside(page);
  const own = page.locator('.own-place');
  await own.locator('video.live').waitFor();
  await until('small over the other', async () => (await own.boundingBox()).width < 300);
  await press(page, 'Sound and camera');
  await page.getByLabel('Mirror my picture for me').uncheck();
  await own.locator('video.mirrored').waitFor({ state: 'detached' });
  await page.getByLabel('Hide my own picture').check();
  await own.waitFor({ state: 'detached' });
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem('convoke.preferences')).selfHidden), true);
  return page;
}

export async function the_camera_is_chosen_switched_and_remembered(world) {
  const { bridge, far } = world;
  const page = await meeting(world, []);
  const track = () => page.evaluate(() => window.connections.at(-1).getSenders()[1].track?.label);
  assert.ok(await track());
  await page.keyboard.press('v');
  await page.getByRole('button', { name: 'Start camera' }).waitFor();
  await until('told', () => bridge.last('camera').on === false);
  await until('its light is out', async () => (await track()) === undefined);
  await page.keyboard.press('Control+e');
  await page.getByRole('button', { name: 'Stop camera' }).waitFor();
  await until('told', () => bridge.last('camera').on === true);
  const before = (await far.frames(bridge.legOf('Ann').id))['1'] ?? 0;
  await until('frames again', async () => ((await far.frames(bridge.legOf('Ann').id))['1'] ?? 0) > before + 3);
  await page.keyboard.press('v');
  await until('told', () => bridge.last('camera').on === false);
  await page.reload();
  await inside(page);
  await page.getByRole('button', { name: 'Start camera' }).waitFor();
  await until('an offer', () => bridge.count('offer') === 2);
  await wait(300);
  assert.equal(bridge.count('offer'), 2, 'none for switching the camera');
  return page;
}

export async function without_a_camera_one_joins_and_sees_the_others(world) {
  const { browser, bridge } = world;
  bridge.extras = others(1);
  const page = await person(browser, { camera: false });
  await page.goto(`${ORIGIN}/meeting/1001`);
  await page.getByText('No camera was found.').waitFor();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Join' }).click();
  await inside(page);
  await shows(page, 'Bea', 'red');
  assert.equal(bridge.last('camera').on, false);
  await page.getByRole('button', { name: 'Start camera' }).click();
  await page.getByRole('dialog').getByText('No camera was found.').waitFor();
  return page;
}

export async function a_bridge_without_pictures_gets_sound_alone(world) {
  world.bridge.tilesMax = 0;
  const page = await meeting(world, others(1, { video: false }));
  assert.doesNotMatch(world.bridge.last('offer').sdp, /m=video/);
  assert.equal(await page.getByRole('button', { name: /camera/i }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Share screen' }).count(), 0);
  return page;
}

export async function others_may_switch_a_camera_off_but_not_on(world) {
  const { bridge } = world;
  const page = await meeting(world, []);
  await page.getByRole('button', { name: 'Stop camera' }).waitFor();
  const ann = bridge.legOf('Ann');
  bridge.act({ action: 'muteVideo', participant: ann.id });
  await page.getByText('Somebody has switched your camera off.').waitFor();
  await page.getByRole('button', { name: 'Start camera' }).waitFor();
  bridge.act({ action: 'unmuteVideo', participant: ann.id });
  await page.getByText('Somebody has switched your camera off.').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Start camera' }).click();
  await until('on', () => bridge.last('camera').on);
  bridge.tellVideoMuted({ ...ann, videoMuted: true }, true, false);
  await page.getByText('You cannot switch it on just now.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Start camera' }).isDisabled());
  return page;
}

export async function a_codec_may_be_chosen_by_the_address(world) {
  for (const [codec, name] of [['vp8', 'VP8'], ['h264', 'H264'], ['vp9', 'VP9'], ['av1', 'AV1']]) {
    const page = await person(world.browser);
    await page.goto(`${ORIGIN}/meeting/1001?codec=${codec}`);
    await page.getByLabel('Your name').fill('Ann');
    await page.getByRole('button', { name: 'Join' }).click();
    await inside(page);
    await until('an offer', () => world.bridge.count('offer') === 1);
    const video = world.bridge.last('offer').sdp.split(/(?=^m=)/m).filter((section) => section.startsWith('m=video'));
    const offered = new Set(video.flatMap((section) => [...section.matchAll(/a=rtpmap:\d+ (\w+)\/90000/g)].map((match) => match[1])));
    offered.delete('rtx');
    assert.deepEqual([...offered], [name]);
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('heading', { name: 'You have left' }).waitFor();
    world.bridge.heard = [];
  }
}

// ---- Screens ----

export async function a_shared_screen_is_large_with_people_beside(world) {
  const { bridge } = world;
  const page = await meeting(world, others(3));
  await shows(page, 'Bea', 'red');
  bridge.present('id-Bea');
  await shows(page, 'content', 'blue');
  await page.getByText('Bea is sharing').first().waitFor();
  await page.getByRole('log').filter({ hasText: 'Bea is sharing a screen' }).waitFor({ state: 'attached' });
  await until('large', async () => (await tile(page, 'content').boundingBox()).width > 600);
  assert.equal(await tile(page, 'content').locator('video').evaluate((video) => getComputedStyle(video).objectFit), 'contain');
  await shows(page, 'Bea', 'red');
  await until('a large one', () => bridge.last('view').tiles.some((one) => one.content && one.participant === 'id-Bea' && one.height >= 540));
  await press(page, 'Grid view');
  await until('no larger', async () => (await tile(page, 'content').boundingBox()).width < 600);
  bridge.present(undefined);
  await tile(page, 'content').waitFor({ state: 'detached' });
  await until('no line for it', () => bridge.last('view').tiles.every((one) => one.content === undefined));
  return page;
}

export async function a_screen_is_sent_once_the_floor_is_given(world) {
  const { bridge, far } = world;
  const page = await meeting(world, []);
  await press(page, 'Share screen');
  await page.getByText('You are sharing your screen.').waitFor();
  await until('a line for it', () => /a=content:slides/.test(bridge.last('offer').sdp));
  const section = bridge.last('offer').sdp.split(/(?=^m=)/m).find((one) => one.includes('content:slides'));
  assert.match(section, /a=sendonly/);
  const [, mid] = /a=mid:(\S+)/.exec(section);
  const leg = bridge.legOf('Ann').id;
  await until('frames', async () => ((await far.frames(leg))[mid] ?? 0) > 5);
  await press(page, 'Stop sharing');
  await until('told', () => bridge.last('share').on === false);
  await page.getByText('You are sharing your screen.').waitFor({ state: 'detached' });
  const offers = bridge.count('offer');
  await press(page, 'Share screen');
  await page.getByText('You are sharing your screen.').waitFor();
  const before = (await far.frames(leg))[mid];
  await until('frames again', async () => (await far.frames(leg))[mid] > before + 3);
  assert.equal(bridge.count('offer'), offers, 'the line is used again');
  await page.evaluate(() => window.shared.getVideoTracks()[0].dispatchEvent(new Event('ended')));
  await until('told', () => bridge.last('share').on === false);
  return page;
}

export async function sharing_is_refused_taken_over_or_thought_better_of(world) {
  const { bridge, browser } = world;
  bridge.floor = 'notAllowed';
  const page = await meeting(world, others(1));
  await press(page, 'Share screen');
  await page.getByText('You may not share a screen in this meeting.').waitFor();
  await until('it is not captured', () => page.evaluate(() => window.shared.getVideoTracks()[0].readyState === 'ended'));
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText('You may not share a screen').waitFor({ state: 'detached' });
  bridge.floor = 'granted';
  await press(page, 'Share screen');
  await page.getByText('You are sharing your screen.').waitFor();
  bridge.present('id-Bea');
  await page.getByText('Somebody else shares now').waitFor();
  await shows(page, 'content', 'blue');
  const shares = bridge.count('share');
  const other = await person(browser, { screen: 'cancel' });
  await enter(other, { name: 'Zoe' });
  await press(other, 'Share screen');
  await wait(300);
  assert.equal(bridge.count('share'), shares);
  const third = await person(browser, { screen: 'no' });
  await enter(third, { name: 'Yan' });
  assert.equal(await third.getByRole('button', { name: 'Share screen' }).count(), 0);
  return page;
}

// ---- Together ----

export async function what_is_written_reaches_all_and_is_marked_until_read(world) {
  const { bridge, browser } = world;
  const page = await meeting(world, []);
  const other = await person(browser);
  await enter(other, { name: 'Bob' });
  await press(other, 'Chat');
  await other.getByLabel('Message to everybody').fill('<b>hello</b>');
  await other.keyboard.press('Enter');
  await other.getByText('<b>hello</b>').waitFor();
  const mark = page.getByRole('button', { name: 'Chat, 1 new message' });
  await mark.waitFor();
  await page.getByRole('log').filter({ hasText: 'Bob has written' }).waitFor({ state: 'attached' });
  await mark.click();
  await page.getByRole('log', { name: 'Messages' }).getByText('<b>hello</b>').waitFor();
  await page.getByRole('button', { name: 'Chat', exact: true }).waitFor();
  const field = page.getByLabel('Message to everybody');
  await field.focus();
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two m');
  await page.getByRole('button', { name: 'Send' }).click();
  await until('said', () => bridge.last('say')?.text === 'one\ntwo m');
  await until('the field is empty', async () => (await field.inputValue()) === '');
  assert.equal(await page.getByRole('button', { name: 'Mute', exact: true }).count(), 1, 'no shortcut while one writes');
  await field.fill('가'.repeat(400));
  await until('what is too long is not taken', async () => (await field.inputValue()) === '');
  return page;
}

export async function hands_are_raised_seen_and_lowered(world) {
  const { bridge, browser } = world;
  bridge.rights = { mayMuteOthers: true };
  const page = await meeting(world, []);
  const other = await person(browser);
  await enter(other, { name: 'Bob' });
  await press(other, 'Raise hand');
  await page.getByRole('log').filter({ hasText: 'Bob has raised a hand' }).waitFor({ state: 'attached' });
  const { id } = bridge.legOf('Bob');
  await page.locator(`.stage [data-participant="${id}"]`).getByText('hand raised').waitFor({ state: 'attached' });
  await press(page, 'People');
  await page.getByRole('button', { name: 'Lower the hand of Bob' }).click();
  await other.getByRole('button', { name: 'Raise hand' }).waitFor();
  await page.locator(`.stage [data-participant="${id}"]`).getByText('hand raised').waitFor({ state: 'detached' });
  return page;
}

export async function hosts_do_what_their_rights_allow(world) {
  const { bridge } = world;
  bridge.rights = { mayMuteOthers: true, mayMuteVideoOthers: true, maySetLayout: true, mayControlCamera: true };
  const [room, bea] = others(2);
  Object.assign(room, { sip: true, remoteCamera: true, layout: 'allEqual' });
  const page = await meeting(world, [room, bea, { id: 'w', name: 'Will', lobby: true }]);
  await press(page, 'People');
  await page.getByRole('button', { name: 'Switch the camera of Cy off' }).click();
  await page.getByRole('button', { name: 'Let Cy switch the camera on' }).waitFor();
  await page.getByLabel('Layout for Bea').selectOption({ label: 'One large, 5 small' });
  await until('layout', () => bridge.last('layout')?.layout === 'onePlusFive');
  assert.equal(bridge.last('layout').participant, 'id-Bea');
  await page.getByRole('button', { name: 'Let Will in' }).click();
  await until('admitted', () => bridge.heard.some(({ action }) => action === 'admit'));
  assert.equal(await page.getByLabel('Layout for Cy').count(), 0);
  return page;
}

export async function without_rights_there_is_nothing_to_press(world) {
  world.bridge.rights = { mayChat: false, mayRaiseHand: false, mayShare: false };
  const people = others(2, { remoteCamera: true, sip: true, layout: 'allEqual' });
  const page = await meeting(world, people);
  await press(page, 'People');
  await page.getByRole('complementary').getByText('Bea').waitFor();
  for (const name of [/^Mute /, /Switch the camera of/, /Remove/, /Move the camera/, 'Chat', 'Raise hand', 'Share screen'])
    assert.equal(await page.getByRole('button', { name }).count(), 0, String(name));
  assert.equal(await page.getByRole('combobox').count(), 0);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  for (const name of ['Lock the meeting', 'End for everybody']) assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  return page;
}

export async function a_rooms_camera_moves_while_a_button_is_held(world) {
  const { bridge } = world;
  bridge.rights = { mayControlCamera: true };
  const page = await meeting(world, others(1, { sip: true, remoteCamera: true }));
  await tile(page, 'Bea').hover();
  await tile(page, 'Bea').getByRole('button', { name: 'Move the camera of Bea' }).click();
  const moves = () => bridge.heard.filter(({ type }) => type === 'remoteCamera');
  await page.getByRole('button', { name: 'Left' }).hover();
  const begun = Date.now();
  await page.mouse.down();
  await until('it goes on', () => moves().length >= 3);
  await page.mouse.up();
  await until('a stop', () => moves().at(-1)?.pan === undefined && moves().length > 0);
  const most = Math.ceil((Date.now() - begun) / CAMERA_REPEAT_MS) + 2;
  assert.ok(moves().length <= most, `${moves().length} of ${most}`);
  assert.ok(moves().slice(0, -1).every(({ pan, participant }) => pan === -1 && participant === 'id-Bea'));
  await page.keyboard.down('ArrowUp');
  await until('up', () => moves().at(-1).tilt === 1);
  await page.keyboard.up('ArrowUp');
  await until('a stop', () => moves().at(-1).tilt === undefined);
  await page.getByRole('button', { name: 'Closer' }).focus();
  await page.keyboard.down('Enter');
  await until('zoom', () => moves().at(-1).zoom === 1);
  await page.keyboard.up('Enter');
  await until('a stop', () => moves().at(-1).zoom === undefined);
  return page;
}

export async function messages_and_quality_of_the_bridge_are_shown(world) {
  const { bridge } = world;
  const page = await meeting(world, others(1));
  const { session } = bridge.legOf('Ann');
  for (const place of ['top', 'middle', 'bottom']) {
    bridge.send({ type: 'notice', session, text: `Please end ${place}`, place });
    const banner = page.locator(`.banner.${place}[role="status"]`);
    await banner.getByText(`Please end ${place}`).waitFor();
  }
  bridge.send({ type: 'notice', session, text: '', place: 'top' });
  await page.getByText('Please end').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Connection: good' }).waitFor();
  bridge.send({ type: 'quality', session, level: 'poor' });
  await page.getByRole('button', { name: 'Connection: poor' }).click();
  const window = page.getByRole('dialog');
  await window.getByText('Much of it is lost').waitFor();
  await until('figures', async () => /\d+ kbit\/s/.test(await window.innerText()));
  return page;
}

export async function pictures_come_back_after_either_bridge_was_away(world) {
  const { bridge, far, webBridge } = world;
  const page = await meeting(world, others(2));
  await shows(page, 'Bea', 'red');
  await press(page, 'Share screen');
  await until('it is sent', async () => Object.values(await far.frames(bridge.legOf('Ann').id)).filter((frames) => frames > 3).length === 2);
  await webBridge.stop('SIGKILL');
  await page.getByText('Reconnecting').first().waitFor();
  await webBridge.start();
  await until('back', async () => (await page.getByText('Reconnecting').count()) === 0);
  await until('the view is told again', () => bridge.heard.slice(bridge.heard.findLastIndex(({ type }) => type === 'open')).some(({ type }) => type === 'view'));
  assert.equal((await connections(page))[0].number, 0, 'the same connection goes on');
  await shows(page, 'Bea', 'red');
  bridge.die();
  bridge.presenter = undefined;
  await wait(500);
  await bridge.stay();
  await until('a new connection', async () => (await connections(page)).some(({ number }) => number > 0));
  await until('the floor again', () => bridge.presenter === bridge.legOf('Ann')?.id);
  await until('camera and screen', () => bridge.legOf('Ann').video && /content:slides/.test(bridge.last('offer').sdp));
  await shows(page, 'Bea', 'red');
  return page;
}

export async function words_are_in_three_languages_in_the_meeting(world) {
  for (const [locale, word] of [['ko-KR', '화면 공유'], ['fr-FR', 'Partager l’écran']]) {
    const page = await person(world.browser, { locale });
    await page.goto(`${ORIGIN}/meeting/1001`);
    await page.locator('input').first().fill('Ann');
    await page.keyboard.press('Enter');
    await inside(page);
    await page.getByRole('button', { name: word }).waitFor();
    const text = await page.evaluate(() => document.body.innerText);
    assert.doesNotMatch(text, /\b(Mute|Camera|Share|Hand|Speaker|More|Leave|Good)\b/);
    await page.context().close();
  }
}

// SPDX-License-Identifier: Apache-2.0
// Signing in, and what is one's own, in a browser.
import assert from 'node:assert/strict';
import { axeProblems, inside, person } from './browser.mjs';
import { fetchText, ORIGIN, until } from './world.mjs';

const json = (response) => JSON.parse(String(response.body));

export async function sign_ins_and_questions_go_by_http({ bridge }) {
  const post = (path, body, headers = {}) => fetchText(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body });
  assert.deepEqual(json(await fetchText('/api/options')), { signIn: true, guests: true, providers: [] });
  assert.equal((await fetchText('/api/cospaces')).status, 401);
  const wrong = await post('/api/auth', '{"username":"ann@example.com","password":"x"}');
  assert.equal(wrong.status, 401);
  assert.deepEqual(json(wrong), { error: 'wrongLogin' });
  assert.equal(wrong.headers['www-authenticate'], undefined);
  for (const body of ['', '{}', '{"username":"ann@example.com"}', '[]', '{"username":"a","password":1}'])
    assert.equal((await post('/api/auth', body)).status, 400, body);
  assert.equal((await post('/api/auth', 'x'.repeat(100_000))).status, 413);
  assert.equal((await fetchText('/api/auth')).status, 405);
  const right = await post('/api/auth', '{"username":"ann@example.com","password":"secret","trace":false}');
  assert.equal(right.status, 200);
  assert.equal(right.headers['cache-control'], 'no-store');
  const { token, name, jid } = json(right);
  assert.deepEqual([name, jid], ['Ann Lee', 'ann@example.com']);
  const Authorization = `Bearer ${token}`;
  const listed = json(await fetchText('/api/cospaces?offset=1', { headers: { Authorization } }));
  assert.equal(listed.cospaces.length, 1);
  const { id } = listed.cospaces[0];
  assert.equal((await fetchText(`/api/cospaces/${id}`, { method: 'PUT', headers: { Authorization }, body: '{"name":"x"}' })).status, 200);
  assert.equal(bridge.last('ask').body, '{"name":"x"}');
  assert.equal(bridge.last('ask').address, '127.0.0.1');
  const elsewhere = { Authorization, Origin: 'https://evil.example' };
  assert.equal((await fetchText(`/api/cospaces/${id}`, { method: 'DELETE', headers: elsewhere })).status, 403);
  assert.equal((await fetchText(`/api/cospaces/${id}`, { method: 'PATCH', headers: { Authorization } })).status, 405);
  assert.equal((await fetchText(`/api/${'x'.repeat(2000)}`, { headers: { Authorization } })).status, 400);
  assert.equal(bridge.portal.spaces.length, 2);
}

async function signIn(page, { username = 'ann@example.com', password = 'secret' } = {}) {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}

async function home(browser, options) {
  const page = await person(browser, options);
  await page.goto(`${ORIGIN}/signin`);
  await signIn(page);
  await page.getByRole('heading', { name: 'My spaces' }).waitFor();
  return page;
}

export async function a_wrong_password_is_told_and_the_right_one_opens_home({ browser, bridge }) {
  const page = await person(browser);
  await page.goto(ORIGIN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Please type your user name.').waitFor();
  await signIn(page, { password: 'wrong' });
  await page.getByRole('alert').getByText('do not fit together').waitFor();
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'password');
  for (const [reason, words] of [['noDirectory', 'cannot be reached'], ['lockedOut', 'Too many wrong'], ['passwordExpired', 'has expired'], ['noSignIn', 'Nobody can sign in']]) {
    bridge.portal.refusal = reason;
    await signIn(page);
    await page.getByRole('alert').getByText(words).waitFor();
  }
  bridge.portal.refusal = undefined;
  await signIn(page);
  await page.getByRole('heading', { name: 'My spaces' }).waitFor();
  await page.getByRole('link', { name: 'Design & build' }).waitFor();
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie), /secret"/);
  await page.reload();
  await page.getByRole('link', { name: 'Design & build' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Join a meeting' }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.goto(`${ORIGIN}/spaces`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  return page;
}

export async function who_goes_elsewhere_comes_back_signed_in({ browser, bridge }) {
  bridge.portal.options = { signIn: true, guests: true, providers: [{ id: 'p-1', name: 'Example' }] };
  const page = await person(browser);
  const go = async () => {
    await page.goto(`${ORIGIN}/signin`);
    await page.getByRole('button', { name: 'Sign in with Example' }).click();
    await page.waitForURL(`${ORIGIN}/health?for=p-1`);
  };
  bridge.portal.refusal = 'noDirectory';
  await page.goto(`${ORIGIN}/signin`);
  await page.getByRole('button', { name: 'Sign in with Example' }).click();
  await page.getByRole('alert').getByText('cannot be reached').waitFor();
  bridge.portal.refusal = undefined;

  await go();
  assert.equal(bridge.last('signInElsewhere').back, `${ORIGIN}/signin`);
  await page.goto(`${ORIGIN}/signin?state=state-1&error=access_denied`);
  await page.getByRole('alert').getByText('not known here').waitFor();
  assert.equal(bridge.last('signInElsewhere').error, 'access_denied');
  assert.equal(await page.evaluate(() => location.search), '');
  /* A state serves once, and another's not at all: it is not even asked. */
  const asked = bridge.last('signInElsewhere');
  for (const state of ['state-1', 'state-2']) {
    await page.goto(`${ORIGIN}/signin?state=${state}&code=code-1`);
    await page.getByRole('alert').getByText('Please sign in again').waitFor();
  }
  assert.equal(bridge.last('signInElsewhere'), asked);

  await go();
  await page.goto(`${ORIGIN}/signin?state=state-1&code=code-1`);
  await page.getByRole('link', { name: 'Design & build' }).waitFor();
  assert.equal(await page.evaluate(() => location.pathname + location.search), '/spaces');
  return page;
}

export async function nobody_is_offered_what_the_server_does_not_have({ browser, bridge }) {
  bridge.portal.options = { signIn: false, guests: false, providers: [] };
  const page = await person(browser);
  await page.goto(ORIGIN);
  await page.getByText('Only people who are signed in may join here.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Sign in' }).count(), 0);
  return page;
}

export async function who_is_signed_in_joins_their_space_under_their_own_name({ browser, bridge }) {
  const page = await home(browser);
  await page.getByRole('button', { name: 'Join Design & build' }).click();
  await page.getByText('You join as Ann Lee.').waitFor();
  await page.getByRole('heading', { name: 'Design & build' }).waitFor();
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await inside(page);
  const join = bridge.last('join');
  assert.equal(join.space, bridge.portal.spaces[0].id);
  assert.equal(join.address, undefined);
  assert.match(join.auth, /\./);
  assert.equal(join.name, 'Ann Lee');
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { name: 'You have left' }).waitFor();
  await page.getByRole('button', { name: 'To my spaces' }).click();
  await page.getByRole('heading', { name: 'My spaces' }).waitFor();
  /* By an address: a passcode is asked for only when it is needed. */
  await page.goto(`${ORIGIN}/meeting/2002`);
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  assert.equal(await page.getByLabel('Passcode').count(), 0);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.getByLabel('Passcode').fill('1234');
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await inside(page);
  assert.match(bridge.last('join').auth, /\./);
  return page;
}

export async function a_space_is_made_changed_and_deleted({ browser, bridge }) {
  const page = await home(browser);
  await page.getByRole('button', { name: 'New space' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('Please give it a name.').waitFor();
  await dialog.getByText('A host, and guests').waitFor();
  await dialog.getByLabel('Name').fill('Reading circle');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Reading circle' }).waitFor();
  assert.equal(bridge.portal.spaces.at(-1).name, 'Reading circle');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  await dialog.getByLabel('Passcode').fill('1');
  bridge.portal.failure = [400, { error: 'passcodeTooShort', field: 'passcode' }];
  await page.keyboard.press('Enter');
  await dialog.getByText('This passcode is too short.').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.value), '1');
  bridge.portal.failure = undefined;
  await dialog.getByLabel('Passcode').fill('2468');
  await page.keyboard.press('Enter');
  await page.getByRole('definition').getByText('2468').waitFor();
  assert.equal(bridge.last('ask').method, 'get');
  assert.deepEqual(JSON.parse(bridge.heard.findLast(({ method }) => method === 'put').body), { passcode: '2468' });
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByText('for good').waitFor();
  await page.keyboard.press('Escape');
  await until('no dialog', async () => (await dialog.count()) === 0);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'My spaces' }).waitFor();
  assert.equal(bridge.portal.spaces.length, 2);
  return page;
}

export async function members_are_found_added_and_given_rights({ browser, bridge }) {
  const page = await home(browser);
  await page.getByRole('link', { name: 'Design & build' }).click();
  await page.getByRole('heading', { name: 'Members (1)' }).waitFor();
  await page.getByRole('button', { name: 'Add a member' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('User name').fill('nobody@example.com');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('There is nobody with this user name.').waitFor();
  await dialog.getByLabel('User name').fill('ki');
  await dialog.getByRole('button', { name: 'Ben Kim (ben@example.com)' }).click();
  await dialog.getByLabel('Change names').check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Members (2)' }).waitFor();
  const [space] = bridge.portal.spaces;
  assert.deepEqual(space.people[1].rights, ['canChangeName', 'canRemoveSelf']);
  await page.getByRole('button', { name: 'Rights of Ben Kim' }).click();
  assert.equal(await dialog.getByLabel('Change names').isChecked(), true);
  await dialog.getByLabel('Change names').uncheck();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await until('the right is gone', () => space.people[1].rights.join() === 'canRemoveSelf');
  await page.getByRole('button', { name: 'Remove Ben Kim' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('heading', { name: 'Members (1)' }).waitFor();
  return page;
}

export async function invitations_are_copied_in_the_language_chosen({ browser }) {
  const page = await home(browser, { permissions: ['clipboard-read', 'clipboard-write', 'microphone', 'camera'] });
  await page.getByRole('link', { name: 'Design & build' }).click();
  await page.getByRole('button', { name: 'Invite: Guests' }).click();
  const dialog = page.getByRole('dialog');
  await until('English', async () => (await dialog.getByRole('textbox').inputValue()).startsWith('en_US'));
  await dialog.getByLabel('Language of the invitation').selectOption('ko');
  await until('Korean', async () => (await dialog.getByRole('textbox').inputValue()).startsWith('ko_KR'));
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('log').getByText('Copied').waitFor({ state: 'attached' });
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^ko_KR: Design & build\n/);
  return page;
}

export async function who_has_no_rights_is_shown_no_buttons_for_them({ browser, bridge }) {
  const page = await home(browser);
  await page.getByRole('link', { name: '가족 회의' }).click();
  await page.getByText('2 people are in it').waitFor();
  for (const name of ['Change', 'Delete', 'Add a member', 'Add a way in']) assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  /* Deleted meanwhile; then the sign-in is over. */
  bridge.portal.spaces = [];
  await page.reload();
  await page.getByRole('alert').getByText('not there any more').waitFor();
  bridge.portal.over = true;
  await page.getByRole('button', { name: 'To my spaces' }).click();
  await page.getByRole('alert').getByText('Your sign-in is over.').waitFor();
  bridge.portal.over = false;
  await signIn(page);
  await page.getByText('You have no space yet.').waitFor();
  return page;
}

export async function open_spaces_of_the_organisation_are_found({ browser }) {
  const page = await home(browser);
  await page.getByLabel('A part of the name').fill('nowhere');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was found.').waitFor();
  await page.getByLabel('A part of the name').fill('town');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByRole('button', { name: 'Join Town hall' }).click();
  await page.getByRole('heading', { name: 'Demo' }).waitFor();
  await page.getByText('You join as Ann Lee.').waitFor();
  return page;
}

export async function pages_of_who_is_signed_in_fit_everywhere({ browser, picture }) {
  const found = [];
  for (const [name, viewport] of [['desktop', { width: 1100, height: 760 }], ['phone', { width: 320, height: 640 }]])
    for (const colorScheme of ['light', 'dark']) {
      const page = await person(browser, { viewport, colorScheme });
      await page.emulateMedia({ reducedMotion: 'reduce', colorScheme });
      const look = async (what) => {
        await picture(page, `${what}-${name}-${colorScheme}`);
        found.push(...(await axeProblems(page)).map((problem) => `${what}-${name}-${colorScheme}: ${problem}`));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${what}-${name} is ${width} wide`);
      };
      await page.goto(`${ORIGIN}/signin`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await look('signin');
      await signIn(page);
      await page.getByRole('link', { name: 'Design & build' }).waitFor();
      await look('spaces');
      await page.getByRole('link', { name: 'Design & build' }).click();
      await page.getByRole('heading', { name: 'Members (1)' }).waitFor();
      await look('space');
      for (const button of ['Change', 'Invite', 'Add a member', 'Add a way in', 'Delete']) {
        await page.getByRole('button', { name: button, exact: true }).click();
        await page.getByRole('dialog').waitFor();
        await look(button.toLowerCase().replaceAll(' ', '-'));
        await page.keyboard.press('Escape');
      }
      assert.deepEqual(page.problems, []);
      await page.context().close();
    }
  assert.deepEqual(found, []);
}

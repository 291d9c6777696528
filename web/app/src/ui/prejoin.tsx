// SPDX-License-Identifier: Apache-2.0
// Before the meeting: name, passcode, microphone and speaker.

import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../app';
import { spaceOfAddress } from '../portal';
import type { Problem } from '../session';
import { NAME_MAX } from './landing';
import { Devices, Field, Page, Preview, Title } from './parts';

const PASSCODE_MAX = 60;

interface Found {
  readonly name?: string;
  readonly passcodeRequired?: boolean;
  readonly error?: Problem;
}

/** What is known of a meeting before one joins. */
function useMeeting(address: string, secret: string): Found | undefined {
  const { portal } = useApp();
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    const space = spaceOfAddress(address);
    if (space !== undefined) {
      let wanted = true;
      void portal.ask<{ name?: string }>('GET', `cospaces/${encodeURIComponent(space)}`).then(({ value, problem }) => {
        if (!wanted) return;
        if (problem === 'notFound') setFound({ error: 'unknownMeeting' });
        else setFound(value?.name === undefined ? {} : { name: value.name });
      });
      return () => {
        wanted = false;
      };
    }
    const abort = new AbortController();
    const query = new URLSearchParams(secret === '' ? { address } : { address, secret });
    fetch(`/api/meeting?${query.toString()}`, { signal: abort.signal })
      .then(async (response) => setFound((await response.json()) as Found))
      .catch(() => {
        if (!abort.signal.aborted) setFound({ error: 'network' });
      });
    return () => abort.abort();
  }, [address, secret, portal]);
  return found;
}

function isAboutPasscode(problem: Problem | undefined): boolean {
  return problem === 'passcodeRequired' || problem === 'passcodeIncorrect';
}

/** An id says nothing to people. */
function shownAddress(address: string): string {
  return spaceOfAddress(address) === undefined ? address : '';
}

/** On the way in: nothing to do but wait, or change one's mind. */
function Waiting() {
  const app = useApp();
  const { strings } = app;
  const { session } = app.shell;
  return (
    <Page>
      <Title>{session.meeting || shownAddress(app.route.address) || strings.meeting}</Title>
      <p class="lead" role="status">
        {session.problem === undefined ? strings.joining : strings.problems[session.problem]}
      </p>
      <button type="button" class="quiet" onClick={() => app.shell.happen({ on: 'leave' })}>
        {strings.cancel}
      </button>
    </Page>
  );
}

export function Prejoin() {
  const app = useApp();
  const { strings, route, portal } = app;
  const { user } = portal;
  const { session, microphone } = app.shell;
  const found = useMeeting(route.address, route.secret);
  const [typed, setName] = useState(app.preferences.name);
  const name = user?.name ?? typed;
  const [passcode, setPasscode] = useState('');
  const [missing, setMissing] = useState<'name' | 'passcode'>();
  useEffect(() => {
    void app.openMicrophone().then(() => (app.preferences.cameraOn ? app.openCamera() : undefined));
  }, [app]);

  if (session.phase === 'joining' || session.phase === 'connecting') return <Waiting />;

  /* What keeps guests out may not keep out who is signed in: that is seen when they join. */
  const kept = user !== undefined && found?.error === 'notAllowed' ? undefined : found?.error;
  const problem = session.problem ?? kept;
  const asks = isAboutPasscode(session.problem) || (user === undefined && found?.passcodeRequired === true);
  const passcodeError =
    missing === 'passcode' && passcode === ''
      ? strings.problems.passcodeRequired
      : session.problem === 'passcodeIncorrect'
        ? strings.problems.passcodeIncorrect
        : undefined;
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return setMissing('name');
    if (asks && passcode === '') return setMissing('passcode');
    app.join(name, asks ? passcode : undefined);
  };
  return (
    <Page wide>
      <Title>{found?.name || session.meeting || shownAddress(route.address)}</Title>
      <p class="lead" role="status">
        {found === undefined ? strings.checking : strings.getReady}
      </p>
      {problem !== undefined && !isAboutPasscode(problem) && (
        <p class="trouble" role="alert">
          {strings.problems[problem]}
        </p>
      )}
      <div class="ready">
        <Preview name={name} />
        <form onSubmit={submit} noValidate>
          {user !== undefined ? (
            <p class="identity">{strings.portal.joinsAs(user.name)}</p>
          ) : (
            <Field
              label={strings.yourName}
              value={name}
              change={setName}
              hint={strings.nameHint}
              error={missing === 'name' && name.trim() === '' ? strings.nameNeeded : undefined}
              autocomplete="name"
              maxLength={NAME_MAX}
            />
          )}
          {asks && (
            <Field
              label={strings.passcode}
              value={passcode}
              change={setPasscode}
              type="password"
              hint={strings.problems.passcodeRequired}
              error={passcodeError}
              maxLength={PASSCODE_MAX}
            />
          )}
          <div class="row">
            <button type="submit" class="main">
              {microphone.problem === undefined ? strings.join : strings.joinListening}
            </button>
          </div>
        </form>
        <Devices />
      </div>
      <button
        type="button"
        class="plain"
        onClick={() => {
          app.putAway();
          if (user === undefined) app.go('');
          else app.visit('/spaces');
        }}
      >
        {user === undefined ? strings.back : strings.portal.toSpaces}
      </button>
    </Page>
  );
}

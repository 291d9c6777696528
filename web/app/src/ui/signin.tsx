// SPDX-License-Identifier: Apache-2.0
// Signing in, by the name and password of the directory or at an identity provider.

import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../app';
import type { PortalProblem } from '../portal';
import { Field, Page, Title } from './parts';

const USERNAME_MAX = 127;
const PASSWORD_MAX = 256;

export function SignIn() {
  const app = useApp();
  const { strings, portal } = app;
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState<'username' | 'password'>();
  const [problem, setProblem] = useState<PortalProblem>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (username.trim() === '') return setMissing('username');
    if (password === '') return setMissing('password');
    setMissing(undefined);
    setProblem(undefined);
    setBusy(true);
    const said = await portal.signIn(username.trim(), password);
    setBusy(false);
    setProblem(said);
    setPassword('');
    if (said === undefined) app.signedIn();
    else if (said === 'wrongLogin') setMissing('password');
  };
  const settle = (said: PortalProblem | undefined) => {
    setBusy(false);
    setProblem(said);
    if (said === undefined && portal.user !== undefined) app.signedIn();
  };
  const goElsewhere = async (provider: string) => {
    if (busy) return;
    setProblem(undefined);
    setBusy(true);
    const said = await portal.goElsewhere(provider);
    /* Without a problem the page is on its way out. */
    if (said !== undefined) settle(said);
  };
  useEffect(() => {
    const brought = portal.takeReturn();
    if (brought === undefined) return;
    setBusy(true);
    void portal.comeBack(brought).then(settle);
  }, []);
  return (
    <Page>
      <Title>{strings.portal.signIn}</Title>
      <p class="lead">{strings.portal.signInText}</p>
      {problem !== undefined && (
        <p class="trouble" role="alert">
          {strings.portal.problems[problem]}
        </p>
      )}
      {problem === undefined && portal.expired && (
        <p class="trouble" role="alert">
          {strings.portal.problems.expired}
        </p>
      )}
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Field
          label={strings.portal.username}
          value={username}
          change={setUsername}
          hint={strings.portal.usernameHint}
          error={missing === 'username' && username.trim() === '' ? strings.portal.usernameNeeded : undefined}
          autocomplete="username"
          maxLength={USERNAME_MAX}
        />
        <Field
          label={strings.portal.password}
          value={password}
          change={setPassword}
          type="password"
          error={missing === 'password' && password === '' ? strings.portal.passwordNeeded : undefined}
          autocomplete="current-password"
          maxLength={PASSWORD_MAX}
        />
        <button type="submit" class="main" aria-disabled={busy}>
          {busy ? strings.portal.signingIn : strings.portal.signIn}
        </button>
      </form>
      {portal.options?.providers.map(({ id, name }) => (
        <button type="button" key={id} aria-disabled={busy} onClick={() => void goElsewhere(id)}>
          {strings.portal.signInAt(name)}
        </button>
      ))}
      <button type="button" class="plain" onClick={() => app.go('')}>
        {strings.back}
      </button>
    </Page>
  );
}

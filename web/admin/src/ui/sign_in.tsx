// SPDX-License-Identifier: Apache-2.0
// Who is there.

import { useId, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { useApp } from '../app';
import { Brand, Title, Trouble } from './parts';

export function SignIn() {
  const app = useApp();
  const { strings } = app;
  const id = useId();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState(app.lost ? strings.signedOut : '');
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await app.signIn(name.trim(), password);
    } catch (error) {
      app.api.signOut();
      setPassword('');
      setTrouble(error instanceof ApiError && error.status === 401 ? strings.wrongPassword : app.tell(error));
      document.getElementById(`${id}-password`)?.focus();
    }
    setBusy(false);
  };
  return (
    <div class="entrance">
      <Brand />
      <main class="card">
        <Title>{strings.title}</Title>
        <p class="soft">{strings.signInText}</p>
        <Trouble text={trouble} />
        <form onSubmit={submit}>
          <div class="field">
            <label for={`${id}-name`}>{strings.name}</label>
            <input
              id={`${id}-name`}
              value={name}
              required
              autocomplete="username"
              autocapitalize="off"
              spellcheck={false}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <div class="field">
            <label for={`${id}-password`}>{strings.password}</label>
            <input
              id={`${id}-password`}
              type="password"
              value={password}
              required
              autocomplete="current-password"
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </div>
          <button type="submit" class="main" disabled={busy}>
            {strings.signIn}
          </button>
        </form>
      </main>
    </div>
  );
}

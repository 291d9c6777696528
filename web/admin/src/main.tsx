// SPDX-License-Identifier: Apache-2.0
// Which page is shown, by who is signed in and the address.

import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { App, AppContext, useApp } from './app';
import { Calls } from './ui/calls';
import { Frame, titleOf } from './ui/frame';
import { Index, Place } from './ui/place';
import { Log } from './ui/log';
import { SignIn } from './ui/sign_in';
import { Status } from './ui/status';

function Page() {
  const { words } = useApp().route;
  const [first, ...rest] = words;
  if (first === 'calls') return <Calls />;
  if (first === 'log') return <Log />;
  if (first === 'api') return rest.length === 0 ? <Index /> : <Place key={rest.join('/')} address={rest.join('/')} />;
  return <Status />;
}

function Root() {
  const app = useApp();
  const title = titleOf(app);
  useEffect(() => {
    document.title = `${title} – Convoke`;
  }, [title]);
  const inside = app.description !== undefined;
  return (
    <>
      {inside ? (
        <Frame>
          <Page key={app.route.words.join('/')} />
        </Frame>
      ) : (
        <SignIn />
      )}
      <div class="unseen" role="log" aria-live="polite">
        {app.said}
      </div>
    </>
  );
}

const app = new App();
const place = document.getElementById('app');
if (place !== null)
  render(
    <AppContext.Provider value={app}>
      <Root />
    </AppContext.Provider>,
    place,
  );

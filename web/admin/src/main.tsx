// SPDX-License-Identifier: Apache-2.0
// Which page is shown, by who is signed in and the address.

import { render, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { App, AppContext, useApp } from './app';
import { Calls } from './ui/calls';
import { Certificates } from './ui/certificates';
import { Console } from './ui/console';
import { DialTest } from './ui/dial_test';
import { Directory } from './ui/directory';
import { Events } from './ui/events';
import { Frame, titleOf } from './ui/frame';
import { Licences } from './ui/licences';
import { Log } from './ui/log';
import { Index, Place } from './ui/place';
import { Receivers } from './ui/receivers';
import { SignIn } from './ui/sign_in';
import { Status } from './ui/status';

/** Pages of their own; every other one is an address of the API. */
const PAGES: Readonly<Record<string, () => JSX.Element>> = {
  calls: Calls,
  certificates: Certificates,
  console: Console,
  dial: DialTest,
  directory: Directory,
  events: Events,
  licences: Licences,
  log: Log,
  receivers: Receivers,
};

function Page() {
  const { words } = useApp().route;
  const [first = '', ...rest] = words;
  const Own = PAGES[first];
  if (Own !== undefined) return <Own />;
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

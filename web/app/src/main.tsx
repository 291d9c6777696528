// SPDX-License-Identifier: Apache-2.0
// Which page is shown, by the session's phase and the address.

import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { App, AppContext, useApp } from './app';
import { Landing } from './ui/landing';
import { Meeting } from './ui/meeting';
import { Page, Title } from './ui/parts';
import { spaceOfAddress } from './portal';
import { Prejoin } from './ui/prejoin';
import { SignIn } from './ui/signin';
import { SpacePage } from './ui/space';
import { Spaces } from './ui/spaces';

function Over() {
  const app = useApp();
  const { strings, shell } = app;
  const { end, meeting, wish } = shell.session;
  return (
    <Page>
      <Title>{strings.ends[end ?? 'left']}</Title>
      <p class="lead">{meeting || (spaceOfAddress(wish?.address ?? '') === undefined ? wish?.address : '')}</p>
      <div class="row">
        <button
          type="button"
          class="quiet"
          onClick={() => {
            shell.happen({ on: 'reset' });
            if (app.portal.user === undefined) app.go('');
            else app.visit('/spaces');
          }}
        >
          {app.portal.user === undefined ? strings.home : strings.portal.toSpaces}
        </button>
        <button
          type="button"
          class="main"
          onClick={() => {
            shell.happen({ on: 'reset' });
            /* Who left by going back is not there any more. */
            if (wish !== undefined && wish.address !== app.route.address) app.go(wish.address, wish.secret);
          }}
        >
          {strings.rejoin}
        </button>
      </div>
    </Page>
  );
}

/** What is one's own is for who is signed in: others sign in first, and then are where they wanted. */
function Outside() {
  const app = useApp();
  const { page, address, space } = app.route;
  const own = page === 'spaces' || page === 'space' || spaceOfAddress(address) !== undefined;
  if (page === 'signIn' || (own && app.portal.user === undefined)) return <SignIn />;
  if (page === 'meeting') return <Prejoin key={address} />;
  if (page === 'spaces') return <Spaces />;
  if (page === 'space') return <SpacePage key={space} id={space} />;
  return <Landing />;
}

function Root() {
  const app = useApp();
  const { session } = app.shell;
  const over = session.phase === 'over';
  const inside = session.wasOpen && !over && session.phase !== 'idle';
  useEffect(() => {
    if (over) app.putAway();
  }, [over, app]);
  useEffect(() => {
    document.title = inside && session.meeting !== '' ? `${session.meeting} – Convoke` : 'Convoke';
  }, [inside, session.meeting]);
  const page = over ? <Over /> : inside ? <Meeting /> : <Outside />;
  return (
    <>
      {page}
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

// SPDX-License-Identifier: Apache-2.0
// The start page: who, and to which meeting.

import { useState } from 'preact/hooks';
import { useApp } from '../app';
import { BrowserIcon, PeopleIcon, ScreenIcon } from './icons';
import { Field, Page, Title } from './parts';

export const NAME_MAX = 60;
export const ADDRESS_MAX = 120;

/** A meeting's link pasted where its ID belongs is as good. */
export function addressOf(text: string): string {
  const trimmed = text.trim();
  const link = /^https:\/\/[^/]+\/meeting\/([^/?#]+)/.exec(trimmed);
  if (link?.[1] === undefined) return /^[\d\s-]+$/.test(trimmed) ? trimmed.replace(/[\s-]/g, '') : trimmed;
  try {
    return decodeURIComponent(link[1]);
  } catch {
    return link[1];
  }
}

/** What there is to be had here. */
function Offers() {
  const { strings } = useApp();
  const { links, everybody, together } = strings.offers;
  return (
    <ul class="offers">
      <li>
        <BrowserIcon />
        {links}
      </li>
      <li>
        <PeopleIcon />
        {everybody}
      </li>
      <li>
        <ScreenIcon />
        {together}
      </li>
    </ul>
  );
}

export function Landing() {
  const app = useApp();
  const { strings, portal } = app;
  const { user } = portal;
  const [name, setName] = useState(app.preferences.name);
  const [address, setAddress] = useState('');
  const [missing, setMissing] = useState<'name' | 'address'>();
  const submit = (event: Event) => {
    event.preventDefault();
    const where = addressOf(address);
    if (user === undefined && name.trim() === '') return setMissing('name');
    if (where === '') return setMissing('address');
    if (user === undefined) app.prefer({ name: name.trim() });
    app.go(where);
  };
  return (
    <Page wide>
      <div class="ready">
        <div class="welcome">
          <Title>{strings.welcome}</Title>
          <p class="lead">{portal.options?.guests === false && user === undefined ? strings.portal.noGuests : strings.welcomeText}</p>
        </div>
        <form onSubmit={submit} noValidate>
          {user === undefined && (
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
          <Field
            label={strings.meetingId}
            value={address}
            change={setAddress}
            hint={strings.meetingIdHint}
            error={missing === 'address' && address.trim() === '' ? strings.meetingNeeded : undefined}
            maxLength={ADDRESS_MAX}
          />
          <button type="submit" class="main">
            {strings.goOn}
          </button>
        </form>
        <Offers />
      </div>
    </Page>
  );
}

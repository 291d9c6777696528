// SPDX-License-Identifier: Apache-2.0
// Everybody in the meeting, and what one may do to them.

import { useState } from 'preact/hooks';
import { useApp } from '../app';
import { layouts, type Action } from '../protocol';
import { inOrder, isMuted, type Person } from '../session';
import {
  AdmitIcon,
  BrowserIcon,
  CameraControlIcon,
  CameraIcon,
  CameraOffIcon,
  HandIcon,
  MicrophoneIcon,
  MutedIcon,
  PhoneIcon,
  RemoveIcon,
  ScreenIcon,
} from './icons';
import { Avatar, Panel } from './parts';

/** From so many on there is a field to find somebody. */
const SEARCH_FROM = 12;

interface ToolProps {
  readonly label: string;
  readonly title: string;
  readonly press: () => void;
  readonly children: preact.ComponentChildren;
}

function Tool({ label, title, press, children }: ToolProps) {
  return (
    <button type="button" aria-label={label} title={title} onClick={press}>
      {children}
    </button>
  );
}

function PersonActions({ person }: { person: Person }) {
  const app = useApp();
  const { strings } = app;
  const { rights } = app.shell.session;
  const { name, id } = person;
  const act = (action: Action) => () => app.shell.happen({ on: 'act', action, participant: id });
  const inside = !person.lobby;
  const cameraIsOff = person.videoMuted;
  return (
    <span class="actions">
      {person.lobby && (
        <Tool label={strings.admitPerson(name)} title={strings.admit} press={act('admit')}>
          <AdmitIcon />
        </Tool>
      )}
      {person.hand && rights.muteOthers && (
        <Tool label={strings.lowerHandOf(name)} title={strings.lowerHand} press={act('lowerHand')}>
          <span class="mark-hand">
            <HandIcon />
          </span>
        </Tool>
      )}
      {inside && person.remoteCamera && rights.controlCamera && (
        <Tool label={strings.moveCamera(name)} title={strings.moveCamera(name)} press={() => app.openWindow({ what: 'camera', id })}>
          <CameraControlIcon />
        </Tool>
      )}
      {rights.muteOthers && inside && (
        <Tool
          label={person.muted ? strings.unmutePerson(name) : strings.mutePerson(name)}
          title={person.muted ? strings.unmute : strings.mute}
          press={act(person.muted ? 'unmute' : 'mute')}
        >
          {person.muted ? <MutedIcon /> : <MicrophoneIcon />}
        </Tool>
      )}
      {rights.muteVideoOthers && inside && (person.video || cameraIsOff) && (
        <Tool
          label={cameraIsOff ? strings.allowVideoOf(name) : strings.stopVideoOf(name)}
          title={cameraIsOff ? strings.allowVideoOf(name) : strings.stopVideoOf(name)}
          press={act(cameraIsOff ? 'unmuteVideo' : 'muteVideo')}
        >
          {cameraIsOff ? <CameraOffIcon /> : <CameraIcon />}
        </Tool>
      )}
      {rights.dropOthers && (
        <Tool label={strings.removePerson(name)} title={strings.remove} press={() => app.openWindow({ what: 'remove', person })}>
          <RemoveIcon />
        </Tool>
      )}
    </span>
  );
}

function LayoutChoice({ person }: { person: Person }) {
  const app = useApp();
  const { strings } = app;
  const known = (layouts as readonly string[]).includes(person.layout);
  return (
    <select
      class="layout"
      aria-label={strings.layoutOf(person.name)}
      value={known ? person.layout : ''}
      onChange={(event) => app.shell.happen({ on: 'layout', participant: person.id, layout: event.currentTarget.value })}
    >
      <option value="">{strings.layoutDefault}</option>
      {layouts.map((layout) => (
        <option key={layout} value={layout}>
          {strings.layouts[layout]}
        </option>
      ))}
    </select>
  );
}

function PersonRow({ person }: { person: Person }) {
  const app = useApp();
  const { strings } = app;
  const { session } = app.shell;
  const { rights } = session;
  const own = person.id === session.self;
  const muted = own ? isMuted(session) : person.muted;
  const talking = person.talking && !muted;
  const mayDo = !own && (rights.muteOthers || rights.dropOthers || rights.muteVideoOthers || person.lobby || person.remoteCamera);
  return (
    <li class={talking ? 'person talks' : 'person'} data-participant={person.id}>
      <Avatar id={person.id} name={person.name} />
      <span class="who">
        <span class="name">
          {person.name}
          {own && <span class="own"> ({strings.you})</span>}
        </span>
        <span class="kind">
          {person.sip ? <PhoneIcon /> : <BrowserIcon />}
          <span>{person.lobby ? strings.inLobby : person.sip ? strings.byPhone : strings.byWeb}</span>
        </span>
      </span>
      <span class="state">
        {talking && <span class="unseen">{strings.talking}</span>}
        {person.content && (
          <span class="fact" title={strings.presenting}>
            <ScreenIcon />
            <span class="unseen">{strings.presenting}</span>
          </span>
        )}
        {person.hand && (
          <span class="fact mark-hand" title={strings.handUp}>
            {(own || !rights.muteOthers) && <HandIcon />}
            <span class="unseen">{strings.handUp}</span>
          </span>
        )}
        {muted && (
          <span class="fact">
            {/* Where there is a button for it, that shows it. */}
            {(own || !rights.muteOthers) && <MutedIcon />}
            <span class="unseen">{strings.muted}</span>
          </span>
        )}
      </span>
      {mayDo && <PersonActions person={person} />}
      {person.sip && person.layout !== '' && rights.setLayout && <LayoutChoice person={person} />}
    </li>
  );
}

export function PeoplePanel() {
  const app = useApp();
  const { strings, shell } = app;
  const [sought, setSought] = useState('');
  const people = inOrder(shell.session);
  const found = people.filter(({ name }) => name.toLowerCase().includes(sought.trim().toLowerCase()));
  return (
    <Panel title={strings.peoplePanel}>
      {people.length >= SEARCH_FROM && (
        <input
          class="search"
          type="search"
          aria-label={strings.search}
          placeholder={strings.search}
          value={sought}
          onInput={(event) => setSought(event.currentTarget.value)}
        />
      )}
      <ul class="people">
        {found.map((person) => (
          <PersonRow key={person.id} person={person} />
        ))}
      </ul>
      {found.length === 0 && <p class="quiet-text">{strings.nobodyFound}</p>}
    </Panel>
  );
}

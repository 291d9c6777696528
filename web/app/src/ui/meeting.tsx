// SPDX-License-Identifier: Apache-2.0
// In the meeting: who is here, who talks, one's own microphone, and what one may do to others.

import { useEffect, useState } from 'preact/hooks';
import { useApp, type App } from '../app';
import { inOrder, isMuted, type Person, type Session } from '../session';
import {
  AdmitIcon,
  BrowserIcon,
  LeaveIcon,
  LockIcon,
  MicrophoneIcon,
  MutedIcon,
  PhoneIcon,
  RemoveIcon,
  SettingsIcon,
  TalkingIcon,
} from './icons';
import { Devices, Dialog, Title } from './parts';

const HUES = 12;
/** So many attempts of the sound to get through, and the person is told. */
const TROUBLE_AFTER = 3;

type Open = { readonly what: 'settings' } | { readonly what: 'end' } | { readonly what: 'remove'; readonly person: Person };

// ---- People ----

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

function hueOf(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return sum % HUES;
}

interface RowProps {
  readonly person: Person;
  readonly remove: (person: Person) => void;
}

function PersonActions({ person, remove }: RowProps) {
  const app = useApp();
  const { strings } = app;
  const { rights } = app.shell.session;
  const act = (action: 'mute' | 'unmute' | 'admit') =>
    app.shell.happen({ on: 'act', action, participant: person.id });
  return (
    <span class="actions">
      {person.lobby && (
        <button type="button" aria-label={strings.admitPerson(person.name)} title={strings.admit} onClick={() => act('admit')}>
          <AdmitIcon />
        </button>
      )}
      {rights.muteOthers && !person.lobby && (
        <button
          type="button"
          aria-label={person.muted ? strings.unmutePerson(person.name) : strings.mutePerson(person.name)}
          title={person.muted ? strings.unmute : strings.mute}
          onClick={() => act(person.muted ? 'unmute' : 'mute')}
        >
          {person.muted ? <MutedIcon /> : <MicrophoneIcon />}
        </button>
      )}
      {rights.dropOthers && (
        <button type="button" aria-label={strings.removePerson(person.name)} title={strings.remove} onClick={() => remove(person)}>
          <RemoveIcon />
        </button>
      )}
    </span>
  );
}

function PersonRow({ person, remove }: RowProps) {
  const app = useApp();
  const { strings } = app;
  const { session } = app.shell;
  const { rights } = session;
  const own = person.id === session.self;
  const muted = own ? isMuted(session) : person.muted;
  const talking = person.talking && !muted;
  const host = !own && (rights.muteOthers || rights.dropOthers);
  return (
    <li class={talking ? 'person talks' : 'person'}>
      <span class={`avatar hue${hueOf(person.id)}`} aria-hidden="true">
        {initials(person.name)}
        {talking && <TalkingIcon />}
      </span>
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
      {talking && <span class="unseen">{strings.talking}</span>}
      {muted && (
        <span class="state">
          {/* Where there is a button for it, that shows it. */}
          {!(host && rights.muteOthers) && <MutedIcon />}
          <span class="unseen">{strings.muted}</span>
        </span>
      )}
      {host && <PersonActions person={person} remove={remove} />}
    </li>
  );
}

// ---- Around them ----

function noticeOf(app: App, session: Session): string | undefined {
  const { strings } = app;
  if (session.phase !== 'open') return session.problem === undefined ? strings.reconnecting : strings.problems[session.problem];
  if (session.lobby) return strings.waitingInLobby;
  if (session.peerState !== 'connected')
    return session.peerFailures >= TROUBLE_AFTER ? strings.soundTrouble : strings.connectingSound;
  if (session.mutedByOther) return session.mayUnmute ? strings.mutedByOther : `${strings.mutedByOther} ${strings.mayNotUnmute}`;
  if (session.deaf) return strings.deaf;
  return undefined;
}

/** Its place is kept, so that nothing moves when it comes and goes. */
function Notice() {
  const app = useApp();
  const { session } = app.shell;
  const text = noticeOf(app, session);
  return (
    <div class="notice" role="status">
      {app.shell.soundBlocked ? (
        <span class="bubble">
          {app.strings.soundBlocked}{' '}
          <button type="button" class="quiet" onClick={() => void app.shell.play()}>
            {app.strings.letMeHear}
          </button>
        </span>
      ) : (
        text !== undefined && <span class="bubble">{text}</span>
      )}
    </div>
  );
}

function MuteButton() {
  const app = useApp();
  const { strings } = app;
  const { session, microphone } = app.shell;
  const muted = isMuted(session);
  if (microphone.track === null)
    return (
      <span class="tool listening">
        <MutedIcon />
        <span class="word">{strings.listeningOnly}</span>
      </span>
    );
  return (
    <button
      type="button"
      class={muted ? 'tool off' : 'tool'}
      aria-keyshortcuts="M Control+D"
      title={strings.shortcut}
      disabled={session.mutedByServer && !session.mayUnmute}
      onClick={() => app.shell.happen({ on: 'mute', muted: !muted })}
    >
      {muted ? <MutedIcon /> : <MicrophoneIcon />}
      <span class="word">{muted ? strings.unmute : strings.mute}</span>
    </button>
  );
}

/** M or Ctrl+D, but not while one writes. */
function useMuteKey(app: App): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target } = event;
      const writing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      const key = event.key.toLowerCase();
      const wanted = (key === 'd' && (event.ctrlKey || event.metaKey) && !event.altKey) || (key === 'm' && plain && !writing);
      if (!wanted) return;
      event.preventDefault();
      if (event.repeat || app.shell.microphone.track === null) return;
      app.shell.happen({ on: 'mute', muted: !isMuted(app.shell.session) });
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [app]);
}

interface QuestionProps {
  readonly title: string;
  readonly text?: string;
  readonly yes: string;
  readonly agree: () => void;
  readonly close: () => void;
}

function Question({ title, text, yes, agree, close }: QuestionProps) {
  const { strings } = useApp();
  return (
    <Dialog title={title} close={close}>
      {text !== undefined && <p>{text}</p>}
      <div class="row">
        <button type="button" class="quiet" onClick={close}>
          {strings.cancel}
        </button>
        <button
          type="button"
          class="main danger"
          onClick={() => {
            agree();
            close();
          }}
        >
          {yes}
        </button>
      </div>
    </Dialog>
  );
}

function Windows({ open, close }: { open: Open | undefined; close: () => void }) {
  const app = useApp();
  const { strings, shell } = app;
  if (open === undefined) return null;
  if (open.what === 'settings')
    return (
      <Dialog title={strings.settings} close={close}>
        <Devices />
        <div class="row">
          <button type="button" class="main" onClick={close}>
            {strings.close}
          </button>
        </div>
      </Dialog>
    );
  if (open.what === 'end')
    return (
      <Question
        title={strings.endQuestion}
        text={strings.endText}
        yes={strings.endForAll}
        agree={() => shell.happen({ on: 'act', action: 'end' })}
        close={close}
      />
    );
  return (
    <Question
      title={strings.removeQuestion(open.person.name)}
      yes={strings.remove}
      agree={() => shell.happen({ on: 'act', action: 'drop', participant: open.person.id })}
      close={close}
    />
  );
}

function Heading() {
  const { strings, shell } = useApp();
  const { session } = shell;
  return (
    <header class="bar">
      <Title>{session.meeting || strings.meeting}</Title>
      <p class="facts">
        {session.participants > 0 && <span>{strings.people(session.participants)}</span>}
        {session.locked && (
          <span class="fact">
            <LockIcon />
            {strings.locked}
          </span>
        )}
      </p>
    </header>
  );
}

function HostTools({ end }: { end: () => void }) {
  const { strings, shell } = useApp();
  const { rights, locked } = shell.session;
  return (
    <>
      {rights.lock && (
        <button
          type="button"
          class="tool"
          aria-label={locked ? strings.unlock : strings.lock}
          title={locked ? strings.unlock : strings.lock}
          onClick={() => shell.happen({ on: 'act', action: locked ? 'unlock' : 'lock' })}
        >
          <LockIcon />
          <span class="word">{locked ? strings.short.unlock : strings.short.lock}</span>
        </button>
      )}
      {rights.end && (
        <button type="button" class="tool" aria-label={strings.endForAll} title={strings.endForAll} onClick={end}>
          <RemoveIcon />
          <span class="word">{strings.short.end}</span>
        </button>
      )}
    </>
  );
}

export function Meeting() {
  const app = useApp();
  const { strings, shell } = app;
  const { session } = shell;
  const [open, setOpen] = useState<Open>();
  useMuteKey(app);
  const people = inOrder(session);
  return (
    <div class="meeting">
      <Heading />
      <Notice />
      <main>
        <h2 class="unseen">{strings.peopleHere}</h2>
        <ul class="people">
          {people.map((person) => (
            <PersonRow key={person.id} person={person} remove={(who) => setOpen({ what: 'remove', person: who })} />
          ))}
        </ul>
        {people.length === 1 && session.phase === 'open' && <p class="alone">{strings.alone}</p>}
      </main>
      <footer class="tools">
        <MuteButton />
        <button
          type="button"
          class="tool"
          aria-label={strings.settings}
          title={strings.settings}
          onClick={() => setOpen({ what: 'settings' })}
        >
          <SettingsIcon />
          <span class="word">{strings.short.settings}</span>
        </button>
        <HostTools end={() => setOpen({ what: 'end' })} />
        <button type="button" class="tool leave" onClick={() => shell.happen({ on: 'leave' })}>
          <LeaveIcon />
          <span class="word">{strings.leave}</span>
        </button>
      </footer>
      <Windows open={open} close={() => setOpen(undefined)} />
    </div>
  );
}

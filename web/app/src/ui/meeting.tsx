// SPDX-License-Identifier: Apache-2.0
// In the meeting: the pictures, what is said over them, the tools below and what opens beside.

import { useApp, type App } from '../app';
import { inOrder, type Session } from '../session';
import { ChatPanel } from './chat';
import { LockIcon, ScreenIcon } from './icons';
import { Devices, Dialog, SelfChoices, Title } from './parts';
import { PeoplePanel } from './people';
import { QualityMark, QualityWindow } from './quality';
import { RemoteCamera } from './remote_camera';
import { mainOf, Stage } from './stage';
import { SkipToTools, Tools, useKeys } from './tools';

/** So many attempts of the sound to get through, and the person is told. */
const TROUBLE_AFTER = 3;

// ---- What is said ----

function noticeOf(app: App, session: Session): string | undefined {
  const { strings } = app;
  if (session.phase !== 'open') return session.problem === undefined ? strings.reconnecting : strings.problems[session.problem];
  if (session.lobby) return strings.waitingInLobby;
  if (session.peerState !== 'connected')
    return session.peerFailures >= TROUBLE_AFTER ? strings.soundTrouble : strings.connectingSound;
  if (session.mutedByOther) return session.mayUnmute ? strings.mutedByOther : `${strings.mutedByOther} ${strings.mayNotUnmute}`;
  if (session.videoMutedByOther)
    return session.mayUnmuteVideo ? strings.videoMutedByOther : `${strings.videoMutedByOther} ${strings.mayNotUnmuteVideo}`;
  if (session.deaf) return strings.deaf;
  return undefined;
}

function isAlone({ phase, people, self, lobby }: Session): boolean {
  return phase === 'open' && !lobby && people.size === 1 && people.has(self);
}

function ShareNotice() {
  const { strings, shell } = useApp();
  const { share, shareProblem } = shell.session;
  if (shareProblem !== undefined)
    return (
      <span class="bubble">
        {strings.shareProblems[shareProblem]}{' '}
        <button type="button" class="quiet" onClick={() => shell.happen({ on: 'share', chosen: false })}>
          {strings.dismiss}
        </button>
      </span>
    );
  if (share === 'off') return null;
  return (
    <span class="bubble calm">
      <ScreenIcon />
      {share === 'asking' ? strings.askingToShare : strings.youShare}{' '}
      <button type="button" class="quiet" onClick={() => shell.happen({ on: 'share', chosen: false })}>
        {strings.stopShare}
      </button>
    </span>
  );
}

/** Over the pictures, so that nothing moves when it comes and goes. */
function Notices() {
  const app = useApp();
  const { strings, shell } = app;
  const text = noticeOf(app, shell.session);
  return (
    <div class="notices" role="status">
      {shell.soundBlocked && (
        <span class="bubble">
          {strings.soundBlocked}{' '}
          <button type="button" class="quiet" onClick={() => void shell.play()}>
            {strings.letMeHear}
          </button>
        </span>
      )}
      {text !== undefined && !shell.soundBlocked && <span class="bubble">{text}</span>}
      {text === undefined && isAlone(shell.session) && <span class="bubble calm">{strings.alone}</span>}
      <ShareNotice />
    </div>
  );
}

/** What the bridge wants to be read by all. */
function Banner() {
  const { shell } = useApp();
  const { notice } = shell.session;
  return (
    <div class={`banner ${notice?.place ?? 'top'}`} role="status">
      {notice !== undefined && <p>{notice.text}</p>}
    </div>
  );
}

// ---- Windows ----

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

function Settings({ close }: { close: () => void }) {
  const { strings } = useApp();
  return (
    <Dialog title={strings.settings} close={close}>
      <Devices />
      <SelfChoices />
      <div class="row">
        <button type="button" class="main" onClick={close}>
          {strings.close}
        </button>
      </div>
    </Dialog>
  );
}

function Windows() {
  const app = useApp();
  const { strings, shell, window: open } = app;
  const close = () => app.openWindow(undefined);
  switch (open?.what) {
    case undefined:
      return null;
    case 'settings':
      return <Settings close={close} />;
    case 'quality':
      return <QualityWindow close={close} />;
    case 'camera':
      return <RemoteCamera id={open.id} close={close} />;
    case 'end':
      return (
        <Question
          title={strings.endQuestion}
          text={strings.endText}
          yes={strings.endForAll}
          agree={() => shell.happen({ on: 'act', action: 'end' })}
          close={close}
        />
      );
    case 'remove':
      return (
        <Question
          title={strings.removeQuestion(open.person.name)}
          yes={strings.remove}
          agree={() => shell.happen({ on: 'act', action: 'drop', participant: open.person.id })}
          close={close}
        />
      );
  }
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
      <QualityMark />
    </header>
  );
}

export function Meeting() {
  const app = useApp();
  const { session } = app.shell;
  useKeys(app);
  const others = inOrder(session).filter(({ id, lobby }) => id !== session.self && !lobby);
  return (
    <div class={app.panel === undefined ? 'meeting' : 'meeting with-panel'}>
      <Heading />
      <main>
        {others.length > 0 && <SkipToTools />}
        <Stage />
        <Notices />
        <Banner />
      </main>
      {app.panel === 'people' && <PeoplePanel key="people" />}
      {app.panel === 'chat' && <ChatPanel key="chat" />}
      <Tools large={mainOf(app, others) !== ''} />
      <Windows />
    </div>
  );
}

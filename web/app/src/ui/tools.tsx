// SPDX-License-Identifier: Apache-2.0
// The row of buttons below the pictures, and the rest of them behind "More".

import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp, type App } from '../app';
import { Screen } from '../media';
import { isMuted } from '../session';
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  FullScreenIcon,
  GridIcon,
  HandIcon,
  LeaveIcon,
  LockIcon,
  MicrophoneIcon,
  MoreIcon,
  MutedIcon,
  PeopleIcon,
  RemoveIcon,
  ScreenIcon,
  SettingsIcon,
  SpeakerViewIcon,
} from './icons';

const TOOLS = 'tools';
/** From this width on most buttons stand in the row. */
const WIDE = '(min-width: 44rem)';

export function useWide(): boolean {
  const [wide, setWide] = useState(() => window.matchMedia(WIDE).matches);
  useEffect(() => {
    const query = window.matchMedia(WIDE);
    const look = () => setWide(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return wide;
}

/** Behind "More" there is room for whole words. */
const InSheet = createContext(false);

interface ToolProps {
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly press: () => void;
  /** Under the icon, where it is shorter than the label. */
  readonly word?: string;
  readonly title?: string;
  readonly state?: '' | 'off' | 'on';
  readonly keys?: string;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
  readonly mark?: number;
}

function Tool(props: ToolProps) {
  const inSheet = useContext(InSheet);
  const { label, icon, press, word = label, title = label, state = '', keys, pressed, expanded, disabled = false, mark = 0 } = props;
  return (
    <button
      type="button"
      class={state === '' ? 'tool' : `tool ${state}`}
      aria-label={label}
      title={title}
      aria-keyshortcuts={keys}
      aria-pressed={pressed}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={press}
    >
      <span class="tool-icon">
        {icon}
        {mark > 0 && (
          <span class="badge" aria-hidden="true">
            {mark > 99 ? '99+' : mark}
          </span>
        )}
      </span>
      <span class="word">{inSheet ? label : word}</span>
    </button>
  );
}

function MuteTool() {
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
    <Tool
      label={muted ? strings.unmute : strings.mute}
      word={muted ? strings.short.unmute : strings.short.mute}
      title={strings.shortcut}
      keys="M Control+D"
      state={muted ? 'off' : ''}
      disabled={session.mutedByServer && !session.mayUnmute}
      icon={muted ? <MutedIcon /> : <MicrophoneIcon />}
      press={() => app.shell.happen({ on: 'mute', muted: !muted })}
    />
  );
}

async function toggleCamera(app: App): Promise<void> {
  const { camera, session } = app.shell;
  const on = camera.track === null;
  if (on && session.videoMutedByOther && !session.mayUnmuteVideo) return;
  const done = await app.turnCamera(on);
  if (!done) app.openWindow({ what: 'settings' });
}

function CameraTool() {
  const app = useApp();
  const { strings, shell } = app;
  const { session, camera } = shell;
  const on = camera.track !== null;
  if (session.tilesMax === 0) return null;
  return (
    <Tool
      label={on ? strings.stopVideo : strings.startVideo}
      word={strings.camera}
      title={strings.cameraShortcut}
      keys="V Control+E"
      state={on ? '' : 'off'}
      disabled={session.videoMutedByOther && !session.mayUnmuteVideo}
      icon={on ? <CameraIcon /> : <CameraOffIcon />}
      press={() => void toggleCamera(app)}
    />
  );
}

function ShareTool() {
  const app = useApp();
  const { strings, shell } = app;
  const { rights, share, tilesMax } = shell.session;
  if (!rights.share || tilesMax === 0 || !Screen.isPossible) return null;
  return (
    <Tool
      label={share === 'off' ? strings.share : strings.stopShare}
      word={share === 'off' ? strings.short.share : strings.short.stop}
      state={share === 'off' ? '' : 'on'}
      icon={<ScreenIcon />}
      press={() => void app.share()}
    />
  );
}

function HandTool() {
  const app = useApp();
  const { strings, shell } = app;
  const { rights, wantHand } = shell.session;
  if (!rights.raiseHand) return null;
  return (
    <Tool
      label={wantHand ? strings.lowerHand : strings.raiseHand}
      word={strings.short.hand}
      state={wantHand ? 'on' : ''}
      icon={<HandIcon />}
      press={() => shell.happen({ on: 'hand', raised: !wantHand })}
    />
  );
}

function ViewTool({ large }: { large: boolean }) {
  const app = useApp();
  const { strings } = app;
  return (
    <Tool
      label={large ? strings.grid : strings.speakerView}
      word={large ? strings.short.grid : strings.short.speaker}
      icon={large ? <GridIcon /> : <SpeakerViewIcon />}
      press={() => app.arrange(large ? 'grid' : 'speaker')}
    />
  );
}

function PeopleTool() {
  const app = useApp();
  const { strings, shell } = app;
  const waiting = [...shell.session.people.values()].filter(({ lobby }) => lobby).length;
  return (
    <Tool
      label={strings.peoplePanel}
      word={strings.short.people}
      expanded={app.panel === 'people'}
      state={app.panel === 'people' ? 'on' : ''}
      icon={<PeopleIcon />}
      mark={waiting}
      press={() => app.togglePanel('people')}
    />
  );
}

function ChatTool() {
  const app = useApp();
  const { strings, shell } = app;
  const { rights, unread } = shell.session;
  if (!rights.chat) return null;
  return (
    <Tool
      label={unread > 0 ? strings.chatUnread(unread) : strings.chat}
      word={strings.short.chat}
      expanded={app.panel === 'chat'}
      state={app.panel === 'chat' ? 'on' : ''}
      icon={<ChatIcon />}
      mark={unread}
      press={() => app.togglePanel('chat')}
    />
  );
}

function fillScreen(): void {
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => undefined);
}

function Rest() {
  const app = useApp();
  const { strings, shell } = app;
  const { rights, locked } = shell.session;
  const full = document.fullscreenElement !== null;
  return (
    <>
      <Tool label={strings.settings} icon={<SettingsIcon />} press={() => app.openWindow({ what: 'settings' })} />
      {document.fullscreenEnabled && (
        <Tool label={full ? strings.leaveFullScreen : strings.fullScreen} icon={<FullScreenIcon />} press={fillScreen} />
      )}
      {rights.lock && (
        <Tool
          label={locked ? strings.unlock : strings.lock}
          icon={<LockIcon />}
          press={() => shell.happen({ on: 'act', action: locked ? 'unlock' : 'lock' })}
        />
      )}
      {rights.end && <Tool label={strings.endForAll} icon={<RemoveIcon />} press={() => app.openWindow({ what: 'end' })} />}
    </>
  );
}

/** Opens over the row; a choice, Escape or a click elsewhere closes it. */
function More({ children }: { children: ComponentChildren }) {
  const { strings } = useApp();
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    // What a choice opened may have the focus by now, and keeps it.
    if (place.current?.contains(document.activeElement) === true) place.current.querySelector('button')?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    if (!open) return undefined;
    place.current?.querySelector<HTMLElement>('.sheet button')?.focus();
    const outside = (event: Event) => {
      if (place.current?.contains(event.target as Node) === false) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  return (
    <div
      class="more"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) close();
      }}
    >
      <button
        type="button"
        class={open ? 'tool on' : 'tool'}
        aria-expanded={open}
        aria-controls={id}
        aria-label={strings.moreTools}
        title={strings.moreTools}
        onClick={() => setOpen(!open)}
      >
        <span class="tool-icon">
          <MoreIcon />
        </span>
        <span class="word">{strings.moreTools}</span>
      </button>
      <div id={id} class="sheet" role="group" aria-label={strings.moreTools} hidden={!open} onClick={close}>
        {open && <InSheet.Provider value>{children}</InSheet.Provider>}
      </div>
    </div>
  );
}

/** Past the pictures, which each have buttons of their own. */
export function SkipToTools() {
  const { strings } = useApp();
  const skip = () => document.querySelector<HTMLElement>(`#${TOOLS} button`)?.focus();
  return (
    <button type="button" class="skip" onClick={skip}>
      {strings.toTools}
    </button>
  );
}

export function Tools({ large }: { large: boolean }) {
  const { strings, shell } = useApp();
  const wide = useWide();
  const usual = (
    <>
      <ShareTool />
      <HandTool />
      <ViewTool large={large} />
      <PeopleTool />
    </>
  );
  return (
    <footer class="tools" id={TOOLS}>
      <MuteTool />
      <CameraTool />
      {wide && usual}
      <ChatTool />
      <More>
        {!wide && usual}
        <Rest />
      </More>
      <button type="button" class="tool leave" onClick={() => shell.happen({ on: 'leave' })}>
        <span class="tool-icon">
          <LeaveIcon />
        </span>
        <span class="word">{strings.leave}</span>
      </button>
    </footer>
  );
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** M or Ctrl+D for the microphone, V or Ctrl+E for the camera, but not while one writes. */
export function useKeys(app: App): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.altKey) return;
      const plain = !event.ctrlKey && !event.metaKey;
      const key = event.key.toLowerCase();
      const isFor = (letter: string, withControl: string) => (plain ? key === letter && !isWriting(event.target) : key === withControl);
      const microphone = isFor('m', 'd');
      const camera = isFor('v', 'e');
      if (!microphone && !camera) return;
      event.preventDefault();
      if (event.repeat) return;
      const { shell } = app;
      if (camera && shell.session.tilesMax > 0) void toggleCamera(app);
      else if (microphone && shell.microphone.track !== null) shell.happen({ on: 'mute', muted: !isMuted(shell.session) });
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [app]);
}

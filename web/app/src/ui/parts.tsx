// SPDX-License-Identifier: Apache-2.0
// Pieces that several pages are made of.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app';
import { canChooseSpeaker, Meter, playTestSound } from '../media';
import { languages, type Language } from '../strings';
import { CameraIcon, CameraOffIcon, Mark, MicrophoneIcon, MutedIcon, RemoveIcon, SpeakerIcon } from './icons';
import { Picture } from './picture';

const HUES = 12;

/** The page's head line; it takes the focus when a page appears, so that a reader starts there. */
export function Title({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

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

/** What stands for a person without a picture. */
export function Avatar({ id, name }: { id: string; name: string }) {
  return (
    <span class={`avatar hue${hueOf(id)}`} aria-hidden="true">
      <span class="avatar-letters">{initials(name)}</span>
    </span>
  );
}

export function Page({ children, wide = false }: { children: ComponentChildren; wide?: boolean }) {
  return (
    <div class="page">
      <header class="brand">
        <Mark />
        <span>Convoke</span>
        <LanguageChoice />
        <Account />
      </header>
      <main class={wide ? 'card wide' : 'card'}>{children}</main>
    </div>
  );
}

/** Who is signed in, or the way there where there is one. */
function Account() {
  const app = useApp();
  const { strings, portal, route } = app;
  if (portal.user !== undefined)
    return (
      <span class="account">
        <span class="account-name">{portal.user.name}</span>
        {route.page !== 'spaces' && (
          <button type="button" class="small" onClick={() => app.visit('/spaces')}>
            {strings.portal.mySpaces}
          </button>
        )}
        <button type="button" class="small" onClick={() => app.signOut()}>
          {strings.portal.signOut}
        </button>
      </span>
    );
  if (portal.options?.signIn !== true || route.page !== 'start') return null;
  return (
    <button type="button" class="small" onClick={() => app.visit('/signin')}>
      {strings.portal.signIn}
    </button>
  );
}

function LanguageChoice() {
  const app = useApp();
  return (
    <select
      class="language"
      aria-label={app.strings.chooseLanguage}
      value={app.language}
      onChange={(event) => app.prefer({ language: event.currentTarget.value as Language })}
    >
      {(Object.keys(languages) as Language[]).map((language) => (
        <option key={language} value={language} lang={language}>
          {languages[language].language}
        </option>
      ))}
    </select>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
  readonly error?: string | undefined;
  readonly type?: 'text' | 'password';
  readonly autocomplete?: string;
  readonly maxLength: number;
}

/** An input with its label, and a line below that is there even when it is empty. */
export function Field({ label, value, change, hint, error, type = 'text', autocomplete = 'off', maxLength }: FieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (error !== undefined) input.current?.focus();
  }, [error]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={input}
        type={type}
        value={value}
        maxLength={maxLength}
        autocomplete={autocomplete}
        autocapitalize="off"
        spellcheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        onInput={(event) => change(event.currentTarget.value)}
      />
      <p id={`${id}-note`} class={error === undefined ? 'note' : 'note error'}>
        {error ?? hint ?? ''}
      </p>
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly devices: readonly MediaDeviceInfo[];
  readonly value: string;
  readonly change: (id: string) => void;
}

function DeviceChoice({ label, devices, value, change }: ChoiceProps) {
  const { strings } = useApp();
  const id = useId();
  const named = devices.filter(({ deviceId }) => deviceId !== 'default');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={named.some(({ deviceId }) => deviceId === value) ? value : ''}
        onChange={(event) => change(event.currentTarget.value)}
      >
        <option value="">{strings.systemDefault}</option>
        {named.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || strings.numbered(label, index + 1)}
          </option>
        ))}
      </select>
    </div>
  );
}

function LevelMeter({ stream }: { stream: MediaStream | undefined }) {
  const { strings } = useApp();
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (stream === undefined) return undefined;
    const meter = new Meter(stream, (level) => {
      bar.current?.style.setProperty('--level', level.toFixed(2));
      bar.current?.setAttribute('aria-valuenow', String(Math.round(level * 10) * 10));
    });
    return () => {
      meter.stop();
      bar.current?.style.setProperty('--level', '0');
    };
  }, [stream]);
  return (
    <div
      class="meter"
      ref={bar}
      role="meter"
      aria-label={strings.microphoneLevel}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
    />
  );
}

function SwitchLine({ label, on, change }: { label: string; on: boolean; change: (on: boolean) => void }) {
  const id = useId();
  return (
    <p class="switch-line">
      <input id={id} type="checkbox" role="switch" checked={on} onChange={(event) => change(event.currentTarget.checked)} />
      <label for={id}>{label}</label>
    </p>
  );
}

/** How one is seen by others, or why not; with the two buttons that decide it. */
export function Preview({ name }: { name: string }) {
  const app = useApp();
  const { strings, preferences, shell } = app;
  const { camera, microphone } = shell;
  const on = camera.track !== null;
  const { muted } = preferences;
  return (
    <div class="preview" role="group" aria-label={strings.yourPicture}>
      <Avatar id={name} name={name} />
      {on && <Picture stream={camera.stream} mirrored={preferences.mirrored} />}
      {!on && <p class="preview-text">{camera.problem === undefined ? strings.cameraIsOff : ''}</p>}
      <div class="preview-tools">
        {microphone.problem === undefined && (
          <button
            type="button"
            class="round"
            role="switch"
            aria-checked={!muted}
            aria-label={strings.microphone}
            title={muted ? strings.microphoneOff : strings.microphoneOn}
            onClick={() => app.prefer({ muted: !muted })}
          >
            {muted ? <MutedIcon /> : <MicrophoneIcon />}
          </button>
        )}
        <button
          type="button"
          class="round"
          role="switch"
          aria-checked={on}
          aria-label={strings.camera}
          title={on ? strings.cameraOn : strings.cameraOff}
          onClick={() => void app.turnCamera(!on)}
        >
          {on ? <CameraIcon /> : <CameraOffIcon />}
        </button>
      </div>
    </div>
  );
}

function CameraChoice() {
  const app = useApp();
  const { strings, devices, preferences, shell } = app;
  const { camera } = shell;
  return (
    <>
      <DeviceChoice
        label={strings.camera}
        devices={devices.cameras}
        value={preferences.camera}
        change={(id) => void app.chooseCamera(id)}
      />
      {camera.problem !== undefined && (
        <div class="trouble" role="alert">
          <p>{strings.cameraProblems[camera.problem]}</p>
          <button type="button" class="quiet" onClick={() => void app.turnCamera(true)}>
            {strings.tryAgain}
          </button>
        </div>
      )}
      {camera.canBlur && <SwitchLine label={strings.blur} on={preferences.blurred} change={(on) => void app.blur(on)} />}
    </>
  );
}

/** Microphone with its level, camera, speaker with a test sound, and what to do when there is trouble. */
export function Devices() {
  const app = useApp();
  const { strings, devices, preferences } = app;
  const { microphone } = app.shell;
  const [playing, setPlaying] = useState(false);
  const test = async () => {
    setPlaying(true);
    await playTestSound(preferences.speaker).catch(() => undefined);
    setPlaying(false);
  };
  return (
    <div class="devices">
      <DeviceChoice
        label={strings.microphone}
        devices={devices.microphones}
        value={preferences.microphone}
        change={(id) => void app.chooseMicrophone(id)}
      />
      <LevelMeter stream={microphone.stream} />
      {microphone.problem === undefined ? (
        <p class="note">{microphone.track?.enabled === false ? strings.microphoneOff : strings.speakToTest}</p>
      ) : (
        <div class="trouble" role="alert">
          <p>{strings.microphoneProblems[microphone.problem]}</p>
          <button type="button" class="quiet" onClick={() => void app.openMicrophone()}>
            {strings.tryAgain}
          </button>
        </div>
      )}
      <CameraChoice />
      {canChooseSpeaker() && (
        <DeviceChoice
          label={strings.speaker}
          devices={devices.speakers}
          value={preferences.speaker}
          change={(id) => void app.chooseSpeaker(id)}
        />
      )}
      <button type="button" class="quiet" disabled={playing} onClick={() => void test()}>
        <SpeakerIcon />
        {playing ? strings.playing : strings.testSound}
      </button>
    </div>
  );
}

/** How one sees oneself; others see nothing of it. */
export function SelfChoices() {
  const app = useApp();
  const { strings, preferences } = app;
  return (
    <>
      <SwitchLine label={strings.mirror} on={preferences.mirrored} change={(mirrored) => app.prefer({ mirrored })} />
      <SwitchLine label={strings.hideSelf} on={preferences.selfHidden} change={(selfHidden) => app.prefer({ selfHidden })} />
    </>
  );
}

/** What opens beside the pictures, and over them where there is no room. */
export function Panel({ title, class: name = '', children }: { title: string; class?: string; children: ComponentChildren }) {
  const app = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  // Before the next key can come: Escape right after opening closes it, too.
  useLayoutEffect(() => {
    const before = document.activeElement;
    heading.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside
      class={`panel ${name}`}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key === 'Escape') app.togglePanel(undefined);
      }}
    >
      <header class="panel-head">
        <h2 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="bare" aria-label={app.strings.close} title={app.strings.close} onClick={() => app.togglePanel(undefined)}>
          <RemoveIcon />
        </button>
      </header>
      {children}
    </aside>
  );
}

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A window in the window; the browser keeps the focus inside and Escape closes it. */
export function Dialog({ title, close, class: name, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={name}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

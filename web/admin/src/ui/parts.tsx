// SPDX-License-Identifier: Apache-2.0
// Pieces that several pages are made of.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app';
import { languages, type Language } from '../strings';

/** The page's head line; it takes the focus when a page appears, so that a reader starts there. */
export function Title({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Before the next key can come: what is typed then is for a field.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

export function Brand({ children }: { children?: ComponentChildren }) {
  const app = useApp();
  return (
    <header class="brand">
      <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="9" />
        <path d="M22.5 11a8 8 0 1 0 0 10M16 13.5v5" />
      </svg>
      <span class="brand-name">Convoke</span>
      {children}
      <select
        class="language"
        aria-label={app.strings.chooseLanguage}
        value={app.language}
        onChange={(event) => app.speak(event.currentTarget.value as Language)}
      >
        {(Object.keys(languages) as Language[]).map((language) => (
          <option key={language} value={language} lang={language}>
            {languages[language].language}
          </option>
        ))}
      </select>
    </header>
  );
}

/** What went wrong; nothing when nothing did. */
export function Trouble({ text }: { text: string }) {
  return <div role="alert">{text !== '' && <p class="trouble">{text}</p>}</div>;
}

export type Tone = 'good' | 'warn' | 'bad';

/** A word that says how something is; its colour says the same. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** Loading, or why there is nothing to be seen. */
export function Waiting({ error }: { error: string }) {
  const { strings } = useApp();
  return error === '' ? <p class="soft">{strings.loading}</p> : <Trouble text={error} />;
}

/** Around a table that may be wider than the page: then it is moved with the arrow keys. */
export function Wide({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="wide-table" tabIndex={0} role="region" aria-label={name}>
      {children}
    </div>
  );
}

/** Asks before what cannot be undone; Escape is no. */
export function Confirm({ text, yes, done }: { text: string; yes: string; done: (confirmed: boolean) => void }) {
  const { strings } = useApp();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const node = dialog.current;
    node?.showModal();
    /* Gives the focus back to what had it. */
    return () => node?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      role="alertdialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        done(false);
      }}
    >
      <p id={id}>{text}</p>
      <div class="row">
        <button type="button" class="main danger" onClick={() => done(true)}>
          {yes}
        </button>
        <button type="button" class="quiet" onClick={() => done(false)}>
          {strings.cancel}
        </button>
      </div>
    </dialog>
  );
}

const SOON_MS = 250;

/** What was typed, once nothing more is typed for a moment: the API is not asked for every letter. */
export function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), SOON_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}

/** "/" goes to the field that narrows a page down, unless something is being typed. */
export function useSlash(field: { readonly current: HTMLInputElement | null }): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.matches('input, select, textarea');
      if (event.key !== '/' || typing || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [field]);
}

/** "2027-03-01" */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** "2027-03-01 12:30:05 UTC" */
export function clock(time: string): string {
  return time.replace('T', ' ').replace('Z', ' UTC');
}

/** "1:02:03", "2:28" */
export function duration(seconds: string): string {
  const all = Number(seconds);
  if (seconds === '' || Number.isNaN(all)) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, Math.floor(all) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Bits a second as people say it. */
export function rate(bits: string): string {
  const all = Number(bits);
  if (bits === '' || Number.isNaN(all)) return '';
  if (all === 0) return '0 kb/s';
  return all >= 1e6 ? `${(all / 1e6).toFixed(1)} Mb/s` : `${(all / 1e3).toFixed(all < 1e5 ? 1 : 0)} kb/s`;
}

// SPDX-License-Identifier: Apache-2.0
// What the pages share: the session's shell, the person's preferences, devices, language, and what is
// said to a screen reader.

import { createContext } from 'preact';
import { useContext, useEffect, useReducer } from 'preact/hooks';
import { listDevices, useSpeaker, type Devices } from './media';
import type { Announcement } from './session';
import { keptFor, Shell } from './shell';
import { chooseLanguage, languages, type Language, type Strings } from './strings';

const PREFERENCES = 'convoke.preferences';
const SAY_MS = 150;
/** What a server takes of a name, in bytes of UTF-8 (docs/c2w.md). */
const NAME_BYTES_MAX = 100;

/** As many whole characters as fit. */
export function cutName(name: string): string {
  const encoder = new TextEncoder();
  let kept = '';
  let bytes = 0;
  for (const letter of name.trim()) {
    bytes += encoder.encode(letter).length;
    if (bytes > NAME_BYTES_MAX) break;
    kept += letter;
  }
  return kept;
}

export interface Preferences {
  readonly name: string;
  readonly microphone: string;
  readonly speaker: string;
  readonly muted: boolean;
  readonly language?: Language;
}

export interface Route {
  /** Meeting ID or URI; empty: the start page. */
  readonly address: string;
  readonly secret: string;
}

function readPreferences(): Preferences {
  const none: Preferences = { name: '', microphone: '', speaker: '', muted: false };
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(PREFERENCES) ?? '{}') as Partial<Preferences>) };
  } catch {
    return none;
  }
}

function readRoute(): Route {
  const [, first = '', address = ''] = location.pathname.split('/');
  if (first !== 'meeting') return { address: '', secret: '' };
  try {
    return { address: decodeURIComponent(address), secret: new URLSearchParams(location.search).get('secret') ?? '' };
  } catch {
    return { address: '', secret: '' };
  }
}

export class App {
  preferences = readPreferences();
  route = readRoute();
  devices: Devices = { microphones: [], speakers: [] };
  readonly shell = new Shell(
    () => this.changed(),
    (what) => this.announce(what),
  );
  /** For the live region: what was said last. */
  said = '';
  private readonly saying: string[] = [];
  private sayTimer = 0;
  private readonly listeners = new Set<() => void>();

  constructor() {
    window.addEventListener('popstate', () => this.arrive());
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refreshDevices());
    this.showLanguage();
    this.comeBack();
  }

  get language(): Language {
    const { language } = this.preferences;
    return language !== undefined && Object.hasOwn(languages, language)
      ? language
      : chooseLanguage(navigator.languages);
  }

  get strings(): Strings {
    return languages[this.language];
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    this.listeners.forEach((listener) => listener());
  }

  prefer(change: Partial<Preferences>): void {
    this.preferences = { ...this.preferences, ...change };
    try {
      localStorage.setItem(PREFERENCES, JSON.stringify(this.preferences));
    } catch {
      /* A private window forgets; that is its purpose. */
    }
    this.showLanguage();
    this.changed();
  }

  go(address: string, secret = ''): void {
    const query = secret === '' ? '' : `?${new URLSearchParams({ secret }).toString()}`;
    history.pushState(null, '', address === '' ? '/' : `/meeting/${encodeURIComponent(address)}${query}`);
    this.arrive();
  }

  /** Who goes to another address, or back to the start, leaves the meeting, or what kept them from it. */
  private arrive(): void {
    this.route = readRoute();
    const { phase, wish } = this.shell.session;
    if (wish !== undefined && wish.address !== this.route.address)
      this.shell.happen({ on: phase === 'idle' || phase === 'over' ? 'reset' : 'leave' });
    this.changed();
  }

  // ---- Microphone and speaker ----

  async openMicrophone(): Promise<void> {
    await this.shell.microphone.open(this.preferences.microphone);
    await this.refreshDevices();
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.prefer({ microphone: id });
    await this.openMicrophone();
  }

  async chooseSpeaker(id: string): Promise<void> {
    this.prefer({ speaker: id });
    await useSpeaker(this.shell.sound, id);
  }

  async refreshDevices(): Promise<void> {
    this.devices = await listDevices();
    await useSpeaker(this.shell.sound, this.preferences.speaker);
    this.changed();
  }

  // ---- Joining ----

  join(typed: string, passcode: string | undefined): void {
    const { address, secret } = this.route;
    const name = cutName(typed);
    this.prefer({ name });
    this.shell.happen({
      on: 'join',
      muted: this.preferences.muted,
      wish: {
        address,
        name,
        ...(passcode === undefined ? {} : { passcode }),
        ...(secret === '' ? {} : { secret }),
      },
    });
    void useSpeaker(this.shell.sound, this.preferences.speaker);
  }

  /** The page was loaded again in the middle of a meeting. */
  private comeBack(): void {
    const kept = this.route.address === '' ? undefined : keptFor(this.route.address);
    if (kept === undefined) return;
    this.shell.happen({ on: 'resume', ...kept });
    void this.openMicrophone();
  }

  // ---- Words ----

  private announce(what: Announcement): void {
    const { said } = this.strings;
    this.say(what.kind === 'joined' || what.kind === 'left' ? said[what.kind](what.name) : said[what.kind]);
  }

  /** Several at once are read as one. */
  private say(text: string): void {
    this.saying.push(text);
    if (this.sayTimer !== 0) return;
    this.sayTimer = window.setTimeout(() => {
      this.sayTimer = 0;
      this.said = this.saying.splice(0).join('. ');
      this.changed();
    }, SAY_MS);
  }

  private showLanguage(): void {
    document.documentElement.lang = this.language;
  }
}

export const AppContext = createContext<App | undefined>(undefined);

/** The app; the component is drawn again whenever something changes. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('no app around this component');
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => app.subscribe(() => redraw(undefined)), [app]);
  return app;
}

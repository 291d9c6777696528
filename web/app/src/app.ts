// SPDX-License-Identifier: Apache-2.0
// What the pages share: the session's shell, the person's preferences, devices, language, and what is
// said to a screen reader.

import { createContext } from 'preact';
import { useContext, useEffect, useReducer } from 'preact/hooks';
import { listDevices, NO_DEVICES, useSpeaker, type Devices } from './media';
import type { Announcement, Person } from './session';
import { Portal } from './portal';
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
  readonly camera: string;
  readonly cameraOn: boolean;
  readonly blurred: boolean;
  /** Mirrored, one sees oneself as one is used to; others do not. */
  readonly mirrored: boolean;
  readonly selfHidden: boolean;
  readonly arrangement: Arrangement;
  readonly language?: Language;
}

export type Arrangement = 'grid' | 'speaker';
export type PanelName = 'people' | 'chat';

/** The window in the window. */
export type Window =
  | { readonly what: 'settings' | 'end' | 'quality' }
  | { readonly what: 'remove'; readonly person: Person }
  | { readonly what: 'camera'; readonly id: string };

const NO_PREFERENCES: Preferences = {
  name: '',
  microphone: '',
  speaker: '',
  muted: false,
  camera: '',
  cameraOn: true,
  blurred: false,
  mirrored: true,
  selfHidden: false,
  arrangement: 'grid',
};

export interface Route {
  readonly page: 'start' | 'meeting' | 'signIn' | 'spaces' | 'space';
  /** Meeting ID or URI, or a space's id (portal.ts); empty: no meeting's page. */
  readonly address: string;
  readonly secret: string;
  /** Of page 'space': its id. */
  readonly space: string;
}

const START_ROUTE: Route = { page: 'start', address: '', secret: '', space: '' };

function readPreferences(): Preferences {
  const none = NO_PREFERENCES;
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(PREFERENCES) ?? '{}') as Partial<Preferences>) };
  } catch {
    return none;
  }
}

function readRoute(): Route {
  const [, first = '', second = ''] = location.pathname.split('/');
  if (first === 'signin') return { ...START_ROUTE, page: 'signIn' };
  try {
    const what = decodeURIComponent(second);
    if (first === 'spaces') return { ...START_ROUTE, page: what === '' ? 'spaces' : 'space', space: what };
    if (first !== 'meeting' || what === '') return START_ROUTE;
    return { ...START_ROUTE, page: 'meeting', address: what, secret: new URLSearchParams(location.search).get('secret') ?? '' };
  } catch {
    return START_ROUTE;
  }
}

export class App {
  preferences = readPreferences();
  route = readRoute();
  devices: Devices = NO_DEVICES;
  readonly portal = new Portal(() => this.changed());
  readonly shell = new Shell(
    () => this.changed(),
    (what) => this.announce(what),
    this.portal,
  );
  /** Who is kept large, by this person's own choice: a participant or CONTENT; empty: nobody. */
  pinned = '';
  /** Whose shared screen is wanted no larger than the others. */
  smallContentOf = '';
  panel: PanelName | undefined;
  window: Window | undefined;
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
    void this.portal.learnOptions();
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

  /** For times and figures: the language as this person's country writes it. */
  get locale(): string {
    return navigator.languages.find((tag) => tag.startsWith(this.language)) ?? this.language;
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

  /** A page of the app's own: "/spaces". */
  visit(path: string): void {
    history.pushState(null, '', path);
    this.arrive();
  }

  /** To where one wanted to go before the sign-in page came. */
  signedIn(): void {
    if (this.route.page === 'signIn') this.visit('/spaces');
    else this.changed();
  }

  signOut(): void {
    this.portal.signOut();
    this.visit('/');
  }

  /** Puts a text into the clipboard, and says so. */
  async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(this.strings.portal.copied);
    } catch {
      this.say(this.strings.portal.notCopied);
    }
  }

  /** Who goes to another address, or back to the start, leaves the meeting, or what kept them from it. */
  private arrive(): void {
    this.route = readRoute();
    const { phase, wish } = this.shell.session;
    if (wish !== undefined && wish.address !== this.route.address)
      this.shell.happen({ on: phase === 'idle' || phase === 'over' ? 'reset' : 'leave' });
    this.changed();
  }

  // ---- Microphone, camera and speaker ----

  async openMicrophone(): Promise<void> {
    await this.shell.microphone.open(this.preferences.microphone);
    await this.refreshDevices();
  }

  async chooseMicrophone(id: string): Promise<void> {
    this.prefer({ microphone: id });
    await this.openMicrophone();
  }

  async openCamera(): Promise<void> {
    const { camera } = this.shell;
    camera.blurred = this.preferences.blurred;
    await camera.open(this.preferences.camera);
    await this.refreshDevices();
    if (camera.track !== null || this.shell.session.wantCamera)
      this.shell.happen({ on: 'camera', running: camera.track !== null });
  }

  /** Resolves to whether it is as wished. */
  async turnCamera(on: boolean): Promise<boolean> {
    this.prefer({ cameraOn: on });
    if (!on) this.shell.happen({ on: 'camera', running: false });
    else await this.openCamera();
    this.changed();
    return on === (this.shell.camera.track !== null);
  }

  async chooseCamera(id: string): Promise<void> {
    this.prefer({ camera: id });
    await this.turnCamera(true);
  }

  async blur(on: boolean): Promise<void> {
    this.prefer({ blurred: on });
    await this.shell.camera.blur(on);
  }

  async share(): Promise<void> {
    if (this.shell.session.share !== 'off') this.shell.happen({ on: 'share', chosen: false });
    else if (await this.shell.screen.choose()) this.shell.happen({ on: 'share', chosen: true });
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
    /* The name of who is signed in is the directory's; what a guest typed is kept beside it. */
    if (this.portal.user === undefined) this.prefer({ name });
    this.shell.happen({
      on: 'join',
      muted: this.preferences.muted,
      camera: this.shell.camera.track !== null,
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
    const camera = kept.camera === true;
    this.shell.happen({ on: 'resume', ...kept, camera });
    void this.openMicrophone();
    if (camera) void this.openCamera();
  }

  // ---- What is looked at ----

  pin(id: string): void {
    this.pinned = id;
    if (id !== '') this.smallContentOf = '';
    this.changed();
  }

  arrange(arrangement: Arrangement): void {
    this.pinned = '';
    this.smallContentOf = arrangement === 'grid' ? this.shell.session.presenter : '';
    this.prefer({ arrangement });
  }

  togglePanel(panel: PanelName | undefined): void {
    this.panel = this.panel === panel ? undefined : panel;
    this.shell.happen({ on: 'chat', open: this.panel === 'chat' });
  }

  openWindow(window: Window | undefined): void {
    this.window = window;
    this.changed();
  }

  /** Nothing of the last meeting is left open in the next. */
  putAway(): void {
    this.shell.microphone.close();
    this.shell.camera.close();
    Object.assign(this, { pinned: '', smallContentOf: '', panel: undefined, window: undefined });
    this.changed();
  }

  // ---- Words ----

  private announce(what: Announcement): void {
    const { said } = this.strings;
    this.say('name' in what ? said[what.kind](what.name) : said[what.kind]);
  }

  /** Several at once are read as one. */
  say(text: string): void {
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

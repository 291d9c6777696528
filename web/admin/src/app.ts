// SPDX-License-Identifier: Apache-2.0
// What the pages share: the API and what it says about itself, where we are, the language, and what
// is said to a screen reader.

import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useReducer, useState } from 'preact/hooks';
import { Api, ApiError, type Value } from './api';
import { Description, type OpenApi } from './description';
import { readRoute, type Route } from './route';
import { chooseLanguage, languages, type Language, type Strings } from './strings';

const LANGUAGE = 'convoke.language';

export class App {
  readonly api = new Api(() => {
    this.description = undefined;
    this.lost = true;
    this.changed();
  });
  description: Description | undefined;
  /** Signed out by the server and not by the person. */
  lost = false;
  language: Language;
  route: Route = readRoute(location.hash);
  said = '';
  private readonly listeners = new Set<() => void>();

  constructor() {
    const kept = localStorage.getItem(LANGUAGE);
    this.language = chooseLanguage(kept === null ? navigator.languages : [kept]);
    document.documentElement.lang = this.language;
    addEventListener('hashchange', () => {
      this.route = readRoute(location.hash);
      this.changed();
    });
  }

  get strings(): Strings {
    return languages[this.language];
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.api.signIn(name, password);
    const openApi = (await this.api.get('openapi')) as unknown as OpenApi;
    this.description = new Description(openApi);
    this.lost = false;
    this.changed();
  }

  signOut(): void {
    this.api.signOut();
    this.description = undefined;
    this.lost = false;
    location.hash = '';
    this.changed();
  }

  speak(language: Language): void {
    this.language = language;
    localStorage.setItem(LANGUAGE, language);
    document.documentElement.lang = language;
    this.changed();
  }

  /** Where to, without a trace of where we are now when `instead`. */
  go(hash: string, instead = false): void {
    if (instead) location.replace(hash);
    else location.hash = hash;
  }

  say(what: string): void {
    this.said = what;
    this.changed();
  }

  /** What went wrong, in the person's words. */
  tell(error: unknown): string {
    const { strings } = this;
    if (!(error instanceof ApiError)) return strings.refused(String(error));
    if (error.status === 0) return strings.unreachable;
    if (error.status === 404 || error.failures.some(({ error: word }) => word.endsWith('DoesNotExist'))) return strings.gone;
    if (error.status === 429) return strings.tooMany;
    return strings.refused(error.message);
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

export const AppContext = createContext<App | undefined>(undefined);

/** Whoever uses it is drawn anew when something changes. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('no app');
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => app.listen(() => draw(undefined)), [app]);
  return app;
}

/** Of those who are signed in. */
export function useDescription(): Description {
  const { description } = useApp();
  if (description === undefined) throw new Error('nobody is signed in');
  return description;
}

export interface Reading<T> {
  readonly value: T | undefined;
  readonly error: string;
  readonly again: () => void;
}

/** What `read` gives, read again when `key` changes, and every so often while somebody looks. */
export function useReading<T = Value>(read: () => Promise<T>, key: string, everyMs = 0): Reading<T> {
  const app = useApp();
  const [state, setState] = useState<{ key: string; value?: T; error: string }>({ key, error: '' });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  useEffect(() => {
    let over = false;
    let timer = 0;
    const run = async () => {
      if (everyMs === 0 || !document.hidden)
        try {
          const value = await read();
          if (!over) setState({ key, value, error: '' });
        } catch (error) {
          if (!over) setState((last) => ({ ...(last.key === key ? last : { key }), error: app.tell(error) }));
        }
      if (!over && everyMs > 0) timer = window.setTimeout(run, everyMs);
    };
    void run();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [key, everyMs, turn]);
  return { value: state.key === key ? state.value : undefined, error: state.key === key ? state.error : '', again };
}

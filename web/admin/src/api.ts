// SPDX-License-Identifier: Apache-2.0
// The API as the pages use it: who is signed in, questions, and answers of which every failure is
// told.  Name and password are kept in this object only, and are gone with it.

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type Value = string | number | boolean | Value[] | { readonly [name: string]: Value };
export type Form = Readonly<Record<string, string>>;

/** What the API says is wrong: of one parameter, or of the whole. */
export interface Failure {
  readonly error: string;
  readonly parameter?: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly failures: readonly Failure[] = [],
  ) {
    super(failures.map(({ error }) => error).join(', ') || `HTTP ${status}`);
  }
}

/** A request as it went, for the page that shows them. */
export interface Asked {
  readonly at: Date;
  readonly method: Method;
  readonly path: string;
  readonly form: Form;
  readonly status: number;
  readonly ms: number;
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly made: string;
  readonly body: string;
}

const ROOT = '/api/v1';
const HISTORY_MAX = 200;
const NETWORK = 0; // the status of what never got an answer
const JSON_TYPE = 'application/json';

export function isObject(value: Value | undefined): value is { readonly [name: string]: Value } {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A member of an answer by its names, outermost first. */
export function at(value: Value | undefined, ...names: string[]): Value | undefined {
  for (const name of names) value = isObject(value) ? value[name] : undefined;
  return value;
}

export function text(value: Value | undefined): string {
  return value === undefined || typeof value === 'object' ? '' : String(value);
}

/** {"failureDetails":{"parameterError":{...},"duplicateCoSpaceUri":{}}}, one or several of each. */
export function failuresOf(answer: Value | undefined): Failure[] {
  const details = at(answer, 'failureDetails');
  if (!isObject(details)) return [];
  return Object.entries(details).flatMap(([error, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) =>
      error === 'parameterError' ? { error: text(at(one, 'error')), parameter: text(at(one, 'parameter')) } : { error },
    ),
  );
}

function parse(body: string): Value | undefined {
  try {
    return JSON.parse(body) as Value;
  } catch {
    return undefined;
  }
}

/** A header takes bytes, and a name may have any letter. */
function basic(name: string, password: string): string {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function madeBy(answer: Response): string {
  return (answer.headers.get('Location') ?? '').replace(`${ROOT}/`, '');
}

export class Api {
  user = '';
  /** The newest first; one that is read again and again stands once. */
  history: readonly Asked[] = [];
  private login = '';

  /** `lost` is told when the API does not know us any more. */
  constructor(private readonly lost: () => void) {}

  get signedIn(): boolean {
    return this.user !== '';
  }

  /** The first answer shows whether the password is right. */
  async signIn(name: string, password: string): Promise<void> {
    this.login = basic(name, password);
    await this.get('system/status');
    this.user = name;
  }

  signOut(): void {
    this.history = [];
    this.user = '';
    this.login = '';
  }

  async get(path: string): Promise<Value> {
    return parse(await (await this.ask('GET', path, JSON_TYPE)).text()) ?? {};
  }

  async getText(path: string, type = 'text/xml'): Promise<string> {
    return (await this.ask('GET', path, type)).text();
  }

  /** The address of what was made, below the root, or what was answered. */
  async post(path: string, form: Form): Promise<{ readonly made: string; readonly answer: Value | undefined }> {
    const answer = await this.ask('POST', path, JSON_TYPE, form);
    return { made: madeBy(answer), answer: parse(await answer.text()) };
  }

  async put(path: string, form: Form): Promise<void> {
    await this.ask('PUT', path, JSON_TYPE, form);
  }

  /** What is no form: the panes of a layout template. */
  async putText(path: string, text: string): Promise<void> {
    await this.ask('PUT', path, JSON_TYPE, text);
  }

  async delete(path: string): Promise<void> {
    await this.ask('DELETE', path, JSON_TYPE);
  }

  /** Whatever is asked, and whatever is answered. */
  async raw(method: Method, path: string, type: string, form: Form): Promise<Answer> {
    const answer = await this.fetch(method, path, type, method === 'POST' || method === 'PUT' ? form : undefined);
    return { status: answer.status, made: madeBy(answer), body: await answer.text() };
  }

  /** What opens an Events WebSocket. */
  async token(): Promise<string> {
    return (await this.ask('POST', 'authTokens', JSON_TYPE, {})).headers.get('X-Cisco-CMS-Auth-Token') ?? '';
  }

  private note(asked: Asked): void {
    const again = ({ method, path }: Asked) => asked.method === 'GET' && method === 'GET' && path === asked.path;
    this.history = [asked, ...this.history.filter((one) => !again(one))].slice(0, HISTORY_MAX);
  }

  private async fetch(method: Method, path: string, accept: string, body?: Form | string): Promise<Response> {
    const began = performance.now();
    let status = NETWORK;
    try {
      const answer = await fetch(`${ROOT}/${path}`, {
        method,
        headers: { Accept: accept, Authorization: this.login, ...(typeof body === 'string' ? { 'Content-Type': JSON_TYPE } : {}) },
        /* Without this the browser would ask for a password itself, and keep it. */
        credentials: 'omit',
        cache: 'no-store',
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new URLSearchParams(body) }),
      });
      status = answer.status;
      return answer;
    } catch {
      throw new ApiError(NETWORK);
    } finally {
      this.note({ at: new Date(), method, path, form: typeof body === 'object' ? body : {}, status, ms: Math.round(performance.now() - began) });
    }
  }

  private async ask(method: Method, path: string, accept: string, body?: Form | string): Promise<Response> {
    const answer = await this.fetch(method, path, accept, body);
    if (answer.ok) return answer;
    if (answer.status === 401 && this.signedIn) {
      this.signOut();
      this.lost();
    }
    throw new ApiError(answer.status, failuresOf(parse(await answer.text())));
  }
}

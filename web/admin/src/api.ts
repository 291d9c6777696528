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

const ROOT = '/api/v1';
const NETWORK = 0; // the status of what never got an answer

function isObject(value: Value | undefined): value is { readonly [name: string]: Value } {
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

export class Api {
  user = '';
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
    this.user = '';
    this.login = '';
  }

  async get(path: string): Promise<Value> {
    return parse(await (await this.ask('GET', path, 'application/json')).text()) ?? {};
  }

  async getText(path: string): Promise<string> {
    return (await this.ask('GET', path, 'text/xml')).text();
  }

  /** The address of what was made, below the root, or what was answered. */
  async post(path: string, form: Form): Promise<{ readonly made: string; readonly answer: Value | undefined }> {
    const answer = await this.ask('POST', path, 'application/json', form);
    return { made: (answer.headers.get('Location') ?? '').replace(`${ROOT}/`, ''), answer: parse(await answer.text()) };
  }

  async put(path: string, form: Form): Promise<void> {
    await this.ask('PUT', path, 'application/json', form);
  }

  async delete(path: string): Promise<void> {
    await this.ask('DELETE', path, 'application/json');
  }

  private async ask(method: Method, path: string, accept: string, form?: Form): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(`${ROOT}/${path}`, {
        method,
        headers: { Accept: accept, Authorization: this.login },
        /* Without this the browser would ask for a password itself, and keep it. */
        credentials: 'omit',
        cache: 'no-store',
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      });
    } catch {
      throw new ApiError(NETWORK);
    }
    if (answer.ok) return answer;
    if (answer.status === 401 && this.signedIn) {
      this.signOut();
      this.lost();
    }
    throw new ApiError(answer.status, failuresOf(parse(await answer.text())));
  }
}

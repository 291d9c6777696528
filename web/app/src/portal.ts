// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what they see and do besides meetings (docs/c2w.md, section 4).

const KEPT = 'convoke.user';
const ELSEWHERE = 'convoke.elsewhere';

export type PortalProblem =
  | 'wrongLogin'
  | 'passwordExpired'
  | 'lockedOut'
  | 'noDirectory'
  | 'noSignIn'
  | 'unknownSignIn'
  | 'notProven'
  | 'expired'
  | 'notAllowed'
  | 'notFound'
  | 'taken'
  | 'invalidValue'
  | 'missing'
  | 'unknownUser'
  | 'alreadyMember'
  | 'passcodeTooShort'
  | 'tooMany'
  | 'tooLong'
  | 'notKept'
  | 'slowDown'
  | 'busy'
  | 'noBridge'
  | 'badRequest'
  | 'network';

/** Of a membership, as the API calls them. */
export const rights = [
  'canChangeName',
  'canChangeUri',
  'canChangeCallId',
  'canChangePasscode',
  'canChangeScope',
  'canChangeNonMemberAccessAllowed',
  'canAddRemoveMember',
  'canRemoveSelf',
  'canDestroy',
] as const;

export type Right = (typeof rights)[number];

export const scopes = ['public', 'member', 'directory', 'private'] as const;
export type Scope = (typeof scopes)[number];

export interface SpaceBrief {
  readonly id: string;
  readonly name?: string;
  readonly owner: boolean;
  readonly callId?: string;
  readonly uri?: string;
  readonly participants?: number;
}

/** How one gets in. */
export interface Way {
  readonly uri?: string;
  readonly callId?: string;
  readonly passcode?: string;
  readonly videoAddress?: string;
  readonly link?: string;
}

export interface AccessMethod extends Way {
  readonly id: string;
  readonly name?: string;
  readonly scope: Scope;
}

export interface Space extends Way {
  readonly id: string;
  readonly name?: string;
  readonly nonMemberAccess: boolean;
  readonly owner: boolean;
  readonly participants: number;
  readonly members: number;
  readonly rights: readonly string[];
  readonly accessMethods: readonly AccessMethod[];
}

export interface Member {
  readonly id: string;
  readonly userJid: string;
  readonly name?: string;
  readonly owner: boolean;
  readonly self: boolean;
  readonly rights: readonly string[];
}

export interface Template {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
}

export interface Found {
  readonly userJid: string;
  readonly name?: string;
}

export interface User {
  readonly token: string;
  readonly name: string;
  readonly jid: string;
}

/** Where else people can prove who they are. */
export interface Provider {
  readonly id: string;
  readonly name: string;
}

export interface Options {
  readonly signIn: boolean;
  readonly guests: boolean;
  readonly providers: readonly Provider[];
}

/** What came of a question: the value, or why there is none and which field is to blame. */
export type Answer<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: PortalProblem; readonly field?: string };

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

function readUser(): User | undefined {
  try {
    const user = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as User | null;
    return user !== null && typeof user.token === 'string' && typeof user.jid === 'string' ? user : undefined;
  } catch {
    return undefined;
  }
}

async function send<T>(method: Method, path: string, token: string | undefined, body: unknown): Promise<Answer<T>> {
  try {
    const response = await fetch(`/api/${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = (await response.json()) as { error?: PortalProblem; field?: string };
    if (response.ok) return { value: told as T };
    return { problem: told.error ?? 'busy', ...(told.field === undefined ? {} : { field: told.field }) };
  } catch {
    return { problem: 'network' };
  }
}

export class Portal {
  user = readUser();
  /** Undefined until the server has said it. */
  options: Options | undefined;
  /** The sign-in is over and the person has not signed in again. */
  expired = false;

  constructor(private readonly changed: () => void) {}

  async learnOptions(): Promise<void> {
    const answer = await send<Options>('GET', 'options', undefined, undefined);
    if (answer.value === undefined) return;
    this.options = answer.value;
    this.changed();
  }

  async signIn(username: string, password: string): Promise<PortalProblem | undefined> {
    const answer = await send<User>('POST', 'auth', undefined, { username, password });
    if (answer.value === undefined) return answer.problem;
    const { token, name, jid } = answer.value;
    this.keep({ token, name, jid });
    return undefined;
  }

  /** The browser leaves this page, unless there is a problem. */
  async goElsewhere(provider: string): Promise<PortalProblem | undefined> {
    const back = `${location.origin}/signin`;
    const answer = await send<{ url: string; state: string }>('POST', 'auth/elsewhere', undefined, { provider, back });
    if (answer.value === undefined) return answer.problem;
    try {
      sessionStorage.setItem(ELSEWHERE, answer.value.state);
    } catch {
      return 'unknownSignIn';
    }
    location.assign(answer.value.url);
    return undefined;
  }

  /** What the browser brought back from elsewhere, if it comes from there; it is out of the address then. */
  takeReturn(): URLSearchParams | undefined {
    const query = new URLSearchParams(location.search);
    if (!query.has('state')) return undefined;
    history.replaceState(null, '', location.pathname);
    return query;
  }

  async comeBack(query: URLSearchParams): Promise<PortalProblem | undefined> {
    const state = query.get('state');
    let begun: string | null = null;
    try {
      begun = sessionStorage.getItem(ELSEWHERE);
      sessionStorage.removeItem(ELSEWHERE);
    } catch {
      /* As if this window had begun nothing. */
    }
    /* Somebody else's sign-in, offered by a link: whoever follows it would be them without knowing. */
    if (state === null || state !== begun) return 'unknownSignIn';
    const code = query.get('code');
    const brought = code === null ? { error: query.get('error') ?? 'no code' } : { code };
    const answer = await send<User>('POST', 'auth/elsewhere', undefined, { state, ...brought });
    if (answer.value === undefined) return answer.problem;
    const { token, name, jid } = answer.value;
    this.keep({ token, name, jid });
    return undefined;
  }

  signOut(): void {
    this.keep(undefined);
  }

  /** Whoever asked was told that the token is no good any more. */
  isOver(): void {
    if (this.user === undefined) return;
    this.keep(undefined);
    this.expired = true;
    this.changed();
  }

  async ask<T>(method: Method, path: string, body?: unknown): Promise<Answer<T>> {
    const answer = await send<T>(method, path, this.user?.token, body);
    if (answer.problem === 'expired') this.isOver();
    return answer;
  }

  private keep(user: User | undefined): void {
    this.user = user;
    this.expired = false;
    try {
      if (user === undefined) sessionStorage.removeItem(KEPT);
      else sessionStorage.setItem(KEPT, JSON.stringify(user));
    } catch {
      /* A private window forgets; that is its purpose. */
    }
    this.changed();
  }
}

/** "space:ID" in the place of an address: a space by its id, for who is signed in. */
const SPACE = 'space:';

export function addressOfSpace(id: string): string {
  return SPACE + id;
}

export function spaceOfAddress(address: string): string | undefined {
  return address.startsWith(SPACE) ? address.slice(SPACE.length) : undefined;
}

// SPDX-License-Identifier: Apache-2.0
// What the Call Bridge of the tests (bridge.mjs) knows of users: one directory, some spaces, in the words of
// docs/c2w.md, section 4.
import { randomUUID } from 'node:crypto';

const ALL = [
  'canDestroy', 'canAddRemoveMember', 'canChangeName', 'canChangeNonMemberAccessAllowed', 'canChangeUri', 'canChangeCallId',
  'canChangePasscode', 'canChangeScope', 'canRemoveSelf',
];

export class Portal {
  constructor(makeToken) {
    this.makeToken = makeToken;
    this.options = { signIn: true, guests: true, providers: [] };
    this.users = { 'ann@example.com': 'Ann Lee', 'ben@example.com': 'Ben Kim', 'cem@example.com': 'Cem' };
    this.refusal = undefined; // what every sign-in hears
    this.failure = undefined; // what every change hears: [status, body]
    this.over = false; // every token is too old
    this.templates = [{ id: randomUUID(), name: 'Team', description: 'A host, and guests who wait for one.' }];
    this.spaces = [
      this.space('Design & build', '1001', {
        uri: 'design', videoAddress: 'design@example.com', link: 'https://meet.example.com/meeting/1001?secret=abc', passcode: '4711',
        accessMethods: [
          { id: randomUUID(), name: 'Guests', scope: 'public', callId: '2002', link: 'https://meet.example.com/meeting/2002?secret=def' },
          { id: randomUUID(), name: 'Hosts', scope: 'private', uri: 'design.host', videoAddress: 'design.host@example.com', passcode: '99' },
        ],
      }),
      { ...this.space('가족 회의', '3003'), owner: false, rights: [], participants: 2 },
    ];
  }

  space(name, callId, more = {}) {
    const self = { id: randomUUID(), userJid: 'ann@example.com', name: 'Ann Lee', owner: true, self: true, rights: ALL };
    return { id: randomUUID(), name, callId, nonMemberAccess: true, owner: true, participants: 0, rights: ALL, accessMethods: [], people: [self], ...more };
  }

  signIn({ username, password }) {
    if (this.refusal !== undefined) return { type: 'refused', reason: this.refusal };
    const name = this.users[username];
    if (name === undefined || password !== 'secret') return { type: 'refused', reason: 'wrongLogin' };
    return { type: 'signedIn', token: this.makeToken({ user: username, name }), name, jid: username };
  }

  /** Its provider is a page of ours that says nothing; what is brought back is anybody's code. */
  signInElsewhere({ provider, back, state, code }) {
    if (this.refusal !== undefined) return { type: 'refused', reason: this.refusal };
    if (provider !== undefined) return { type: 'elsewhere', url: `${back}/../health?for=${provider}`, state: 'state-1' };
    if (state !== 'state-1') return { type: 'refused', reason: 'unknownSignIn' };
    if (code !== 'code-1') return { type: 'refused', reason: 'notProven' };
    return this.signIn({ username: 'ann@example.com', password: 'secret' });
  }

  /** [status, body] */
  ask({ token, method, path, body }) {
    const [way, query = ''] = path.split('?');
    const wanted = new URLSearchParams(query);
    const [what, id, inside, of, last] = way.split('/');
    if (what === 'options') return [200, this.options];
    if (!['coSpaceTemplates', 'userLookup', 'cospaceLookup', 'cospaces'].includes(what)) return [404, { error: 'notFound' }];
    if (token === undefined || this.over) return [401, { error: 'expired' }];
    const sent = body === undefined ? {} : JSON.parse(body);
    if (what === 'coSpaceTemplates') return [200, { coSpaceTemplates: this.templates }];
    if (what === 'userLookup') {
      const users = Object.entries(this.users).map(([userJid, name]) => ({ userJid, name }));
      return [200, { users: users.filter(({ userJid, name }) => `${userJid} ${name}`.toLowerCase().includes(wanted.get('query').toLowerCase())) }];
    }
    if (what === 'cospaceLookup') return [200, { cospaces: wanted.get('query') === 'town' ? [{ name: 'Town hall', callId: '1001' }] : [] }];
    if (method !== 'get' && inside !== 'emailInvitation' && last !== 'emailInvitation' && this.failure !== undefined) return this.failure;
    if (id === undefined && method === 'get') {
      const offset = Number(wanted.get('offset') ?? 0);
      const brief = ({ id: of, name, owner, callId, uri, participants }) => ({ id: of, name, owner, callId, uri, ...(participants ? { participants } : {}) });
      return [200, { cospaces: this.spaces.slice(offset, offset + 50).map(brief), total: this.spaces.length }];
    }
    if (id === undefined) {
      this.spaces.push(this.space(sent.name, '5005'));
      return [201, { id: this.spaces.at(-1).id }];
    }
    const space = this.spaces.find((each) => each.id === id);
    if (space === undefined) return [404, { error: 'notFound' }];
    return this.inSpace(space, method, inside, of, last, sent);
  }

  inSpace(space, method, inside, id, last, sent) {
    if (inside === 'emailInvitation' || last === 'emailInvitation')
      return [200, { language: sent.language, text: `${sent.language}: ${space.name}\nhttps://meet.example.com/meeting/${space.callId}\n` }];
    if (inside === undefined) {
      const { people, ...shown } = space;
      if (method === 'get') return [200, { ...shown, members: people.length }];
      if (method === 'delete') this.spaces = this.spaces.filter((each) => each !== space);
      else Object.assign(space, sent);
      return [200, {}];
    }
    const list = inside === 'members' ? 'people' : 'accessMethods';
    if (method === 'get') return [200, { members: space.people, total: space.people.length }];
    if (method === 'post') {
      if (list === 'people' && this.users[sent.userJid] === undefined) return [400, { error: 'unknownUser', field: 'userJid' }];
      const rights = ALL.filter((right) => sent[right] === true);
      const made = list === 'people'
        ? { id: randomUUID(), userJid: sent.userJid, name: this.users[sent.userJid], owner: false, self: false, rights }
        : { id: randomUUID(), scope: 'public', ...sent };
      space[list].push(made);
      return [201, { id: made.id }];
    }
    const at = space[list].findIndex((each) => each.id === id);
    if (method === 'delete') space[list].splice(at, 1);
    else if (list === 'people') space.people[at].rights = ALL.filter((right) => sent[right] ?? space.people[at].rights.includes(right));
    else Object.assign(space.accessMethods[at], sent);
    return [200, {}];
  }
}

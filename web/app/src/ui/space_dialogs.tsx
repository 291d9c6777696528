// SPDX-License-Identifier: Apache-2.0
// The windows of a space's page: what is changed, asked, copied.

import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../app';
import {
  rights,
  scopes,
  type AccessMethod,
  type Answer,
  type Found,
  type Member,
  type PortalProblem,
  type Right,
  type Scope,
  type Space,
} from '../portal';
import { languages, type Language } from '../strings';
import { Dialog, Field } from './parts';
import { SPACE_NAME_MAX, Trouble } from './spaces';

const URI_MAX = 120;
const ID_MAX = 32;
const PASSCODE_MAX = 32;
const SEARCH_MS = 250;
const SEARCH_MIN = 2;
const LOCALES: Record<Language, string> = { en: 'en_US', fr: 'fr_FR', ko: 'ko_KR' };

interface WindowProps {
  readonly close: () => void;
  readonly done: () => void;
}

interface FormProps extends WindowProps {
  readonly title: string;
  /** Sends it; what comes back is shown, or the window closes. */
  readonly save: () => Promise<Answer<unknown>>;
  readonly children: (field: (name: string) => string | undefined) => preact.ComponentChildren;
}

function Form({ title, save, close, done, children }: FormProps) {
  const { strings } = useApp();
  const [answer, setAnswer] = useState<Answer<unknown>>();
  const submit = async (event: Event) => {
    event.preventDefault();
    const told = await save();
    setAnswer(told);
    if (told.problem === undefined) done();
  };
  const blamed = answer?.problem !== undefined ? answer.field : undefined;
  const errorOf = (name: string) =>
    answer?.problem !== undefined && blamed === name ? strings.portal.problems[answer.problem] : undefined;
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        {blamed === undefined && <Trouble problem={answer?.problem} />}
        {children(errorOf)}
        <div class="row">
          <button type="button" class="quiet" onClick={close}>
            {strings.cancel}
          </button>
          <button type="submit" class="main">
            {strings.portal.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What differs from what was; nothing else is sent. */
function changes(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => (before[name] ?? '') !== value));
}

export function EditSpace({ space, close, done }: { space: Space } & WindowProps) {
  const { strings, portal } = useApp();
  const has = (right: Right) => space.rights.includes(right);
  const [name, setName] = useState(space.name ?? '');
  const [uri, setUri] = useState(space.uri ?? '');
  const [callId, setCallId] = useState(space.callId ?? '');
  const [passcode, setPasscode] = useState(space.passcode ?? '');
  const [nonMemberAccess, setOpenTo] = useState(space.nonMemberAccess);
  const before = { ...space };
  const save = () =>
    portal.ask('PUT', `cospaces/${space.id}`, changes(before, { name: name.trim(), uri: uri.trim(), callId: callId.trim(), passcode: passcode.trim(), nonMemberAccess }));
  return (
    <Form title={strings.portal.changeSpace} save={save} close={close} done={done}>
      {(error) => (
        <>
          {has('canChangeName') && <Field label={strings.portal.name} value={name} change={setName} error={error('name')} maxLength={SPACE_NAME_MAX} />}
          {has('canChangeUri') && <Field label={strings.portal.uri} value={uri} change={setUri} hint={strings.portal.uriHint} error={error('uri')} maxLength={URI_MAX} />}
          {has('canChangeCallId') && <Field label={strings.meetingIdOnly} value={callId} change={setCallId} hint={strings.portal.digits} error={error('callId')} maxLength={ID_MAX} />}
          {has('canChangePasscode') && (
            <Field label={strings.passcode} value={passcode} change={setPasscode} hint={strings.portal.passcodeHint} error={error('passcode')} maxLength={PASSCODE_MAX} />
          )}
          {has('canChangeNonMemberAccessAllowed') && (
            <label class="switch-line">
              <input type="checkbox" checked={nonMemberAccess} onChange={(event) => setOpenTo(event.currentTarget.checked)} />
              {strings.portal.nonMembers}
            </label>
          )}
        </>
      )}
    </Form>
  );
}

export function EditMethod({ space, method, close, done }: { space: Space; method?: AccessMethod } & WindowProps) {
  const { strings, portal } = useApp();
  const has = (right: Right) => space.rights.includes(right);
  const [name, setName] = useState(method?.name ?? '');
  const [uri, setUri] = useState(method?.uri ?? '');
  const [callId, setCallId] = useState(method?.callId ?? '');
  const [passcode, setPasscode] = useState(method?.passcode ?? '');
  const [scope, setScope] = useState<Scope>(method?.scope ?? 'public');
  const before: Record<string, unknown> = { scope: 'public', ...method };
  const save = () => {
    const body = changes(before, { name: name.trim(), uri: uri.trim(), callId: callId.trim(), passcode: passcode.trim(), scope });
    const path = `cospaces/${space.id}/accessMethods`;
    return method === undefined ? portal.ask('POST', path, body) : portal.ask('PUT', `${path}/${method.id}`, body);
  };
  return (
    <Form title={method === undefined ? strings.portal.addMethod : strings.portal.changeMethod} save={save} close={close} done={done}>
      {(error) => (
        <>
          {has('canChangeName') && <Field label={strings.portal.name} value={name} change={setName} error={error('name')} maxLength={SPACE_NAME_MAX} />}
          {has('canChangeUri') && <Field label={strings.portal.uri} value={uri} change={setUri} hint={strings.portal.uriHint} error={error('uri')} maxLength={URI_MAX} />}
          {has('canChangeCallId') && <Field label={strings.meetingIdOnly} value={callId} change={setCallId} hint={strings.portal.digits} error={error('callId')} maxLength={ID_MAX} />}
          {has('canChangePasscode') && (
            <Field label={strings.passcode} value={passcode} change={setPasscode} hint={strings.portal.passcodeHint} error={error('passcode')} maxLength={PASSCODE_MAX} />
          )}
          {has('canChangeScope') && (
            <div class="field">
              <label for="scope">{strings.portal.scope}</label>
              <select id="scope" value={scope} onChange={(event) => setScope(event.currentTarget.value as Scope)}>
                {scopes.map((each) => (
                  <option key={each} value={each}>
                    {strings.portal.scopes[each]}
                  </option>
                ))}
              </select>
            </div>
          )}
        </>
      )}
    </Form>
  );
}

/** Whom the words typed so far may mean. */
function useFound(query: string): readonly Found[] {
  const { portal } = useApp();
  const [found, setFound] = useState<readonly Found[]>([]);
  useEffect(() => {
    const words = query.trim();
    if (words.length < SEARCH_MIN) {
      setFound([]);
      return undefined;
    }
    let wanted = true;
    const timer = window.setTimeout(() => {
      void portal.ask<{ users: readonly Found[] }>('GET', `userLookup?${new URLSearchParams({ query: words }).toString()}`).then((answer) => {
        if (wanted) setFound(answer.value?.users ?? []);
      });
    }, SEARCH_MS);
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [query, portal]);
  return found;
}

export function EditMember({ space, member, close, done }: { space: Space; member?: Member } & WindowProps) {
  const { strings, portal } = useApp();
  const [jid, setJid] = useState(member?.userJid ?? '');
  const [given, setGiven] = useState<readonly string[]>(member?.rights ?? ['canRemoveSelf'].filter((right) => space.rights.includes(right)));
  const found = useFound(member === undefined ? jid : '');
  const before = new Set<string>(member?.rights ?? ['canChangeNonMemberAccessAllowed']);
  const save = () => {
    const path = `cospaces/${space.id}/members`;
    const body = Object.fromEntries(rights.filter((right) => before.has(right) !== given.includes(right)).map((right) => [right, given.includes(right)]));
    return member === undefined ? portal.ask('POST', path, { userJid: jid.trim(), ...body }) : portal.ask('PUT', `${path}/${member.id}`, body);
  };
  return (
    <Form title={member === undefined ? strings.portal.addMember : strings.portal.rightsOf(member.name ?? member.userJid)} save={save} close={close} done={done}>
      {(error) => (
        <>
          {member === undefined && (
            <>
              <Field label={strings.portal.whom} value={jid} change={setJid} hint={strings.portal.whomHint} error={error('userJid')} maxLength={URI_MAX} />
              {found.length !== 0 && !found.some(({ userJid }) => userJid === jid) && (
                <ul class="found" aria-label={strings.portal.found}>
                  {found.map(({ userJid, name }) => (
                    <li key={userJid}>
                      <button type="button" class="small" onClick={() => setJid(userJid)}>
                        {name === undefined ? userJid : `${name} (${userJid})`}
                      </button>
                    </li>
                  ))}
                </ul>
              )}
            </>
          )}
          <fieldset>
            <legend>{strings.portal.rights}</legend>
            {rights
              .filter((right) => space.rights.includes(right) || given.includes(right))
              .map((right) => (
                <label class="switch-line" key={right}>
                  <input
                    type="checkbox"
                    checked={given.includes(right)}
                    onChange={(event) => setGiven(event.currentTarget.checked ? [...given, right] : given.filter((each) => each !== right))}
                  />
                  {strings.portal.rightNames[right]}
                </label>
              ))}
          </fieldset>
        </>
      )}
    </Form>
  );
}

export function Invite({ path, close }: { path: string; close: () => void }) {
  const app = useApp();
  const { strings, portal } = app;
  const [language, setLanguage] = useState<Language>(app.language);
  const [answer, setAnswer] = useState<Answer<{ text: string }>>();
  useEffect(() => {
    void portal.ask<{ text: string }>('POST', `${path}/emailInvitation`, { language: LOCALES[language] }).then(setAnswer);
  }, [path, language, portal]);
  const text = answer?.value?.text ?? '';
  return (
    <Dialog title={strings.portal.invitation} close={close}>
      <Trouble problem={answer?.problem} />
      <div class="field">
        <label for="invitation-language">{strings.portal.invitationLanguage}</label>
        <select id="invitation-language" value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
          {(Object.keys(languages) as Language[]).map((each) => (
            <option key={each} value={each} lang={each}>
              {languages[each].language}
            </option>
          ))}
        </select>
      </div>
      <textarea class="invitation" aria-label={strings.portal.invitation} readOnly rows={8} value={text} lang={language} />
      <div class="row">
        <button type="button" class="quiet" onClick={close}>
          {strings.close}
        </button>
        <button type="button" class="main" onClick={() => void app.copy(text)}>
          {strings.portal.copy}
        </button>
      </div>
    </Dialog>
  );
}

interface QuestionProps extends WindowProps {
  readonly title: string;
  readonly text: string;
  readonly act: string;
  readonly path: string;
}

/** Before something is gone for good. */
export function Question({ title, text, act, path, close, done }: QuestionProps) {
  const { strings, portal } = useApp();
  const [problem, setProblem] = useState<PortalProblem>();
  const submit = async () => {
    const answer = await portal.ask('DELETE', path);
    if (answer.problem === undefined) done();
    else setProblem(answer.problem);
  };
  return (
    <Dialog title={title} close={close}>
      <Trouble problem={problem} />
      {text !== '' && <p>{text}</p>}
      <div class="row">
        <button type="button" class="quiet" onClick={close}>
          {strings.cancel}
        </button>
        <button type="button" class="main danger" onClick={() => void submit()}>
          {act}
        </button>
      </div>
    </Dialog>
  );
}

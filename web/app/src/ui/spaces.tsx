// SPDX-License-Identifier: Apache-2.0
// Home of who is signed in: their spaces, and a new one.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { useApp } from '../app';
import { addressOfSpace, type Answer, type PortalProblem, type SpaceBrief, type Template } from '../portal';
import { Dialog, Field, Page, Title } from './parts';

export const SPACE_NAME_MAX = 120;

const SEARCH_MAX = 60;

/** One found by FindSpace. */
interface Open {
  readonly name?: string;
  readonly callId?: string;
  readonly uri?: string;
}

interface Listed {
  readonly cospaces: readonly SpaceBrief[];
  readonly total: number;
}

/** What is asked for once the page is there; `again` asks anew. */
export function useAnswer<T>(path: string): { answer: Answer<T> | undefined; again: () => Promise<void> } {
  const { portal } = useApp();
  const [answer, setAnswer] = useState<Answer<T>>();
  const again = useCallback(async () => setAnswer(await portal.ask<T>('GET', path)), [portal, path]);
  useEffect(() => {
    void again();
  }, [again]);
  return { answer, again };
}

export function Trouble({ problem }: { problem: PortalProblem | undefined }) {
  const { strings } = useApp();
  if (problem === undefined) return null;
  return (
    <p class="trouble" role="alert">
      {strings.portal.problems[problem]}
    </p>
  );
}

function SpaceRow({ space }: { space: SpaceBrief }) {
  const app = useApp();
  const { strings } = app;
  const name = space.name ?? space.uri ?? space.callId ?? strings.portal.unnamed;
  return (
    <li>
      <span class="space-what">
        <a
          href={`/spaces/${space.id}`}
          onClick={(event) => {
            event.preventDefault();
            app.visit(`/spaces/${space.id}`);
          }}
        >
          {name}
        </a>
        <span class="note">
          {[
            space.callId === undefined ? '' : strings.portal.idIs(space.callId),
            space.owner ? strings.portal.yours : '',
            space.participants === undefined ? '' : strings.portal.peopleIn(space.participants),
          ]
            .filter((part) => part !== '')
            .join(' · ')}
        </span>
      </span>
      <button type="button" class="main" aria-label={strings.portal.joinSpace(name)} onClick={() => app.go(addressOfSpace(space.id))}>
        {strings.join}
      </button>
    </li>
  );
}

function NewSpace({ templates, close }: { templates: readonly Template[]; close: () => void }) {
  const app = useApp();
  const { strings, portal } = app;
  const [name, setName] = useState('');
  const [template, setTemplate] = useState(templates[0]?.id ?? '');
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState<PortalProblem>();
  const chosen = templates.find(({ id }) => id === template);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (name.trim() === '') return setMissing(true);
    const answer = await portal.ask<{ id: string }>('POST', 'cospaces', { coSpaceTemplateId: template, name: name.trim() });
    if (answer.value === undefined) return setProblem(answer.problem);
    close();
    app.visit(`/spaces/${answer.value.id}`);
  };
  return (
    <Dialog title={strings.portal.newSpace} close={close}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Trouble problem={problem} />
        <Field
          label={strings.portal.name}
          value={name}
          change={setName}
          error={missing && name.trim() === '' ? strings.portal.nameNeeded : undefined}
          maxLength={SPACE_NAME_MAX}
        />
        <div class="field">
          <label for="template">{strings.portal.template}</label>
          <select
            id="template"
            value={template}
            aria-describedby="template-note"
            onChange={(event) => setTemplate(event.currentTarget.value)}
          >
            {templates.map((each, index) => (
              <option key={each.id} value={each.id}>
                {each.name ?? strings.numbered(strings.portal.template, index + 1)}
              </option>
            ))}
          </select>
          <p id="template-note" class="note">
            {chosen?.description ?? ''}
          </p>
        </div>
        <div class="row">
          <button type="button" class="quiet" onClick={close}>
            {strings.cancel}
          </button>
          <button type="submit" class="main">
            {strings.portal.create}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Spaces that everybody of one's organisation may find. */
function FindSpace() {
  const app = useApp();
  const { strings, portal } = app;
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<Answer<{ cospaces: readonly Open[] }>>();
  const submit = async (event: Event) => {
    event.preventDefault();
    setFound(await portal.ask('GET', `cospaceLookup?${new URLSearchParams({ query: query.trim() }).toString()}`));
  };
  const spaces = found?.value?.cospaces ?? [];
  return (
    <section class="find" aria-labelledby="find">
      <h2 id="find">{strings.portal.findSpace}</h2>
      <form role="search" onSubmit={(event) => void submit(event)} noValidate>
        <Field label={strings.portal.partOfName} value={query} change={setQuery} hint={strings.portal.findHint} maxLength={SEARCH_MAX} />
        <button type="submit" class="quiet">
          {strings.portal.find}
        </button>
      </form>
      <Trouble problem={found?.problem} />
      <p class="note" role="status">
        {found?.value !== undefined && spaces.length === 0 ? strings.portal.noneFound : ''}
      </p>
      <ul class="spaces">
        {spaces.map(({ name = strings.portal.unnamed, callId, uri }) => (
          <li key={`${callId} ${uri}`}>
            <span class="space-what">
              <span>{name}</span>
              <span class="note">{callId === undefined ? uri : strings.portal.idIs(callId)}</span>
            </span>
            <button type="button" class="main" aria-label={strings.portal.joinSpace(name)} onClick={() => app.go(callId ?? uri ?? '')}>
              {strings.join}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Spaces() {
  const app = useApp();
  const { strings, portal } = app;
  const [later, setLater] = useState<readonly SpaceBrief[]>([]);
  const { answer } = useAnswer<Listed>('cospaces');
  const { answer: templates } = useAnswer<{ coSpaceTemplates: readonly Template[] }>('coSpaceTemplates');
  const [making, setMaking] = useState(false);
  const first = answer?.value?.cospaces ?? [];
  const spaces = [...first, ...later];
  const more = async () => {
    const next = await portal.ask<Listed>('GET', `cospaces?offset=${spaces.length}`);
    setLater([...later, ...(next.value?.cospaces ?? [])]);
  };
  const choices = templates?.value?.coSpaceTemplates ?? [];
  return (
    <Page wide>
      <div class="heading">
        <Title>{strings.portal.mySpaces}</Title>
        {choices.length !== 0 && (
          <button type="button" class="quiet" onClick={() => setMaking(true)}>
            {strings.portal.newSpace}
          </button>
        )}
      </div>
      <Trouble problem={answer?.problem} />
      <p class="lead" role="status">
        {answer === undefined ? strings.portal.loading : answer.value !== undefined && spaces.length === 0 ? strings.portal.noSpaces : ''}
      </p>
      <ul class="spaces">
        {spaces.map((space) => (
          <SpaceRow key={space.id} space={space} />
        ))}
      </ul>
      {answer?.value !== undefined && spaces.length < answer.value.total && (
        <button type="button" class="quiet" onClick={() => void more()}>
          {strings.portal.more}
        </button>
      )}
      <FindSpace />
      <button type="button" class="plain" onClick={() => app.go('')}>
        {strings.portal.otherMeeting}
      </button>
      {making && <NewSpace templates={choices} close={() => setMaking(false)} />}
    </Page>
  );
}

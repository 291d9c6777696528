// SPDX-License-Identifier: Apache-2.0
// The calls that run, who is in them, and what flows.

import { useRef, useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { CallSection, LEGS_PAGE, type Running } from './call';
import { Confirm, Title, Trouble, useSettled, useSlash, Waiting } from './parts';

const EVERY_MS = 2000;
const PAGE = 20;
const OPEN_AT_FIRST = 5; // calls of which everybody is shown without being asked for

export interface Question {
  readonly text: string;
  readonly yes: string;
  readonly address: string;
}

interface Page {
  readonly total: number;
  readonly calls: readonly Running[];
}

export function Calls() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const [offset, setOffset] = useState(0);
  const [legsFrom, setLegsFrom] = useState<Readonly<Record<string, number>>>({});
  const [asking, setAsking] = useState<Question>();
  const [trouble, setTrouble] = useState('');
  const [typed, setTyped] = useState('');
  const filter = useSettled(typed);
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);

  /* What ended while it was asked for is simply not shown. */
  const each = (rows: readonly Value[], address: string, object: string) =>
    Promise.all(rows.map((row) => api.get(`${address}/${text(at(row, 'id'))}`).then((one) => at(one, object)).catch(() => undefined)));

  const readLegs = async (id: string) => {
    const legs = await api.get(`calls/${id}/callLegs?limit=${LEGS_PAGE}&offset=${legsFrom[id] ?? 0}`).catch(() => ({}));
    return (await each(description.rows('callLeg', legs), 'callLegs', 'callLeg')).filter((leg): leg is Value => leg !== undefined);
  };
  const read = async (): Promise<Page> => {
    const words = filter === '' ? '' : `&filter=${encodeURIComponent(filter)}`;
    const answer = await api.get(`calls?limit=${PAGE}&offset=${offset}${words}`);
    const total = description.total('call', answer);
    const calls = await Promise.all(
      description.rows('call', answer).map(async (row): Promise<Running> => {
        const id = text(at(row, 'id'));
        const [call] = await each([row], 'calls', 'call');
        const open = turned.has(id) !== total <= OPEN_AT_FIRST;
        return { id, call: call ?? row, open, legs: open ? await readLegs(id) : [] };
      }),
    );
    return { total, calls };
  };
  const { value, error, again } = useReading(read, `calls ${offset} ${filter}`, EVERY_MS);

  const act = (what: () => Promise<unknown>) => {
    what().then(
      () => {
        setTrouble('');
        app.say(strings.done);
        again();
      },
      (why) => setTrouble(app.tell(why)),
    );
  };
  const toggle = (id: string) => {
    const next = new Set(turned);
    if (!next.delete(id)) next.add(id);
    setTurned(next);
    again();
  };
  const turnTo = (id: string, from: number) => {
    setLegsFrom({ ...legsFrom, [id]: from });
    again();
  };
  const shown = value?.calls.length ?? 0;
  return (
    <>
      <Title>{strings.calls}</Title>
      <div class="tools" role="search">
        <label for="call-filter">{strings.filter}</label>
        <input
          ref={field}
          id="call-filter"
          type="search"
          value={typed}
          aria-keyshortcuts="/"
          onInput={(event) => {
            setOffset(0);
            setTyped(event.currentTarget.value);
          }}
        />
      </div>
      <Trouble text={trouble || (value === undefined ? '' : error)} />
      {value === undefined && <Waiting error={error} />}
      {value?.total === 0 && <p class="soft">{strings.noCalls}</p>}
      {value?.calls.map((one) => (
        <CallSection
          key={one.id}
          running={one}
          from={legsFrom[one.id] ?? 0}
          turnTo={(from) => turnTo(one.id, from)}
          toggle={() => toggle(one.id)}
          act={act}
          ask={setAsking}
        />
      ))}
      {value !== undefined && value.total > PAGE && (
        <nav class="pager" aria-label={strings.next}>
          <span class="soft">{strings.range(offset + 1, offset + shown, value.total)}</span>
          {offset > 0 && (
            <button type="button" class="quiet" onClick={() => setOffset(Math.max(0, offset - PAGE))}>
              {strings.previous}
            </button>
          )}
          {offset + shown < value.total && (
            <button type="button" class="quiet" onClick={() => setOffset(offset + PAGE)}>
              {strings.next}
            </button>
          )}
        </nav>
      )}
      {asking !== undefined && (
        <Confirm
          text={asking.text}
          yes={asking.yes}
          done={(confirmed) => {
            setAsking(undefined);
            if (confirmed) act(() => api.delete(asking.address));
          }}
        />
      )}
    </>
  );
}

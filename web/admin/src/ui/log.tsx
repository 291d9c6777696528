// SPDX-License-Identifier: Apache-2.0
// The event log, newest below, as it grows.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useReading } from '../app';
import { Title, Trouble, useSettled, useSlash, Waiting } from './parts';

const EVERY_MS = 2000;
const LINES_MAX = 300;
const LEVELS = ['debug', 'info', 'warning', 'error'] as const;

function linesOf(answer: Value): Value[] {
  const lines = at(answer, 'eventLog', 'line');
  return lines === undefined ? [] : Array.isArray(lines) ? lines : [lines];
}

export function Log() {
  const { api, strings } = useApp();
  const id = useId();
  const [typed, setTyped] = useState('');
  const filter = useSettled(typed);
  const [level, setLevel] = useState<(typeof LEVELS)[number]>('debug');
  const [follow, setFollow] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useSlash(field);
  const asked = new URLSearchParams({ limit: String(LINES_MAX), level, ...(filter === '' ? {} : { filter }) }).toString();
  const { value, error } = useReading(async () => linesOf(await api.get(`system/eventLog?${asked}`)), asked, follow ? EVERY_MS : 0);
  const last = text(at(value?.[value.length - 1], 'number'));
  useEffect(() => {
    if (follow && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [last, asked, follow]);
  return (
    <>
      <Title>{strings.log}</Title>
      <div class="tools" role="search">
        <label for={`${id}-words`}>{strings.words}</label>
        <input ref={field} id={`${id}-words`} type="search" value={typed} aria-keyshortcuts="/" onInput={(event) => setTyped(event.currentTarget.value)} />
        <label for={`${id}-level`}>{strings.level}</label>
        <select id={`${id}-level`} value={level} onChange={(event) => setLevel(event.currentTarget.value as (typeof LEVELS)[number])}>
          {LEVELS.map((one) => (
            <option key={one} value={one}>
              {strings.levels[one]}
            </option>
          ))}
        </select>
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          {strings.follow}
        </label>
      </div>
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <>
          <Trouble text={error} />
          <p class="soft count">{value.length === 0 ? strings.noLines : strings.lineOf(value.length)}</p>
          <div class="log" ref={list} tabIndex={0} role="region" aria-label={strings.log}>
            <ol>
              {value.map((line) => (
                <li key={text(at(line, 'number'))} class={text(at(line, 'level')).toLowerCase()}>
                  <time>{text(at(line, 'time')).replace('T', ' ').replace('Z', '')}</time> <b>{text(at(line, 'level'))}</b> <span>{text(at(line, 'text'))}</span>
                </li>
              ))}
            </ol>
          </div>
        </>
      )}
    </>
  );
}

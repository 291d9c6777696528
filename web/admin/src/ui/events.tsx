// SPDX-License-Identifier: Apache-2.0
// What a management tool is told: this page subscribes to events and shows them as they come.

import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { useApp } from '../app';
import { ELEMENTS, Watcher, type Row, type Rows, type Socket } from '../events';
import { Badge, Title, Trouble, Wide, type Tone } from './parts';

const TONES: Readonly<Record<Watcher['state'], Tone>> = { open: 'good', connecting: 'warn', closed: 'bad' };

interface TableProps {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: Rows;
  readonly choose?: { readonly chosen: string; readonly set: (id: string) => void } | undefined;
}

function Table({ name, columns, rows, choose }: TableProps) {
  const { strings } = useApp();
  if (rows.size === 0) return <p class="soft">{strings.none}</p>;
  const [first = '', ...rest] = columns;
  return (
    <Wide name={name}>
      <table class="whole" aria-label={name}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...rows].map(([id, row]) => (
            <tr key={id}>
              <th scope="row">
                {choose === undefined ? (
                  row[first]
                ) : (
                  <button type="button" class="link" aria-pressed={choose.chosen === id} onClick={() => choose.set(choose.chosen === id ? '' : id)}>
                    {row[first] || id}
                  </button>
                )}
              </th>
              {rest.map((column) => (
                <td key={column}>{row[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

function Info({ info }: { info: Row }) {
  return (
    <dl class="facts">
      {Object.entries(info).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Events() {
  const { api, strings } = useApp();
  const [call, setCall] = useState('');
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const watcher = useRef<Watcher>();
  useEffect(() => {
    const open = async () => new WebSocket(`wss://${location.host}/events/v1?authToken=${await api.token()}`) as unknown as Socket;
    const here = new Watcher(open, () => draw(undefined));
    watcher.current = here;
    draw(undefined);
    return () => here.close();
  }, [api]);
  useEffect(() => watcher.current?.watch(call), [call]);
  const now = watcher.current;
  const state = now?.state ?? 'connecting';
  const name = now?.calls.get(call)?.name ?? '';
  return (
    <>
      <Title>{strings.events}</Title>
      <div class="tools">
        <Badge tone={TONES[state]}>{strings.eventStates[state]}</Badge>
        <span class="soft">{strings.eventsHelp}</span>
      </div>
      <Trouble text={state === 'closed' ? strings.refused(now?.why ?? '') : ''} />
      <h2>calls</h2>
      <Table name="calls" columns={ELEMENTS.calls} rows={now?.calls ?? new Map()} choose={{ chosen: call, set: setCall }} />
      {call !== '' && (
        <>
          <h2>callInfo: {name}</h2>
          <Info info={now?.info ?? {}} />
          <h2>callRoster: {name}</h2>
          <Table name="callRoster" columns={ELEMENTS.callRoster} rows={now?.roster ?? new Map()} />
        </>
      )}
      <div class="row">
        <h2>{strings.messages}</h2>
        <button type="button" class="quiet" onClick={() => now?.clear()}>
          {strings.clear}
        </button>
      </div>
      <div class="log short" tabIndex={0} role="region" aria-label={strings.messages}>
        <ol>
          {now?.messages.map((message) => (
            <li key={message.number}>
              <time>{message.at.toLocaleTimeString()}</time> <b>{message.type}</b> <span>{message.body}</span>
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}

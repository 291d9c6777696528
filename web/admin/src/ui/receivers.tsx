// SPDX-License-Identifier: Apache-2.0
// Who is sent call detail records, how well they take them, and a test of each.

import { useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { linkTo } from '../route';
import { Badge, clock, Title, Trouble, Waiting, Wide, type Tone } from './parts';

const EVERY_MS = 3000;
const TEST_EVERY_MS = 250;
const TEST_MS_MAX = 35_000; // a little more than the bridge waits for an answer

const TONES: Readonly<Record<string, Tone>> = { success: 'good', unused: 'warn' };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function Receivers() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const [results, setResults] = useState<Readonly<Record<string, string>>>({});
  const [trouble, setTrouble] = useState('');
  const status = async (id: string): Promise<Value | undefined> =>
    at(await api.get(`system/cdrReceivers/${id}/status`).catch(() => ({})), 'cdrReceiver');
  const { value, error, again } = useReading(
    async () => {
      const [answer, bridge] = await Promise.all([api.get('system/cdrReceivers'), api.get('system/status')]);
      const rows = await Promise.all(
        description.rows('cdrReceiver', answer).map(async (row) => ({ row, state: await status(text(at(row, 'id'))) })),
      );
      return { rows, next: text(at(bridge, 'status', 'cdrCorrelatorIndex')) };
    },
    'receivers',
    EVERY_MS,
  );

  const note = (id: string, what: string) => {
    setResults((before) => ({ ...before, [id]: what }));
    if (what !== strings.testing) app.say(what);
  };
  const test = async (id: string) => {
    try {
      const count = (state: Value | undefined) => Number(text(at(state, 'deliveries')) || 0);
      const before = count(await status(id));
      note(id, strings.testing);
      await api.post(`system/cdrReceivers/${id}/sendTest`, {});
      for (const end = Date.now() + TEST_MS_MAX; Date.now() < end; await pause(TEST_EVERY_MS)) {
        const state = await status(id);
        if (count(state) === before) continue;
        const ms = text(at(state, 'answerMilliseconds'));
        note(id, text(at(state, 'status')) === 'success' ? strings.testTaken(ms) : strings.testFailed(text(at(state, 'lastError'))));
        again();
        return;
      }
      note(id, strings.testFailed(strings.unreachable));
    } catch (why) {
      note(id, '');
      setTrouble(app.tell(why));
    }
  };
  const heads = [strings.receiver, strings.state, strings.waiting, strings.lastSuccess, strings.lastError, strings.actions];
  return (
    <>
      <Title>{strings.receivers}</Title>
      <div class="tools">
        <a class="main" href={linkTo('system/cdrReceivers', { new: '1' })}>
          {strings.create}
        </a>
        {value !== undefined && <span class="soft">{strings.nextRecord(value.next)}</span>}
      </div>
      <Trouble text={trouble || (value === undefined ? '' : error)} />
      {value === undefined ? (
        <Waiting error={error} />
      ) : value.rows.length === 0 ? (
        <p class="soft">{strings.noReceivers}</p>
      ) : (
        <Wide name={strings.receivers}>
          <table class="stacked" aria-label={strings.receivers}>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {value.rows.map(({ row, state }) => {
                const id = text(at(row, 'id'));
                const uri = text(at(row, 'uri')) || id;
                const of = (name: string) => text(at(state, name));
                const how = of('status') || 'unused';
                return (
                  <tr key={id}>
                    <th scope="row">
                      <a href={linkTo(`system/cdrReceivers/${id}`)}>{uri}</a>
                    </th>
                    <td data-name={strings.state}>
                      <Badge tone={TONES[how] ?? 'bad'}>{strings.receiverStates[how] ?? how}</Badge>
                      {of('nextAttemptSeconds') !== '' && <div class="soft">{strings.nextAttempt(of('nextAttemptSeconds'))}</div>}
                    </td>
                    <td data-name={strings.waiting}>{of('recordsWaiting')}</td>
                    <td data-name={strings.lastSuccess}>{clock(of('lastSuccessTime'))}</td>
                    <td data-name={strings.lastError}>
                      {of('lastError')}
                      {of('lastErrorTime') !== '' && <div class="soft">{clock(of('lastErrorTime'))}</div>}
                    </td>
                    <td>
                      <button
                        type="button"
                        class="quiet"
                        aria-label={strings.of(strings.test, uri)}
                        disabled={results[id] === strings.testing}
                        onClick={() => void test(id)}
                      >
                        {strings.test}
                      </button>
                      <div>{results[id]}</div>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Wide>
      )}
      <p class="soft">{strings.testHelp}</p>
    </>
  );
}

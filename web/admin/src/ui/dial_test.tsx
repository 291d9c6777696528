// SPDX-License-Identifier: Apache-2.0
// What the dial plan would do with an address: the API is asked, nobody is called.

import { useId, useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription } from '../app';
import { linkTo } from '../route';
import { Badge, Title, Trouble, type Tone } from './parts';

const TONES: Readonly<Record<string, Tone>> = { refused: 'bad' };

/** What an answer may name, in the order in which it is asked. */
const NAMED = ['inboundDialPlanRule', 'coSpace', 'ivr', 'forwardingDialPlanRule', 'dialTransform'] as const;

interface Step {
  readonly object: string;
  readonly address: string;
  readonly told: string;
}

export function DialTest() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const id = useId();
  const [address, setAddress] = useState('');
  const [direction, setDirection] = useState('incoming');
  const [result, setResult] = useState<{ readonly answer: Value; readonly steps: readonly Step[] }>();
  const [trouble, setTrouble] = useState('');

  const told = (object: string, row: Value | undefined) => {
    const fields = description.fields(object).filter(({ shown, refers }) => shown && refers === '');
    return fields
      .map(({ name }) => [name, text(at(row, name))])
      .filter(([, value]) => value !== '')
      .slice(0, 6)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  };
  const stepOf = async (object: string, row: Value): Promise<Step> => {
    const collection = description.collectionOf(object) ?? '';
    const one = `${collection}/${text(typeof row === 'object' ? at(row, 'id') : row)}`;
    const whole = at(await api.get(one).catch(() => ({})), object);
    return { object, address: one, told: told(object, whole) };
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const answer = at((await api.post('dialPlanQuery', { address: address.trim(), direction })).answer, 'dialPlanQuery') ?? {};
      const routes = at(answer, 'outboundDialPlanRule');
      const steps = await Promise.all([
        ...NAMED.flatMap((object) => {
          const named = at(answer, object);
          return named === undefined ? [] : [stepOf(object, named)];
        }),
        ...(Array.isArray(routes) ? routes : []).map((route) => stepOf('outboundDialPlanRule', route)),
      ]);
      setTrouble('');
      setResult({ answer, steps });
    } catch (why) {
      setResult(undefined);
      setTrouble(app.tell(why));
    }
  };
  const of = (name: string) => text(at(result?.answer, name));
  return (
    <>
      <Title>{strings.dialTest}</Title>
      <p class="soft">{strings.dialTestHelp}</p>
      <form class="strip" aria-label={strings.dialTest} onSubmit={(event) => void submit(event)}>
        <div class="field wide">
          <label for={`${id}-address`}>{strings.address}</label>
          <input
            id={`${id}-address`}
            value={address}
            required
            autocapitalize="off"
            spellcheck={false}
            placeholder="anna@example.com"
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for={`${id}-direction`}>{strings.direction}</label>
          <select id={`${id}-direction`} value={direction} onChange={(event) => setDirection(event.currentTarget.value)}>
            <option value="incoming">{strings.fromOutside}</option>
            <option value="outgoing">{strings.fromHere}</option>
          </select>
        </div>
        <button type="submit" class="main">
          {strings.test}
        </button>
      </form>
      <Trouble text={trouble} />
      {result !== undefined && (
        <section aria-live="polite">
          <p>
            <Badge tone={TONES[of('outcome')] ?? 'good'}>{strings.outcomes[of('outcome')] ?? of('outcome')}</Badge> {of('reason')}
            {of('dialled') !== '' && ` ${strings.dialled(of('dialled'))}`}
          </p>
          <ol class="steps">
            {result.steps.map((step) => (
              <li key={step.address}>
                <a href={linkTo(step.address)}>{step.object}</a> <span class="soft">{step.told}</span>
              </li>
            ))}
          </ol>
          {result.steps.length === 0 && <p class="soft">{strings.noRule}</p>}
        </section>
      )}
    </>
  );
}

// SPDX-License-Identifier: Apache-2.0
// Any request by hand, with a form for what the method takes; and what was asked so far.

import { useId, useState } from 'preact/hooks';
import type { Answer, Asked, Form as Sent, Method } from '../api';
import { useApp, useDescription } from '../app';
import { Fields } from './form';
import { Badge, Confirm, Title, Trouble, Wide } from './parts';
import { Source } from './ways';

const SHOWN_MAX = 50;

/** What was sent, without what is secret. */
function useOpen(): (asked: Asked) => Sent {
  const description = useDescription();
  return ({ path, form }) => {
    const place = description.placeOf(path.replace(/\?.*/, ''));
    const secret = new Set(place === undefined ? [] : description.fields(place.object).filter((field) => field.secret).map(({ name }) => name));
    return Object.fromEntries(Object.entries(form).filter(([name]) => !secret.has(name)));
  };
}

export function Console() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const openOf = useOpen();
  const id = useId();
  const [path, setPath] = useState(app.route.query.get('path') ?? 'system/status');
  const [method, setMethod] = useState<Method>('GET');
  const [type, setType] = useState('text/xml');
  const [typed, setTyped] = useState<Sent>({});
  const [answer, setAnswer] = useState<Answer>();
  const [trouble, setTrouble] = useState('');
  const [asking, setAsking] = useState(false);
  const place = description.placeOf(path.replace(/\?.*/, ''));
  const methods = (place?.methods ?? ['GET', 'POST', 'PUT', 'DELETE']) as readonly Method[];
  const chosen = methods.includes(method) ? method : (methods[0] ?? 'GET');
  const fields = place === undefined ? [] : description.parameters(place, chosen);

  const send = async () => {
    try {
      const named = new Set(fields.map(({ name }) => name));
      const form = Object.fromEntries(Object.entries(typed).filter(([name]) => named.has(name)));
      setAnswer(await api.raw(chosen, path, type, form));
      setTrouble('');
    } catch (why) {
      setAnswer(undefined);
      setTrouble(app.tell(why));
    }
  };
  return (
    <>
      <Title>{strings.console}</Title>
      <form
        class="object"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen === 'DELETE') setAsking(true);
          else void send();
        }}
      >
        <div class="strip">
          <div class="field">
            <label for={`${id}-method`}>{strings.method}</label>
            <select id={`${id}-method`} value={chosen} onChange={(event) => setMethod(event.currentTarget.value as Method)}>
              {methods.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </div>
          <div class="field wide">
            <label for={`${id}-path`}>/api/v1/</label>
            <input
              id={`${id}-path`}
              value={path}
              autocapitalize="off"
              spellcheck={false}
              list={`${id}-paths`}
              onInput={(event) => setPath(event.currentTarget.value.replace(/^\/?(api\/v1\/)?/, ''))}
            />
            <datalist id={`${id}-paths`}>
              {description.places.map(({ template }) => (
                <option key={template} value={template} />
              ))}
            </datalist>
          </div>
          <div class="field">
            <label for={`${id}-type`}>Accept</label>
            <select id={`${id}-type`} value={type} onChange={(event) => setType(event.currentTarget.value)}>
              <option value="text/xml">XML</option>
              <option value="application/json">JSON</option>
            </select>
          </div>
          <button type="submit" class={chosen === 'DELETE' ? 'main danger' : 'main'}>
            {strings.send}
          </button>
        </div>
        {fields.length > 0 && (
          <details>
            <summary>{strings.parameters(fields.length)}</summary>
            <Fields fields={fields} values={typed} wrong={{}} change={(name, value) => setTyped((before) => ({ ...before, [name]: value }))} />
          </details>
        )}
      </form>
      <Trouble text={trouble} />
      {answer !== undefined && (
        <section aria-live="polite">
          <p>
            <Badge tone={answer.status < 300 ? 'good' : 'bad'}>{String(answer.status)}</Badge> {answer.made !== '' && `Location: /api/v1/${answer.made}`}
          </p>
          {answer.body !== '' && <Source address={path} body={answer.body} />}
        </section>
      )}
      <h2>{strings.history}</h2>
      <Wide name={strings.history}>
        <table class="whole" aria-label={strings.history}>
          <thead>
            <tr>
              {[strings.time, strings.method, strings.path, strings.state, 'ms'].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {api.history.slice(0, SHOWN_MAX).map((asked) => (
              <tr key={`${asked.at.getTime()} ${asked.method} ${asked.path}`}>
                <td>{asked.at.toLocaleTimeString()}</td>
                <td>{asked.method}</td>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    onClick={() => {
                      setMethod(asked.method);
                      setPath(asked.path);
                      setTyped(openOf(asked));
                      document.getElementById(`${id}-path`)?.focus();
                    }}
                  >
                    {asked.path}
                  </button>
                  <div class="soft">{new URLSearchParams(openOf(asked)).toString()}</div>
                </th>
                <td>{asked.status === 0 ? '–' : asked.status}</td>
                <td>{asked.ms}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {asking && (
        <Confirm
          text={strings.confirmRemove(path)}
          yes={strings.remove}
          done={(confirmed) => {
            setAsking(false);
            if (confirmed) void send();
          }}
        />
      )}
    </>
  );
}

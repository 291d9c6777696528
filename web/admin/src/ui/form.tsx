// SPDX-License-Identifier: Apache-2.0
// A form for any object, from what the API says about its parameters.  Only what was changed is sent,
// and what the API finds wrong stands at its field.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiError, at, text, type Form as Sent } from '../api';
import { useApp, useDescription } from '../app';
import type { Field } from '../description';
import { Title, Trouble } from './parts';

const OFFERED_MAX = 100;

interface FormProps {
  readonly title: string;
  readonly fields: readonly Field[];
  /** What they are now. */
  readonly values: Sent;
  readonly verb: string;
  readonly send: (form: Sent) => Promise<void>;
  readonly cancel: () => void;
}

export function Form({ title, fields, values, verb, send, cancel }: FormProps) {
  const app = useApp();
  const { strings } = app;
  const form = useRef<HTMLFormElement>(null);
  const [typed, setTyped] = useState<Sent>({});
  const [wrong, setWrong] = useState<Sent>({});
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [wrong]);

  const submit = async (event: Event) => {
    event.preventDefault();
    const changed = Object.fromEntries(Object.entries(typed).filter(([name, value]) => value !== (values[name] ?? '')));
    setBusy(true);
    try {
      await send(changed);
      setWrong({});
      setTrouble('');
    } catch (error) {
      const failures = error instanceof ApiError ? error.failures : [];
      const here = failures.filter(({ parameter }) => fields.some(({ name }) => name === parameter));
      setWrong(Object.fromEntries(here.map((failure) => [failure.parameter ?? '', failure.error])));
      setTrouble(here.length === failures.length && here.length > 0 ? '' : app.tell(error));
    }
    setBusy(false);
  };
  return (
    <form ref={form} class="object" noValidate onSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && cancel()}>
      <Title>{title}</Title>
      <Trouble text={trouble} />
      <Fields fields={fields} values={{ ...values, ...typed }} wrong={wrong} change={(name, value) => setTyped((before) => ({ ...before, [name]: value }))} />
      <div class="row">
        <button type="submit" class="main" disabled={busy}>
          {verb}
        </button>
        <button type="button" class="quiet" onClick={cancel}>
          {strings.cancel}
        </button>
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly fields: readonly Field[];
  readonly values: Sent;
  /** What the API found wrong with each. */
  readonly wrong: Sent;
  readonly change: (name: string, value: string) => void;
}

export function Fields({ fields, values, wrong, change }: FieldsProps) {
  const id = useId();
  return (
    <div class="fields">
      {fields.map((field) => (
        <Input
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={values[field.name] ?? ''}
          error={wrong[field.name]}
          change={(value) => change(field.name, value)}
        />
      ))}
    </div>
  );
}

interface InputProps {
  readonly id: string;
  readonly field: Field;
  readonly value: string;
  readonly error: string | undefined;
  readonly change: (value: string) => void;
}

function Input({ id, field, value, error, change }: InputProps) {
  const { strings } = useApp();
  const shared = {
    id,
    name: field.name,
    value,
    'aria-required': field.required,
    'aria-invalid': error !== undefined,
    'aria-describedby': `${id}-note`,
  };
  return (
    <div class="field">
      <label for={id}>
        {field.name}
        {field.required && <span class="soft"> ({strings.required})</span>}
      </label>
      {field.choices.length > 0 ? (
        <select {...shared} onChange={(event) => change(event.currentTarget.value)}>
          <option value="">{field.fallback === '' ? '–' : `– (${field.fallback})`}</option>
          {field.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          inputMode={field.kind === 'number' ? 'numeric' : 'text'}
          maxLength={field.longest ?? 4096}
          placeholder={field.fallback}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          list={field.refers === '' ? undefined : `${id}-list`}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
      {field.refers !== '' && <Offers id={`${id}-list`} of={field} />}
      <div id={`${id}-note`}>
        {error !== undefined && <p class="wrong">{strings.errors[error] ?? error}</p>}
        <p class="note">{field.help}</p>
      </div>
    </div>
  );
}

/** The objects that a parameter can name, by their names. */
function Offers({ id, of }: { id: string; of: Field }) {
  const { api } = useApp();
  const description = useDescription();
  const [rows, setRows] = useState<readonly { readonly id: string; readonly name: string }[]>([]);
  const collection = description.collectionOf(of.refers);
  useEffect(() => {
    if (collection === undefined || of.kind !== 'id') return undefined;
    let over = false;
    api.get(`${collection}?limit=${OFFERED_MAX}`).then(
      (answer) => {
        if (over) return;
        const named = (row: Parameters<typeof at>[0]) => ({ id: text(at(row, 'id')), name: text(at(row, 'name')) || text(at(row, 'userJid')) });
        setRows(description.rows(of.refers, answer).map(named));
      },
      () => undefined, // Its ID can be typed all the same.
    );
    return () => {
      over = true;
    };
  }, [collection, of.refers, of.kind, api, description]);
  return (
    <datalist id={id}>
      {rows.map((row) => (
        <option key={row.id} value={row.id} label={row.name} />
      ))}
    </datalist>
  );
}

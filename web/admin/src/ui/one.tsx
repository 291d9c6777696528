// SPDX-License-Identifier: Apache-2.0
// One object: what it says, what each parameter means, what belongs to it; changing and deleting.

import { useState } from 'preact/hooks';
import { at, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { flat, valueOf, type Field, type Place } from '../description';
import { linkTo, typeOf, wayOf } from '../route';
import { Form } from './form';
import { titleOf } from './frame';
import { Confirm, Title, Trouble, Waiting, Wide } from './parts';
import { Further } from './further';
import { Panes } from './panes';
import { Source, Ways } from './ways';

interface Line {
  readonly name: string;
  readonly value: string;
  readonly field: Field | undefined;
}

/** What there is to be seen: every parameter that it could have, then what else the answer says. */
function linesOf(fields: readonly Field[], value: Value): Line[] {
  const said = new Map(flat(value));
  const lines = fields
    .filter((field) => field.shown)
    .map((field) => {
      const path = [...field.inside, field.name].join('/');
      const found = said.has(path) ? path : field.name;
      const shown = said.get(found) ?? '';
      said.delete(found);
      return { name: path, value: shown, field };
    })
    .filter(({ value: shown, field }) => shown !== '' || field.puttable);
  return [...lines, ...[...said].map(([name, shown]) => ({ name, value: shown, field: undefined }))];
}

function Shown({ line }: { line: Line }) {
  const { strings } = useApp();
  const description = useDescription();
  const { field, value } = line;
  const collection = field === undefined || field.refers === '' || value === '' ? undefined : description.collectionOf(field.refers);
  if (collection !== undefined) return <a href={linkTo(`${collection}/${value}`)}>{value}</a>;
  if (value !== '') return <>{value}</>;
  return (
    <span class="soft">
      {strings.notSet}
      {field !== undefined && field.fallback !== '' && `, ${strings.fallback(field.fallback)}`}
    </span>
  );
}

export function One({ place, address }: { place: Place; address: string }) {
  const app = useApp();
  const { api, route, strings } = app;
  const description = useDescription();
  const [asking, setAsking] = useState(false);
  const [trouble, setTrouble] = useState('');
  const editing = route.query.has('edit');
  const way = wayOf(route);
  const fields = description.fields(place.object);
  const { value, error, again } = useReading(
    async () =>
      way !== '' ? { body: await api.getText(address, typeOf(way)), object: {} } : { body: '', object: Object.values(await api.get(address))[0] ?? {} },
    `${address} ${way}`,
  );
  const changing = fields.filter((field) => field.puttable);
  const title = [titleOf(app) === address ? place.object : titleOf(app), typeof value?.object === 'object' ? at(value.object, 'name') : undefined];

  if (editing && value !== undefined)
    return (
      <Form
        title={`${strings.edit}: ${place.object}`}
        fields={changing}
        values={Object.fromEntries(changing.map((field) => [field.name, valueOf(field, value.object)]))}
        verb={strings.save}
        send={async (form) => {
          await api.put(address, form);
          app.say(strings.saved);
          app.go(linkTo(address), true);
          again();
        }}
        cancel={() => app.go(linkTo(address))}
      />
    );

  const remove = async () => {
    try {
      await api.delete(address);
      app.say(strings.removed);
      app.go(linkTo(address.replace(/\/[^/]+$/, '')), true);
    } catch (why) {
      setTrouble(app.tell(why));
    }
  };
  const name = title.filter((word) => typeof word === 'string' && word !== '').join(': ');
  return (
    <>
      <p class="trail">
        {address.split('/').map((word, i, all) => {
          const upto = all.slice(0, i + 1).join('/');
          const there = i < all.length - 1 && description.placeOf(upto)?.methods.includes('GET') === true;
          return (
            <span key={upto}>
              {i > 0 && ' / '}
              {there ? <a href={linkTo(upto)}>{word}</a> : word}
            </span>
          );
        })}
      </p>
      <Title>{name}</Title>
      <div class="tools">
        <Ways address={address} way={way} />
        {place.methods.includes('PUT') && changing.length > 0 && (
          <a class="main" href={linkTo(address, { edit: '1' })}>
            {strings.edit}
          </a>
        )}
        {place.methods.includes('DELETE') && (
          <button type="button" class="quiet danger" onClick={() => setAsking(true)}>
            {strings.remove}
          </button>
        )}
      </div>
      <Trouble text={trouble} />
      {value === undefined ? (
        <Waiting error={error} />
      ) : way !== '' ? (
        <Source address={address} body={value.body} />
      ) : (
        <Wide name={name}>
          <table class="parameters" aria-label={name}>
            <thead>
              <tr>
                <th scope="col">{strings.parameter}</th>
                <th scope="col">{strings.value}</th>
                <th scope="col">{strings.meaning}</th>
              </tr>
            </thead>
            <tbody>
              {linesOf(fields, value.object).map((line) => (
                <tr key={line.name}>
                  <th scope="row">{line.name}</th>
                  <td>
                    <Shown line={line} />
                  </td>
                  <td class="soft">{line.field?.help}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {place.object === 'layoutTemplate' && way === '' && <Panes address={address} />}
      <Further place={place} address={address} />
      {asking && (
        <Confirm
          text={strings.confirmRemove(name)}
          yes={strings.remove}
          done={(confirmed) => {
            setAsking(false);
            if (confirmed) void remove();
          }}
        />
      )}
    </>
  );
}

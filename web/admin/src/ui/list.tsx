// SPDX-License-Identifier: Apache-2.0
// A collection: its objects in a table, found by a filter, page by page; and the form for a new one.

import { useEffect, useRef, useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { valueOf, type Field, type Place } from '../description';
import { linkTo, typeOf, wayOf } from '../route';
import { Form } from './form';
import { titleOf } from './frame';
import { Title, Trouble, useSlash, Waiting, Wide } from './parts';
import { Further } from './further';
import { Source, Ways } from './ways';

const PAGE = 20;
const FILTER_MS = 250;

/** What is looked for first where the API's own list says little; each row is then read whole. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  coSpaces: ['name', 'uri', 'callId', 'secondaryUri', 'tenant'],
  users: ['userJid', 'name', 'email'],
  inboundDialPlanRules: ['domain', 'priority', 'resolveToUsers', 'resolveTocoSpaces', 'resolveToIvrs', 'tenant'],
  forwardingDialPlanRules: ['matchPattern', 'priority', 'destinationDomain', 'action', 'callerIdMode', 'tenant'],
  outboundDialPlanRules: ['domain', 'priority', 'sipProxy', 'trunkType', 'sipControlEncryption', 'failureAction', 'scope'],
};

export function columnsOf(address: string, fields: readonly Field[]): Field[] {
  const listed = fields.filter((field) => field.listed);
  const chosen = COLUMNS[address]?.map((name) => fields.find((field) => field.name === name));
  return chosen?.filter((field): field is Field => field !== undefined) ?? listed;
}

export function List({ place, address }: { place: Place; address: string }) {
  const app = useApp();
  const { api, route, strings } = app;
  const description = useDescription();
  const fields = description.fields(place.object);
  const columns = columnsOf(address, fields);
  const offset = Number(route.query.get('offset') ?? 0) || 0;
  const filter = route.query.get('filter') ?? '';
  const making = route.query.has('new');
  const way = wayOf(route);
  const [typed, setTyped] = useState(filter);
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);
  const asked = `${address}?${new URLSearchParams({ offset: String(offset), limit: String(PAGE), ...(filter === '' ? {} : { filter }) }).toString()}`;

  const soon = useRef(0);
  useEffect(() => setTyped(filter), [filter]);
  useEffect(() => () => clearTimeout(soon.current), []);
  const narrow = (words: string) => {
    setTyped(words);
    clearTimeout(soon.current);
    soon.current = window.setTimeout(() => app.go(linkTo(address, { filter: words, way }), true), FILTER_MS);
  };

  const read = async () => {
    if (way !== '') return { body: await api.getText(asked, typeOf(way)), rows: [], total: 0 };
    const answer = await api.get(asked);
    const total = description.total(place.object, answer);
    const rows = description.rows(place.object, answer);
    if (columns.every((column) => column.listed)) return { body: '', rows, total };
    const whole = (row: Value) => api.get(`${address}/${text(at(row, 'id'))}`).then((one) => at(one, place.object) ?? row).catch(() => row);
    return { body: '', rows: await Promise.all(rows.map(whole)), total };
  };
  const { value, error } = useReading(read, `${asked} ${way}`);

  if (making)
    return (
      <Form
        title={`${strings.create}: ${place.object}`}
        fields={fields.filter((one) => one.postable)}
        values={{}}
        verb={strings.make}
        send={async (form) => {
          const { made } = await api.post(address, form);
          app.say(strings.saved);
          app.go(made === '' ? linkTo(address) : linkTo(made), true);
        }}
        cancel={() => app.go(linkTo(address))}
      />
    );

  const shown = value?.rows.length ?? 0;
  return (
    <>
      <Title>{titleOf(app)}</Title>
      <div class="tools">
        <div role="search">
          <label for="filter">{strings.filter}</label>
          <input
            ref={field}
            id="filter"
            type="search"
            value={typed}
            title={strings.filterHint}
            aria-keyshortcuts="/"
            onInput={(event) => narrow(event.currentTarget.value)}
          />
        </div>
        <Ways address={address} query={{ filter, offset }} way={way} />
        {place.methods.includes('POST') && (
          <a class="main" href={linkTo(address, { new: '1' })}>
            {strings.create}
          </a>
        )}
      </div>
      {value === undefined ? (
        <Waiting error={error} />
      ) : way !== '' ? (
        <Source address={address} body={value.body} />
      ) : (
        <>
          <Trouble text={error} />
          {shown === 0 ? (
            <p class="soft">{strings.none}</p>
          ) : (
            <Wide name={titleOf(app)}>
              <table aria-label={titleOf(app)}>
                <thead>
                  <tr>
                    {columns.map(({ name, help }) => (
                      <th key={name} scope="col" title={help}>
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {value.rows.map((row) => (
                    <Row key={text(at(row, 'id'))} row={row} columns={columns} address={address} />
                  ))}
                </tbody>
              </table>
            </Wide>
          )}
          <nav class="pager" aria-label={strings.next}>
            <span class="soft">{shown > 0 && strings.range(offset + 1, offset + shown, value.total)}</span>
            {offset > 0 && <a class="quiet" href={linkTo(address, { filter, offset: Math.max(0, offset - PAGE) })}>{strings.previous}</a>}
            {offset + shown < value.total && <a class="quiet" href={linkTo(address, { filter, offset: offset + PAGE })}>{strings.next}</a>}
          </nav>
        </>
      )}
      <Further place={place} address={address} />
    </>
  );
}

/** The first cell leads to the object, whatever it says. */
function Row({ row, columns, address }: { row: Value; columns: readonly Field[]; address: string }) {
  const description = useDescription();
  const id = text(at(row, 'id'));
  const target = description.placeOf(`${address}/${id}`) === undefined ? undefined : linkTo(`${address}/${id}`);
  const [first, ...rest] = columns;
  const name = (first === undefined ? '' : valueOf(first, row)) || id;
  return (
    <tr>
      <th scope="row" data-name={first?.name}>
        {target === undefined ? name : <a href={target}>{name}</a>}
      </th>
      {rest.map((column) => {
        const value = valueOf(column, row);
        const collection = column.refers === '' || value === '' ? undefined : description.collectionOf(column.refers);
        return (
          <td key={column.name} data-name={column.name}>
            {collection === undefined ? value : <a href={linkTo(`${collection}/${value}`)}>{value.slice(0, 8)}</a>}
          </td>
        );
      })}
    </tr>
  );
}

// SPDX-License-Identifier: Apache-2.0
// A table of the dial plan in the order in which its rules are asked, and moving one among them.

import { useEffect, useRef, useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { valueOf, type Field, type Place } from '../description';
import { inOrder, moved } from '../order';
import { linkTo } from '../route';
import { titleOf } from './frame';
import { columnsOf } from './list';
import { Title, Trouble, useSlash, Waiting, Wide } from './parts';
import { Ways } from './ways';

const ASK = 100; // rules of one answer
const SHOWN = 50;

export const RULES: readonly string[] = ['inboundDialPlanRules', 'forwardingDialPlanRules', 'outboundDialPlanRules', 'dialTransforms'];

interface Rule {
  readonly id: string;
  readonly priority: number;
  readonly row: Value;
}

export function Rules({ place, address }: { place: Place; address: string }) {
  const app = useApp();
  const { api, route, strings } = app;
  const description = useDescription();
  const columns = columnsOf(address, description.fields(place.object));
  const filter = route.query.get('filter') ?? '';
  const [typed, setTyped] = useState(filter);
  const [offset, setOffset] = useState(0);
  const [trouble, setTrouble] = useState('');
  const [focused, setFocused] = useState('');
  const body = useRef<HTMLTableSectionElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);

  const read = async (): Promise<Rule[]> => {
    const page = async (from: number) => api.get(`${address}?limit=${ASK}&offset=${from}`);
    const first = await page(0);
    const total = description.total(place.object, first);
    const rest = await Promise.all(Array.from({ length: Math.max(0, Math.ceil(total / ASK) - 1) }, (_, i) => page((i + 1) * ASK)));
    return [first, ...rest]
      .flatMap((answer) => description.rows(place.object, answer))
      .map((row) => ({ id: text(at(row, 'id')), priority: Number(text(at(row, 'priority')) || 0), row }));
  };
  const { value, error, again } = useReading(read, address);
  /* As it will be when every change is made: the next key may come before. */
  const [ahead, setAhead] = useState<readonly Rule[]>();
  const changing = useRef<Promise<void>>(Promise.resolve());
  const latest = useRef<readonly Rule[]>();
  const rules = inOrder(ahead ?? value ?? []);
  const says = ({ row }: Rule) => JSON.stringify(row).toLowerCase().includes(typed.toLowerCase());
  const found = typed === '' ? rules : rules.filter(says);
  const shown = found.slice(offset, offset + SHOWN);

  /* The list leaves some columns out; those that are seen are read whole. */
  const wanted = columns.every((column) => column.listed) ? '' : shown.map(({ id }) => id).join(' ');
  const whole = useReading(
    async () => {
      const ids = wanted.split(' ').filter((id) => id !== '');
      const rows = await Promise.all(ids.map((id) => api.get(`${address}/${id}`).then((one) => at(one, place.object)).catch(() => undefined)));
      return new Map(ids.map((id, i) => [id, rows[i]]));
    },
    `${address} ${rules.map(({ priority }) => priority).join(' ')} ${wanted}`,
  ).value;

  const move = (rule: Rule, by: number) => {
    const from = rules.findIndex(({ id }) => id === rule.id);
    const changes = moved(rules, from, from + by);
    if (changes.length === 0) return;
    const priorities = new Map(changes.map(({ id, priority }) => [id, priority]));
    const next = (value ?? []).map(({ id, row }) => {
      const priority = priorities.get(id) ?? rules.find((one) => one.id === id)?.priority ?? 0;
      return { id, priority, row };
    });
    latest.current = next;
    setAhead(next);
    setFocused(rule.id);
    app.say(strings.movedTo(from + by + 1, rules.length));
    changing.current = changing.current
      .then(async () => {
        for (const change of changes) await api.put(`${address}/${change.id}`, { priority: String(change.priority) });
        setTrouble('');
      })
      .catch((why) => {
        latest.current = undefined;
        setTrouble(app.tell(why));
      })
      .then(() => {
        if (latest.current === next) latest.current = undefined;
        if (latest.current === undefined) again();
      });
  };
  /* What was read last holds again. */
  useEffect(() => {
    if (latest.current === undefined) setAhead(undefined);
  }, [value]);
  const order = rules.map(({ id }) => id).join(' ');
  useEffect(() => {
    if (focused !== '') body.current?.querySelector<HTMLElement>(`[data-id="${focused}"] a`)?.focus();
  }, [order, focused]);

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
            onInput={(event) => {
              setOffset(0);
              setTyped(event.currentTarget.value);
            }}
          />
        </div>
        <Ways address={address} query={{ filter: typed }} way="" />
        <a class="main" href={linkTo(address, { new: '1' })}>
          {strings.create}
        </a>
        <a class="quiet" href="#/dial">
          {strings.dialTest}
        </a>
      </div>
      <Trouble text={trouble || (value === undefined ? '' : error)} />
      {value === undefined ? (
        <Waiting error={error} />
      ) : found.length === 0 ? (
        <p class="soft">{strings.none}</p>
      ) : (
        <>
          <p class="soft">{strings.moveHelp}</p>
          <Wide name={titleOf(app)}>
            <table aria-label={titleOf(app)}>
              <thead>
                <tr>
                  <th scope="col">#</th>
                  {columns.map(({ name, help }) => (
                    <th key={name} scope="col" title={help}>
                      {name}
                    </th>
                  ))}
                  <th scope="col">{strings.move}</th>
                </tr>
              </thead>
              <tbody ref={body}>
                {shown.map((rule) => (
                  <RuleRow
                    key={rule.id}
                    rule={rule}
                    row={whole?.get(rule.id) ?? rule.row}
                    number={rules.indexOf(rule) + 1}
                    last={rules.length}
                    columns={columns}
                    address={address}
                    move={(by) => move(rule, by)}
                  />
                ))}
              </tbody>
            </table>
          </Wide>
          {found.length > SHOWN && (
            <nav class="pager" aria-label={strings.next}>
              <span class="soft">{strings.range(offset + 1, offset + shown.length, found.length)}</span>
              {offset > 0 && (
                <button type="button" class="quiet" onClick={() => setOffset(offset - SHOWN)}>
                  {strings.previous}
                </button>
              )}
              {offset + SHOWN < found.length && (
                <button type="button" class="quiet" onClick={() => setOffset(offset + SHOWN)}>
                  {strings.next}
                </button>
              )}
            </nav>
          )}
        </>
      )}
    </>
  );
}

interface RowProps {
  readonly rule: Rule;
  readonly row: Value;
  readonly number: number;
  readonly last: number;
  readonly columns: readonly Field[];
  readonly address: string;
  readonly move: (by: number) => void;
}

function RuleRow({ rule, row, number, last, columns, address, move }: RowProps) {
  const { strings } = useApp();
  const description = useDescription();
  const [first, ...rest] = columns;
  const name = (first === undefined ? '' : valueOf(first, row)) || rule.id.slice(0, 8);
  const press = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    move(event.key === 'ArrowUp' ? -1 : 1);
  };
  const arrow = (by: number, word: string, sign: string) => (
    <button type="button" class="quiet" aria-label={strings.of(word, name)} disabled={by < 0 ? number === 1 : number === last} onClick={() => move(by)}>
      {sign}
    </button>
  );
  return (
    <tr data-id={rule.id} onKeyDown={press}>
      <td>{number}</td>
      <th scope="row">
        <a href={linkTo(`${address}/${rule.id}`)} aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown">
          {name}
        </a>
      </th>
      {rest.map((column) => {
        const value = column.name === 'priority' ? String(rule.priority) : valueOf(column, row);
        const collection = column.refers === '' || value === '' ? undefined : description.collectionOf(column.refers);
        return <td key={column.name}>{collection === undefined ? value : <a href={linkTo(`${collection}/${value}`)}>{value.slice(0, 8)}</a>}</td>;
      })}
      <td>
        <div class="ways">
          {arrow(-1, strings.up, '↑')}
          {arrow(1, strings.down, '↓')}
        </div>
      </td>
    </tr>
  );
}

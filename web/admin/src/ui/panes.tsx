// SPDX-License-Identifier: Apache-2.0
// The panes of a layout template: seen, moved with the pointer or the arrow keys, or typed.

import { useRef, useState } from 'preact/hooks';
import { useApp, useReading } from '../app';
import { grid, placed, readTemplate, SIDES, writeTemplate, type Arrangement, type Pane } from '../panes';
import { Trouble, Waiting, Wide } from './parts';

const PANES_MAX = 25;
const ARRANGEMENTS_MAX = 8;
const HEIGHT = 56.25; // of a picture 100 wide
const BEGIN = 4;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

interface PictureProps {
  readonly panes: Arrangement;
  readonly chosen: number;
  readonly choose: (at: number) => void;
  readonly change: (at: number, pane: Pane) => void;
}

function Picture({ panes, chosen, choose, change }: PictureProps) {
  const { strings } = useApp();
  const picture = useRef<SVGSVGElement>(null);
  const grip = useRef<{ readonly x: number; readonly y: number; readonly pane: Pane }>();
  const percent = (event: PointerEvent) => {
    const box = picture.current?.getBoundingClientRect();
    return box === undefined ? { x: 0, y: 0 } : { x: ((event.clientX - box.left) / box.width) * 100, y: ((event.clientY - box.top) / box.height) * 100 };
  };
  const press = (event: KeyboardEvent, at: number, pane: Pane) => {
    const arrow = ARROWS[event.key];
    if (arrow === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [dx, dy] = arrow;
    change(at, event.shiftKey ? placed(pane, { width: pane.width + dx, height: pane.height + dy }) : placed(pane, { x: pane.x + dx, y: pane.y + dy }));
  };
  return (
    <svg ref={picture} class="picture" viewBox={`0 0 100 ${HEIGHT}`} role="group" aria-label={strings.panes}>
      <rect class="ground" width="100" height={HEIGHT} />
      {panes.map((pane, i) => {
        const high = HEIGHT / 100;
        return (
          <g
            key={i}
            class={i === chosen ? 'pane chosen' : 'pane'}
            tabIndex={0}
            role="button"
            aria-pressed={i === chosen}
            aria-label={strings.paneAt(i + 1, pane.x, pane.y, pane.width, pane.height)}
            onFocus={() => choose(i)}
            onKeyDown={(event) => press(event, i, pane)}
            onPointerDown={(event) => {
              choose(i);
              event.currentTarget.setPointerCapture(event.pointerId);
              grip.current = { ...percent(event), pane };
            }}
            onPointerMove={(event) => {
              if (grip.current === undefined || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
              const now = percent(event);
              const from = grip.current;
              change(i, placed(from.pane, { x: Math.round(from.pane.x + now.x - from.x), y: Math.round(from.pane.y + now.y - from.y) }));
            }}
            onPointerUp={() => {
              grip.current = undefined;
            }}
          >
            <rect x={pane.x} y={pane.y * high} width={pane.width} height={pane.height * high} />
            <text x={pane.x + pane.width / 2} y={(pane.y + pane.height / 2) * high}>
              {i + 1}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

interface ArrangementProps {
  readonly number: number;
  readonly panes: Arrangement;
  readonly change: (panes: Arrangement) => void;
  readonly remove: () => void;
}

function Editor({ number, panes, change, remove }: ArrangementProps) {
  const { strings } = useApp();
  const [chosen, setChosen] = useState(0);
  const set = (at: number, pane: Pane) => change(panes.map((one, i) => (i === at ? pane : one)));
  return (
    <section class="arrangement" aria-label={strings.arrangement(number, panes.length)}>
      <h3>{strings.arrangement(number, panes.length)}</h3>
      <Picture panes={panes} chosen={chosen} choose={setChosen} change={set} />
      <div>
        <Wide name={strings.panes}>
          <table aria-label={strings.panes}>
            <thead>
              <tr>
                <th scope="col">#</th>
                {SIDES.map((side) => (
                  <th key={side} scope="col">
                    {side} %
                  </th>
                ))}
                <th scope="col">over</th>
                <th scope="col">{strings.actions}</th>
              </tr>
            </thead>
            <tbody>
              {panes.map((pane, i) => (
                <tr key={i} class={i === chosen ? 'chosen' : ''}>
                  <th scope="row">{i + 1}</th>
                  {SIDES.map((side) => (
                    <td key={side}>
                      <input
                        type="number"
                        min="0"
                        max="100"
                        step="any"
                        aria-label={`${i + 1}: ${side}`}
                        value={pane[side]}
                        onFocus={() => setChosen(i)}
                        onChange={(event) => set(i, placed(pane, { [side]: Number(event.currentTarget.value) }))}
                      />
                    </td>
                  ))}
                  <td>
                    <input type="checkbox" aria-label={`${i + 1}: over`} checked={pane.over} onChange={(event) => set(i, { ...pane, over: event.currentTarget.checked })} />
                  </td>
                  <td>
                    <button type="button" class="link" aria-label={strings.of(strings.remove, String(i + 1))} onClick={() => change(panes.filter((_, at) => at !== i))}>
                      {strings.remove}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
        <div class="row">
          <button
            type="button"
            class="quiet"
            disabled={panes.length >= PANES_MAX}
            onClick={() => {
              setChosen(panes.length);
              change([...panes, { x: 75, y: 75, width: 25, height: 25, over: false }]);
            }}
          >
            {strings.addPane}
          </button>
          <button type="button" class="quiet danger" onClick={remove}>
            {strings.removeArrangement}
          </button>
        </div>
      </div>
    </section>
  );
}

export function Panes({ address }: { address: string }) {
  const app = useApp();
  const { api, strings } = app;
  const { value, error, again } = useReading(async () => readTemplate(await api.get(`${address}/template`)), address);
  const [edited, setEdited] = useState<readonly Arrangement[]>();
  const [trouble, setTrouble] = useState('');
  if (value === undefined) return <Waiting error={error} />;
  const now = edited ?? value;
  const save = async () => {
    try {
      await api.putText(`${address}/template`, writeTemplate(now));
      app.say(strings.saved);
      setTrouble('');
      setEdited(undefined);
      again();
    } catch (why) {
      setTrouble(app.tell(why));
    }
  };
  return (
    <>
      <h2>{strings.panes}</h2>
      <p class="soft">{strings.panesHelp}</p>
      {now.map((panes, i) => (
        <Editor
          key={i}
          number={i + 1}
          panes={panes}
          change={(next) => setEdited(now.map((one, at) => (at === i ? next : one)))}
          remove={() => setEdited(now.filter((_, at) => at !== i))}
        />
      ))}
      <Trouble text={trouble} />
      <div class="row">
        <button type="button" class="quiet" disabled={now.length >= ARRANGEMENTS_MAX} onClick={() => setEdited([...now, grid(BEGIN)])}>
          {strings.addArrangement}
        </button>
        {edited !== undefined && (
          <>
            <button type="button" class="main" onClick={() => void save()}>
              {strings.save}
            </button>
            <button
              type="button"
              class="quiet"
              onClick={() => {
                setEdited(undefined);
                setTrouble('');
              }}
            >
              {strings.cancel}
            </button>
          </>
        )}
      </div>
    </>
  );
}

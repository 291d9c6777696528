// SPDX-License-Identifier: Apache-2.0
// The calls that run, who is in them, and what flows.

import { useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { linkTo } from '../route';
import type { Strings } from '../strings';
import { Confirm, duration, rate, Title, Trouble, Waiting, Wide } from './parts';

const EVERY_MS = 2000;
const LIST_MAX = 100; // what the API tells at a time
const LAYOUTS_OF = 'chosenLayout';

interface Call {
  readonly id: string;
  readonly call: Value | undefined;
  readonly legs: readonly Value[];
}

/** "opus, 54.0 kb/s, 768 x 448, 30.0 fps, -6.0 dB gain" of each thing that flows. */
function mediaOf(leg: Value, way: 'rx' | 'tx', strings: Strings): string[] {
  const said = (flow: Value | undefined) => {
    const of = (name: string) => text(at(flow, name));
    const lost = of('packetLossPercentage');
    return [
      text(at(flow, 'role')) === 'presentation' ? 'presentation' : '',
      of('codec'),
      of('width') === '' ? '' : `${of('width')} × ${of('height')}`,
      of('frameRate') === '' ? '' : `${of('frameRate')} fps`,
      rate(of('bitRate')),
      of('gainApplied') === '' ? '' : strings.gain(of('gainApplied')),
      Number(lost) > 0 ? strings.loss(lost) : '',
    ]
      .filter((word) => word !== '')
      .join(', ');
  };
  const videos = at(leg, 'status', `${way}Video`);
  return [at(leg, 'status', `${way}Audio`), ...(Array.isArray(videos) ? videos : [videos])].map(said).filter((line) => line !== '');
}

function Media({ lines }: { lines: readonly string[] }) {
  return (
    <>
      {lines.map((line, i) => (
        <div key={i}>{line}</div>
      ))}
    </>
  );
}

interface LegProps {
  readonly leg: Value;
  readonly act: (what: () => Promise<void>) => void;
  readonly drop: (id: string, name: string) => void;
}

function Leg({ leg, act, drop }: LegProps) {
  const { api, strings } = useApp();
  const description = useDescription();
  const id = text(at(leg, 'id'));
  const name = text(at(leg, 'name')) || text(at(leg, 'remoteParty'));
  const muted = text(at(leg, 'configuration', 'rxAudioMute')) === 'true';
  const layouts = description.fields('callLeg').find((field) => field.name === LAYOUTS_OF)?.choices ?? [];
  const kind = text(at(leg, 'type')) === 'acano' ? strings.webApp : text(at(leg, 'type')).toUpperCase();
  const direction = text(at(leg, 'direction'));
  /* That it is connected is what one expects. */
  const state = text(at(leg, 'status', 'state')).replace('connected', '');
  const encrypted = text(at(leg, 'status', 'encryptedMedia')) === 'true';
  return (
    <tr>
      <th scope="row">
        <a href={linkTo(`callLegs/${id}`)}>{name}</a>
        <div class="soft">
          {[kind, strings.directions[direction] ?? direction, encrypted ? strings.encrypted : strings.unencrypted, state].filter((word) => word !== '').join(', ')}
        </div>
        <div class="soft">{text(at(leg, 'remoteAddress')) || text(at(leg, 'remoteParty'))}</div>
      </th>
      <td data-name={strings.duration}>{duration(text(at(leg, 'status', 'durationSeconds')))}</td>
      <td data-name={strings.incoming}>
        <Media lines={mediaOf(leg, 'rx', strings)} />
      </td>
      <td data-name={strings.outgoing}>
        <Media lines={mediaOf(leg, 'tx', strings)} />
      </td>
      <td class="acts">
        <button
          type="button"
          class="quiet"
          aria-label={strings.of(muted ? strings.unmute : strings.mute, name)}
          onClick={() => act(() => api.put(`callLegs/${id}`, { rxAudioMute: String(!muted) }))}
        >
          {muted ? strings.unmute : strings.mute}
        </button>
        <select
          aria-label={strings.of(strings.layout, name)}
          value={text(at(leg, 'configuration', LAYOUTS_OF))}
          onChange={(event) => {
            const layout = event.currentTarget.value;
            act(() => api.put(`callLegs/${id}`, { [LAYOUTS_OF]: layout }));
          }}
        >
          <option value="">{strings.layoutDefault}</option>
          {layouts.map((layout) => (
            <option key={layout} value={layout}>
              {layout}
            </option>
          ))}
        </select>
        <button type="button" class="quiet danger" aria-label={strings.of(strings.drop, name)} onClick={() => drop(id, name)}>
          {strings.drop}
        </button>
      </td>
    </tr>
  );
}

export function Calls() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<{ readonly text: string; readonly yes: string; readonly address: string }>();
  const [trouble, setTrouble] = useState('');
  const read = async () => {
    /* What ended while it was asked for is simply not shown. */
    const each = (rows: readonly Value[], address: string, object: string) =>
      Promise.all(rows.map((row) => api.get(`${address}/${text(at(row, 'id'))}`).then((one) => at(one, object)).catch(() => undefined)));
    const calls = description.rows('call', await api.get(`calls?limit=${LIST_MAX}`));
    return Promise.all(
      calls.map(async (row): Promise<Call> => {
        const id = text(at(row, 'id'));
        const [call] = await each([row], 'calls', 'call');
        if (closed.has(id)) return { id, call: call ?? row, legs: [] };
        const legs = await api.get(`calls/${id}/callLegs?limit=${LIST_MAX}`).catch(() => ({}));
        const known = await each(description.rows('callLeg', legs), 'callLegs', 'callLeg');
        return { id, call: call ?? row, legs: known.filter((leg): leg is Value => leg !== undefined) };
      }),
    );
  };
  const { value, error, again } = useReading(read, 'calls', EVERY_MS);
  const act = (what: () => Promise<void>) => {
    what().then(
      () => {
        setTrouble('');
        again();
      },
      (why) => setTrouble(app.tell(why)),
    );
  };
  const toggle = (id: string, open: boolean) => {
    const next = new Set(closed);
    if (open) next.delete(id);
    else next.add(id);
    setClosed(next);
    again();
  };
  return (
    <>
      <Title>{strings.calls}</Title>
      <Trouble text={trouble || (value === undefined ? '' : error)} />
      {value === undefined && <Waiting error={error} />}
      {value?.length === 0 && <p class="soft">{strings.noCalls}</p>}
      {value?.map(({ id, call, legs }) => {
        const name = text(at(call, 'name'));
        return (
          <section key={id} class="call">
            <header>
              <h2>
                <button type="button" class="fold" aria-expanded={!closed.has(id)} onClick={() => toggle(id, closed.has(id))}>
                  {name}
                </button>
              </h2>
              <span class="soft">
                {strings.people(text(at(call, 'numCallLegs')))}, {duration(text(at(call, 'durationSeconds')))}
              </span>
              <a href={linkTo(`calls/${id}`)}>{strings.details}</a>
              <button
                type="button"
                class="quiet danger"
                aria-label={strings.of(strings.endCall, name)}
                onClick={() => setAsking({ text: strings.confirmEnd(name), yes: strings.endCall, address: `calls/${id}` })}
              >
                {strings.endCall}
              </button>
            </header>
            {legs.length > 0 && (
              <Wide name={name}>
                <table class="legs" aria-label={name}>
                  <thead>
                    <tr>
                      {[strings.participant, strings.duration, strings.incoming, strings.outgoing, strings.actions].map((head) => (
                        <th key={head} scope="col">
                          {head}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {legs.map((leg) => (
                      <Leg
                        key={text(at(leg, 'id'))}
                        leg={leg}
                        act={act}
                        drop={(leg_id, who) => setAsking({ text: strings.confirmDrop(who), yes: strings.drop, address: `callLegs/${leg_id}` })}
                      />
                    ))}
                  </tbody>
                </table>
              </Wide>
            )}
          </section>
        );
      })}
      {asking !== undefined && (
        <Confirm
          text={asking.text}
          yes={asking.yes}
          done={(confirmed) => {
            setAsking(undefined);
            if (confirmed) act(() => api.delete(asking.address));
          }}
        />
      )}
    </>
  );
}

// SPDX-License-Identifier: Apache-2.0
// One leg of a call: a line of what flows, and everything known of it.

import { useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription } from '../app';
import { linkTo } from '../route';
import type { Strings } from '../strings';
import { duration, rate } from './parts';

const LAYOUTS_OF = 'chosenLayout';

interface Flow {
  readonly way: 'rx' | 'tx';
  readonly name: string;
  readonly of: (parameter: string) => string;
}

/** Sound and pictures of both directions, those there are. */
function flowsOf(leg: Value, strings: Strings): Flow[] {
  const flow = (way: 'rx' | 'tx', name: string, value: Value | undefined): Flow[] =>
    value === undefined ? [] : [{ way, name, of: (parameter) => text(at(value, parameter)) }];
  return (['rx', 'tx'] as const).flatMap((way) => {
    const videos = at(leg, 'status', `${way}Video`);
    const pictures = videos === undefined ? [] : Array.isArray(videos) ? videos : [videos];
    return [
      ...flow(way, strings.sound, at(leg, 'status', `${way}Audio`)),
      ...pictures.flatMap((one) => flow(way, text(at(one, 'role')) === 'presentation' ? strings.presentation : strings.pictures, one)),
    ].filter((one) => one.of('codec') !== '');
  });
}

const sizeOf = ({ of }: Flow) => (of('width') === '' ? '' : `${of('width')} × ${of('height')}`);
const rateOf = ({ of }: Flow) => (of('frameRate') === '' ? '' : `${of('frameRate')} fps`);

/** "opus, 54.0 kb/s, 768 × 448, 30.0 fps, -6.0 dB gain" */
function lineOf(flow: Flow, strings: Strings): string {
  const { of } = flow;
  const lost = of('packetLossPercentage');
  return [
    flow.name === strings.presentation ? flow.name : '',
    of('codec'),
    sizeOf(flow),
    rateOf(flow),
    rate(of('bitRate')),
    of('gainApplied') === '' ? '' : strings.gain(of('gainApplied')),
    Number(lost) > 0 ? strings.loss(lost) : '',
  ]
    .filter((word) => word !== '')
    .join(', ');
}

function Lines({ flows }: { flows: readonly Flow[] }) {
  const { strings } = useApp();
  return (
    <>
      {flows.map((flow, i) => (
        <div key={i}>{lineOf(flow, strings)}</div>
      ))}
    </>
  );
}

function Everything({ leg, flows }: { leg: Value; flows: readonly Flow[] }) {
  const { strings } = useApp();
  const status = (name: string) => text(at(leg, 'status', name));
  const ms = (value: string) => (value === '' ? '' : `${value} ms`);
  const facts = [
    [strings.remoteAddress, text(at(leg, 'remoteAddress')) || text(at(leg, 'remoteParty'))],
    [strings.localAddress, text(at(leg, 'localAddress'))],
    [strings.sipCallId, status('sipCallId')],
    [strings.cipher, status('cipherSuite')],
    [strings.layout, status('layout') === status('activeLayout') ? status('layout') : `${status('layout')} (${status('activeLayout')})`],
    [strings.alarms, text(at(leg, 'alarms'))],
  ].filter(([, value]) => value !== '' && value !== ' ()');
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {flows.length > 0 && (
        <table class="flows" aria-label={strings.flows}>
          <thead>
            <tr>
              {[strings.flow, strings.codec, strings.size, strings.frames, strings.bitRate, strings.lost, strings.jitter, strings.roundTrip, strings.gainHead].map(
                (head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {flows.map((flow, i) => {
              const { way, name, of } = flow;
              const lost = of('packetLossPercentage');
              const cells: (readonly [string, string])[] = [
                [strings.codec, of('codec')],
                [strings.size, sizeOf(flow)],
                [strings.frames, rateOf(flow)],
                [strings.bitRate, rate(of('bitRate'))],
                [strings.lost, lost === '' ? '' : `${lost} %`],
                [strings.jitter, ms(of('jitter'))],
                [strings.roundTrip, ms(of('roundTripTime'))],
                [strings.gainHead, of('gainApplied') === '' ? '' : `${of('gainApplied')} dB`],
              ];
              return (
                <tr key={i}>
                  <th scope="row">{strings.of(way === 'rx' ? strings.incoming : strings.outgoing, name)}</th>
                  {cells.map(([head, value]) => (
                    <td key={head} data-name={head} class={value === '' ? 'empty' : ''}>
                      {value}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </>
  );
}

interface LegProps {
  readonly leg: Value;
  readonly act: (what: () => Promise<unknown>) => void;
  readonly drop: (id: string, name: string) => void;
}

function Actions({ leg, act, drop }: LegProps) {
  const { api, strings } = useApp();
  const description = useDescription();
  const id = text(at(leg, 'id'));
  const name = text(at(leg, 'name')) || text(at(leg, 'remoteParty'));
  const muted = text(at(leg, 'configuration', 'rxAudioMute')) === 'true';
  const waits = text(at(leg, 'status', 'deactivated')) === 'true';
  const layouts = description.fields('callLeg').find((field) => field.name === LAYOUTS_OF)?.choices ?? [];
  const change = (form: Record<string, string>) => act(() => api.put(`callLegs/${id}`, form));
  return (
    <>
      {waits && (
        <button type="button" class="main" aria-label={strings.of(strings.admit, name)} onClick={() => change({ deactivated: 'false' })}>
          {strings.admit}
        </button>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={strings.of(muted ? strings.unmute : strings.mute, name)}
        onClick={() => change({ rxAudioMute: String(!muted) })}
      >
        {muted ? strings.unmute : strings.mute}
      </button>
      <button type="button" class="quiet danger" aria-label={strings.of(strings.drop, name)} onClick={() => drop(id, name)}>
        {strings.drop}
      </button>
      <select
        aria-label={strings.of(strings.layout, name)}
        value={text(at(leg, 'configuration', LAYOUTS_OF))}
        onChange={(event) => change({ [LAYOUTS_OF]: event.currentTarget.value })}
      >
        <option value="">{strings.layoutDefault}</option>
        {layouts.map((layout) => (
          <option key={layout} value={layout}>
            {layout}
          </option>
        ))}
      </select>
    </>
  );
}

export function Leg(props: LegProps) {
  const { strings } = useApp();
  const { leg } = props;
  const [open, setOpen] = useState(false);
  const id = text(at(leg, 'id'));
  const name = text(at(leg, 'name')) || text(at(leg, 'remoteParty'));
  const kind = text(at(leg, 'type')) === 'acano' ? strings.webApp : text(at(leg, 'type')).toUpperCase();
  const direction = text(at(leg, 'direction'));
  /* That it is connected is what one expects. */
  const state = text(at(leg, 'status', 'state')).replace('connected', '');
  const encrypted = text(at(leg, 'status', 'encryptedMedia')) === 'true';
  const flows = flowsOf(leg, strings);
  const told = [
    kind,
    strings.directions[direction] ?? direction,
    encrypted ? strings.encrypted : strings.unencrypted,
    strings.states[state] ?? state,
    text(at(leg, 'status', 'deactivated')) === 'true' ? strings.waits : '',
  ];
  return (
    <tbody>
      <tr>
        <th scope="row">
          <a href={linkTo(`callLegs/${id}`)}>{name}</a>{' '}
          <button type="button" class="link" aria-expanded={open} aria-label={strings.of(open ? strings.less : strings.more, name)} onClick={() => setOpen(!open)}>
            [{open ? strings.less : strings.more}]
          </button>
          <div class="soft">{told.filter((word) => word !== '').join(', ')}</div>
          <div class="soft">{text(at(leg, 'remoteAddress')) || text(at(leg, 'remoteParty'))}</div>
        </th>
        <td data-name={strings.duration}>{duration(text(at(leg, 'status', 'durationSeconds')))}</td>
        <td data-name={strings.incoming}>
          <Lines flows={flows.filter(({ way }) => way === 'rx')} />
        </td>
        <td data-name={strings.outgoing}>
          <Lines flows={flows.filter(({ way }) => way === 'tx')} />
        </td>
        <td class="acts">
          <Actions {...props} />
        </td>
      </tr>
      {open && (
        <tr class="more">
          <td colSpan={5}>
            <Everything leg={leg} flows={flows} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

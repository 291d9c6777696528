// SPDX-License-Identifier: Apache-2.0
// How the bridge is, and what is wrong.

import { at, text } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { linkTo } from '../route';
import { troubling } from './certificates';
import { duration, rate, Title, Trouble, Waiting } from './parts';

const EVERY_MS = 5000;
const CERTIFICATES_MS = 60_000;

export function Status() {
  const { api, strings } = useApp();
  const description = useDescription();
  const { value, error } = useReading(
    async () => {
      const [status, load, alarms] = await Promise.all([api.get('system/status'), api.get('system/load'), api.get('system/alarms')]);
      return { status: at(status, 'status'), load: at(load, 'load'), alarms: description.rows('alarm', alarms) };
    },
    'status',
    EVERY_MS,
  );
  const certificates = useReading(
    async () => troubling(description.rows('certificate', await api.get('system/certificates'))).length,
    'certificates',
    CERTIFICATES_MS,
  ).value;
  const of = (name: string) => text(at(value?.status, name));
  const both = (kind: string) => `${rate(of(`${kind}BitRateIncoming`))} / ${rate(of(`${kind}BitRateOutgoing`))}`;
  return (
    <>
      <Title>{strings.status}</Title>
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <>
          <Trouble text={error} />
          <dl class="tiles">
            {[
              [strings.legs, of('callLegsActive')],
              [strings.legsMost, of('callLegsMaxActive')],
              [strings.legsDone, of('callLegsCompleted')],
              [strings.load, text(at(value.load, 'mediaProcessingLoad'))],
              [strings.audio, both('audio')],
              [strings.video, both('video')],
              [strings.uptime, duration(of('uptimeSeconds'))],
              [strings.time, of('cdrTime').replace('T', ' ').replace('Z', ' UTC')],
              [strings.version, of('softwareVersion')],
            ].map(([name, shown]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{shown}</dd>
              </div>
            ))}
          </dl>
          <h2>{strings.alarms}</h2>
          {certificates !== undefined && certificates > 0 && (
            <p class="trouble">
              {strings.certificatesTrouble(certificates)} <a href="#/certificates">{strings.details}</a>
            </p>
          )}
          {value.alarms.length === 0 ? (
            <p class="soft">{strings.noAlarms}</p>
          ) : (
            <ul class="alarms">
              {value.alarms.map((alarm) => {
                const bridge = text(at(alarm, 'webBridge'));
                const receiver = text(at(alarm, 'cdrReceiver'));
                const page = bridge === '' ? '#/receivers' : linkTo(`webBridges/${bridge}`);
                return (
                  <li key={text(at(alarm, 'id'))}>
                    <strong>{text(at(alarm, 'type'))}</strong> {text(at(alarm, 'failureReason'))},{' '}
                    {strings.since(duration(text(at(alarm, 'activeTimeSeconds'))))}{' '}
                    {(bridge !== '' || receiver !== '') && <a href={page}>{strings.details}</a>}
                  </li>
                );
              })}
            </ul>
          )}
        </>
      )}
    </>
  );
}

// SPDX-License-Identifier: Apache-2.0
// Which certificates the services use, and until when.

import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { Badge, dayOf, Title, Trouble, Waiting, Wide, type Tone } from './parts';

export const TONES: Readonly<Record<string, Tone>> = { expiresSoon: 'warn', expired: 'bad', notYetValid: 'bad', unreadable: 'bad' };

/** Those that somebody must do something about. */
export function troubling(rows: readonly Value[]): Value[] {
  return rows.filter((row) => text(at(row, 'status')) in TONES);
}

export function Certificates() {
  const { api, strings } = useApp();
  const description = useDescription();
  const { value, error } = useReading(async () => description.rows('certificate', await api.get('system/certificates')), 'certificates');
  const heads = [strings.service, strings.state, strings.until, strings.subject, strings.names, strings.issuer, strings.file];
  return (
    <>
      <Title>{strings.certificates}</Title>
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <>
          <Trouble text={troubling(value).length === 0 ? '' : strings.certificatesTrouble(troubling(value).length)} />
          <Wide name={strings.certificates}>
            <table class="stacked" aria-label={strings.certificates}>
              <thead>
                <tr>
                  {heads.map((head) => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {value.map((row, i) => {
                  const of = (name: string) => text(at(row, name));
                  const status = of('status');
                  const use = of('use');
                  return (
                    <tr key={i}>
                      <th scope="row">
                        {of('service')}
                        <div class="soft">{strings.uses[use] ?? use}</div>
                      </th>
                      <td data-name={strings.state}>
                        <Badge tone={TONES[status] ?? 'good'}>{strings.certificateStates[status] ?? status}</Badge>
                      </td>
                      <td data-name={strings.until}>
                        {dayOf(of('validUntil'))}
                        {of('daysRemaining') !== '' && <div class="soft">{strings.days(Number(of('daysRemaining')))}</div>}
                      </td>
                      <td data-name={strings.subject}>{of('subject') || of('failureReason')}</td>
                      <td data-name={strings.names}>{of('names')}</td>
                      <td data-name={strings.issuer}>{of('issuer') === of('subject') && of('issuer') !== '' ? strings.selfSigned : of('issuer')}</td>
                      <td data-name={strings.file}>
                        {of('file')}
                        <details>
                          <summary>SHA-256</summary>
                          <code>{of('fingerprint')}</code>
                        </details>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </Wide>
          <p class="soft">{strings.certificatesHelp}</p>
        </>
      )}
    </>
  );
}

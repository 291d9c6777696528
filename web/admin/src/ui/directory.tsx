// SPDX-License-Identifier: Apache-2.0
// Where users come from: directories, reading them now, and how that goes.

import { useState } from 'preact/hooks';
import { at, text, type Value } from '../api';
import { useApp, useDescription, useReading } from '../app';
import { linkTo } from '../route';
import { Badge, Title, Trouble, Waiting, Wide, type Tone } from './parts';

const EVERY_MS = 1500;
const LIMIT = 100;
const TONES: Readonly<Record<string, Tone>> = { complete: 'good', failed: 'bad' };
const PARTS = ['ldapServers', 'ldapMappings', 'ldapSources', 'ldapUserCoSpaceTemplateSources', 'directorySearchLocations'];

export function Directory() {
  const app = useApp();
  const { api, strings } = app;
  const description = useDescription();
  const [trouble, setTrouble] = useState('');
  const all = async (object: string, address: string): Promise<Value[]> => {
    const rows = description.rows(object, await api.get(`${address}?limit=${LIMIT}`));
    const whole = await Promise.all(rows.map((row) => api.get(`${address}/${text(at(row, 'id'))}`).then((one) => at(one, object)).catch(() => undefined)));
    return whole.filter((row): row is Value => row !== undefined);
  };
  const { value, error, again } = useReading(
    async () => {
      const [servers, sources, syncs] = await Promise.all([
        all('ldapServer', 'ldapServers'),
        all('ldapSource', 'ldapSources'),
        all('ldapSync', 'ldapSyncs'),
      ]);
      return { servers, sources, syncs };
    },
    'directory',
    EVERY_MS,
  );
  const act = (what: () => Promise<unknown>) => {
    what().then(
      () => {
        setTrouble('');
        app.say(strings.done);
        again();
      },
      (why) => setTrouble(app.tell(why)),
    );
  };
  /* One that is complete stays, so that what came of it can be read. */
  const sync = (source: string) => act(() => api.post('ldapSyncs', { removeWhenFinished: 'false', ...(source === '' ? {} : { ldapSource: source }) }));
  const nameOf = (source: Value | undefined) => {
    const server = value?.servers.find((one) => text(at(one, 'id')) === text(at(source, 'server')));
    const name = text(at(server, 'name')) || text(at(server, 'address'));
    return source === undefined ? strings.allSources : [name, text(at(source, 'baseDn')), text(at(source, 'filter'))].filter((word) => word !== '').join(', ');
  };
  const over = (value?.syncs ?? []).filter((one) => ['complete', 'failed'].includes(text(at(one, 'state'))));
  return (
    <>
      <Title>{strings.directory}</Title>
      <div class="tools">
        <button type="button" class="main" disabled={(value?.sources.length ?? 0) === 0} onClick={() => sync('')}>
          {strings.syncAll}
        </button>
        {over.length > 0 && (
          <button type="button" class="quiet" onClick={() => act(() => Promise.all(over.map((one) => api.delete(`ldapSyncs/${text(at(one, 'id'))}`))))}>
            {strings.removeFinished}
          </button>
        )}
      </div>
      <Trouble text={trouble || (value === undefined ? '' : error)} />
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <>
          <h2>{strings.sources}</h2>
          {value.sources.length === 0 ? (
            <p class="soft">{strings.noSources}</p>
          ) : (
            <ul class="sources">
              {value.sources.map((source) => {
                const id = text(at(source, 'id'));
                return (
                  <li key={id} class="row">
                    <a href={linkTo(`ldapSources/${id}`)}>{nameOf(source)}</a>
                    <button type="button" class="quiet" aria-label={strings.of(strings.syncNow, nameOf(source))} onClick={() => sync(id)}>
                      {strings.syncNow}
                    </button>
                  </li>
                );
              })}
            </ul>
          )}
          <h2>{strings.syncs}</h2>
          {value.syncs.length === 0 ? (
            <p class="soft">{strings.none}</p>
          ) : (
            <Wide name={strings.syncs}>
              <table aria-label={strings.syncs}>
                <thead>
                  <tr>
                    {[strings.source, strings.state, strings.usersFound, strings.sourcesDone].map((head) => (
                      <th key={head} scope="col">
                        {head}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {value.syncs.map((one) => {
                    const id = text(at(one, 'id'));
                    const state = text(at(one, 'state'));
                    return (
                      <tr key={id}>
                        <th scope="row">
                          <a href={linkTo(`ldapSyncs/${id}`)}>{nameOf(value.sources.find((source) => text(at(source, 'id')) === text(at(one, 'ldapSource'))))}</a>
                        </th>
                        <td>
                          <Badge tone={TONES[state] ?? 'warn'}>{strings.syncStates[state] ?? state}</Badge> {text(at(one, 'failureReason'))}
                        </td>
                        <td>{text(at(one, 'numUsersImported'))}</td>
                        <td>{text(at(one, 'numLdapSourcesComplete'))}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </Wide>
          )}
          <h2>{strings.further}</h2>
          <ul class="index">
            {PARTS.map((part) => (
              <li key={part}>
                <a href={linkTo(part)}>{part}</a>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

// SPDX-License-Identifier: Apache-2.0
// What is licensed, and how much of it is in use.

import { at, text, type Value } from '../api';
import { useApp, useReading } from '../app';
import { linkTo } from '../route';
import { Badge, Title, Trouble, Waiting, Wide, type Tone } from './parts';

const EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
const PAGE = 100;

const TONES: Readonly<Record<string, Tone>> = { activated: 'good', grace: 'warn', expired: 'bad', noLicense: 'bad' };

interface Usage {
  readonly name: string;
  readonly used: number;
  /** undefined: nobody counts them. */
  readonly limit: number | undefined;
  readonly peak: number;
}

function entries(answer: Value | undefined): Value[] {
  const body = answer === undefined ? undefined : Object.values(answer)[0];
  const found = at(body, 'entry') ?? at(body, 'MPLicenseUsage');
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}

/** A bar of what is used, with a mark where the most of the last day was; text says the same. */
function Bar({ usage }: { usage: Usage }) {
  const { strings } = useApp();
  const { name, used, limit, peak } = usage;
  const whole = Math.max(limit ?? 0, used, peak, 1);
  const part = (count: number) => (count / whole) * 100;
  const over = limit !== undefined && used > limit;
  const told = limit === undefined ? strings.usedFree(used) : strings.usedOf(used, limit);
  return (
    <div class="usage">
      <div class="row">
        <strong>{name}</strong>
        <span>{told}</span>
        {over && <Badge tone="bad">{strings.overage(used - limit)}</Badge>}
        {peak > 0 && <span class="soft">{strings.peak(peak)}</span>}
      </div>
      {limit !== undefined && (
        <svg class={over ? 'bar over' : 'bar'} viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={`${name}: ${told}`}>
          <rect class="whole" width="100" height="6" />
          <rect class="used" width={part(used)} height="6" />
          {peak > 0 && <rect class="peak" x={Math.max(part(peak) - 0.5, 0)} width="0.5" height="6" />}
          {over && <rect class="limit" x={part(limit)} width="0.5" height="6" />}
        </svg>
      )}
    </div>
  );
}

export function Licences() {
  const { api, strings } = useApp();
  const { value, error } = useReading(
    async () => {
      const since = new Date(Date.now() - DAY_MS).toISOString().replace(/\.\d+/, '');
      const [licensing, multiparty, history] = await Promise.all([
        api.get('system/licensing'),
        api.get('system/multipartyLicensing'),
        readDay(since),
      ]);
      return { licensing: at(licensing, 'licensing'), multiparty: at(multiparty, 'multipartyLicensing'), history };
    },
    'licences',
    EVERY_MS,
  );
  /* A bridge that keeps no history says so, and there is no peak. */
  const readDay = async (since: string): Promise<Value[]> => {
    const all: Value[] = [];
    for (let offset = 0; offset < DAY_MS / 300_000; offset += PAGE) {
      const page = entries(await api.get(`system/MPLicenseUsage?startTime=${since}&limit=${PAGE}&offset=${offset}`).catch(() => undefined));
      all.push(...page);
      if (page.length < PAGE) break;
    }
    return all;
  };

  const features = at(value?.licensing, 'features');
  const rows = typeof features === 'object' && !Array.isArray(features) ? Object.entries(features) : [];
  const limitOf = (feature: string, counted = '') => {
    const limit = text(at(features, feature, 'limit')) || (counted === '' ? '' : text(at(value?.multiparty, counted)));
    return limit === '' || (limit === '0' && text(at(features, feature, 'limit')) === '') ? undefined : Number(limit);
  };
  const now = (name: string) => Number(text(at(value?.multiparty, name)) || 0);
  const last = value?.history[value.history.length - 1];
  const lately = (name: string) => Number(text(at(last, name)) || 0);
  const most = (...names: string[]) =>
    Math.max(0, ...(value?.history ?? []).map((one) => names.reduce((sum, name) => sum + Number(text(at(one, name)) || 0), 0)));
  /* A call of sound alone, or of two, takes a sixth of a shared licence. */
  const sharedAt = (one: Value) => {
    const count = (name: string) => Number(text(at(one, name)) || 0);
    return count('smpFull') + Math.ceil((count('smpAud') + count('smpPtP')) / 6);
  };
  const usages: Usage[] = [
    { name: strings.personalLicences, used: now('personalLicenses'), limit: limitOf('personal', 'personalLicenseLimit'), peak: most('pmpAssigned') },
    {
      name: strings.sharedLicences,
      used: now('sharedLicenses'),
      limit: limitOf('shared', 'sharedLicenseLimit'),
      peak: Math.max(0, ...(value?.history ?? []).map(sharedAt)),
    },
    { name: strings.capacityUnits, used: now('capacityUnitUsage'), limit: limitOf('capacityUnits', 'capacityUnitLimit'), peak: 0 },
    { name: strings.recordings, used: lately('rec'), limit: limitOf('recording'), peak: most('rec') },
    { name: strings.streams, used: lately('str'), limit: limitOf('streaming'), peak: most('str') },
  ];
  const licence = at(value?.licensing, 'license');
  const facts = typeof licence === 'object' && !Array.isArray(licence) ? Object.entries(licence) : [];
  return (
    <>
      <Title>{strings.licensing}</Title>
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <>
          <Trouble text={error} />
          <h2>{strings.usage}</h2>
          <div class="usages">
            {usages.map((usage) => (
              <Bar key={usage.name} usage={usage} />
            ))}
          </div>
          <p class="soft">{strings.usageNow(now('participantsActive'), now('callsActive'), now('users'))}</p>
          <h2>{strings.features}</h2>
          <Wide name={strings.features}>
            <table aria-label={strings.features}>
              <thead>
                <tr>
                  {[strings.feature, strings.state, strings.until, strings.limit].map((head) => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map(([name, feature]) => {
                  const status = text(at(feature, 'status'));
                  return (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>
                        <Badge tone={TONES[status] ?? 'warn'}>{strings.licenceStates[status] ?? status}</Badge>
                      </td>
                      <td>{text(at(feature, 'expiry'))}</td>
                      <td>{text(at(feature, 'limit')) || text(at(feature, 'level'))}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </Wide>
          {facts.length > 0 && (
            <dl class="facts">
              {facts.map(([name, fact]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{text(fact)}</dd>
                </div>
              ))}
            </dl>
          )}
          <p>
            <a href={linkTo('system/licensing')}>system/licensing</a>, <a href={linkTo('system/multipartyLicensing')}>system/multipartyLicensing</a>,{' '}
            <a href={linkTo('clusterLicensing')}>clusterLicensing</a>
          </p>
        </>
      )}
    </>
  );
}

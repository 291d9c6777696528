// SPDX-License-Identifier: Apache-2.0
// Any address of the API, as its description says that it is: a list, an object, or text.

import { useRef, useState } from 'preact/hooks';
import { useApp, useDescription, useReading } from '../app';
import { flat, type Place as At } from '../description';
import { linkTo, wayOf } from '../route';
import { Form } from './form';
import { List } from './list';
import { One } from './one';
import { titleOf } from './frame';
import { Title, useSlash, Waiting } from './parts';
import { RULES, Rules } from './rules';
import { Source } from './ways';

/** All addresses that can be used without knowing an object. */
export function Index() {
  const { strings } = useApp();
  const description = useDescription();
  const [filter, setFilter] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);
  const places = description.places.filter(
    (place) => !place.template.includes('{') && description.offers(place) && place.template.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <>
      <Title>{strings.everything}</Title>
      <div class="tools" role="search">
        <label for="index-filter">{strings.filter}</label>
        <input ref={field} id="index-filter" type="search" value={filter} aria-keyshortcuts="/" onInput={(event) => setFilter(event.currentTarget.value)} />
      </div>
      {places.length === 0 ? (
        <p class="soft">{strings.none}</p>
      ) : (
        <ul class="index">
          {places.map(({ template }) => (
            <li key={template}>
              <a href={linkTo(template)}>{template}</a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What is neither a list nor an object: XML with its lines indented, or text as it is. */
function Text({ address }: { address: string }) {
  const app = useApp();
  const { value, error } = useReading(() => app.api.getText(address), address);
  return (
    <>
      <Title>{titleOf(app)}</Title>
      {value === undefined ? (
        <Waiting error={error} />
      ) : (
        <Source address={address} body={value} />
      )}
    </>
  );
}

const NOTHING = { made: '', answer: undefined };

/** What is never read: a question, or something to be done. */
function Ask({ place, address }: { place: At; address: string }) {
  const app = useApp();
  const { strings } = app;
  const description = useDescription();
  const [answer, setAnswer] = useState<readonly (readonly [string, string])[]>();
  const method = place.methods.includes('POST') ? 'POST' : 'PUT';
  return (
    <>
      <Form
        title={titleOf(app)}
        fields={description.parameters(place, method)}
        values={{}}
        verb={strings.send}
        send={async (form) => {
          if (method === 'PUT') await app.api.put(address, form);
          const { made, answer: told } = method === 'PUT' ? NOTHING : await app.api.post(address, form);
          if (made !== '') return app.go(linkTo(made));
          setAnswer(told === undefined ? [] : flat(told));
          app.say(strings.done);
        }}
        cancel={() => history.back()}
      />
      {answer !== undefined && (
        <dl class="tiles">
          {answer.length === 0 && <div>{strings.done}</div>}
          {answer.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

export function Place({ address }: { address: string }) {
  const { route, strings } = useApp();
  const description = useDescription();
  const place = description.placeOf(address);
  if (place === undefined || !description.offers(place))
    return (
      <>
        <Title>{address}</Title>
        <p class="soft">{strings.gone}</p>
      </>
    );
  if (!place.methods.includes('GET')) return <Ask place={place} address={address} />;
  if (RULES.includes(address) && wayOf(route) === '' && !route.query.has('new')) return <Rules place={place} address={address} />;
  if (place.kind === 'collection') return <List place={place} address={address} />;
  if (place.kind === 'text' || place.kind === 'usage') return <Text address={address} />;
  return <One place={place} address={address} />;
}

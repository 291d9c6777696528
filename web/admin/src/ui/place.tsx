// SPDX-License-Identifier: Apache-2.0
// Any address of the API, as its description says that it is: a list, an object, or text.

import { useRef, useState } from 'preact/hooks';
import { useApp, useDescription, useReading } from '../app';
import { indented } from '../description';
import { linkTo } from '../route';
import { List } from './list';
import { One } from './one';
import { titleOf } from './frame';
import { Title, useSlash, Waiting } from './parts';

/** All addresses that can be read without knowing an object. */
export function Index() {
  const { strings } = useApp();
  const description = useDescription();
  const [filter, setFilter] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);
  const places = description.places.filter(
    ({ template, methods }) => !template.includes('{') && methods.includes('GET') && template.toLowerCase().includes(filter.toLowerCase()),
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
        <pre class="source" tabIndex={0} aria-label={address}>
          {value.startsWith('<?xml') ? indented(value) : value}
        </pre>
      )}
    </>
  );
}

export function Place({ address }: { address: string }) {
  const { strings } = useApp();
  const place = useDescription().placeOf(address);
  if (place === undefined || !place.methods.includes('GET'))
    return (
      <>
        <Title>{address}</Title>
        <p class="soft">{strings.gone}</p>
      </>
    );
  if (place.kind === 'collection') return <List place={place} address={address} />;
  if (place.kind === 'text' || place.kind === 'usage') return <Text address={address} />;
  return <One place={place} address={address} />;
}

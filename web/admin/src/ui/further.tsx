// SPDX-License-Identifier: Apache-2.0
// What lies right below an address, or can be done there.

import { useApp, useDescription } from '../app';
import type { Place } from '../description';
import { linkTo } from '../route';

export function Further({ place, address }: { place: Place; address: string }) {
  const { strings } = useApp();
  const below = useDescription().below(place);
  if (below.length === 0) return null;
  return (
    <>
      <h2>{strings.further}</h2>
      <ul class="index">
        {below.map(({ template, methods }) => {
          const last = template.replace(/.*\//, '');
          return (
            <li key={last}>
              <a href={linkTo(`${address}/${last}`)}>{last}</a> {!methods.includes('GET') && <span class="soft">{methods.join(', ')}</span>}
            </li>
          );
        })}
      </ul>
    </>
  );
}

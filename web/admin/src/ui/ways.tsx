// SPDX-License-Identifier: Apache-2.0
// The two ways to look at an answer.

import { useApp } from '../app';
import { linkTo } from '../route';

interface WaysProps {
  readonly address: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly asXml: boolean;
}

export function Ways({ address, query = {}, asXml }: WaysProps) {
  const app = useApp();
  const way = (xml: boolean, name: string) => (
    <button type="button" class="quiet" aria-pressed={asXml === xml} onClick={() => app.go(linkTo(address, { ...query, xml: xml ? 1 : 0 }), true)}>
      {name}
    </button>
  );
  return (
    <div class="ways">
      {way(false, app.strings.asTable)}
      {way(true, app.strings.asXml)}
    </div>
  );
}

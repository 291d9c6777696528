// SPDX-License-Identifier: Apache-2.0
// The ways to look at an answer.

import { useApp } from '../app';
import { indented } from '../description';
import { linkTo, type Way } from '../route';

interface WaysProps {
  readonly address: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly way: Way;
}

export function Ways({ address, query = {}, way }: WaysProps) {
  const app = useApp();
  const button = (one: Way, name: string) => (
    <button type="button" class="quiet" aria-pressed={way === one} onClick={() => app.go(linkTo(address, { ...query, way: one }), true)}>
      {name}
    </button>
  );
  return (
    <div class="ways">
      {button('', app.strings.asTable)}
      {button('xml', 'XML')}
      {button('json', 'JSON')}
    </div>
  );
}

/** An answer with its lines, as it can be read. */
export function pretty(body: string): string {
  if (body.startsWith('<?xml')) return indented(body);
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

export function Source({ address, body }: { address: string; body: string }) {
  return (
    <pre class="source" tabIndex={0} role="region" aria-label={address}>
      {pretty(body)}
    </pre>
  );
}

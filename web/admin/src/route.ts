// SPDX-License-Identifier: Apache-2.0
// Where in the pages we are: "#/api/coSpaces?offset=20" has the words ["api", "coSpaces"].

export interface Route {
  readonly words: readonly string[];
  readonly query: URLSearchParams;
}

/** How an answer is looked at: as a table, or as it came. */
export type Way = '' | 'xml' | 'json';

export function wayOf({ query }: Route): Way {
  const way = query.get('way');
  return way === 'xml' || way === 'json' ? way : '';
}

/** What is asked for, to be shown that way. */
export function typeOf(way: Way): string {
  return way === 'json' ? 'application/json' : 'text/xml';
}

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { words: path.split('/').filter((word) => word !== ''), query: new URLSearchParams(query) };
}

/** The link to an API address's page. */
export function linkTo(address: string, query: Record<string, string | number> = {}): string {
  const set = Object.entries(query).filter(([, value]) => value !== '' && value !== 0);
  const more = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return `#/api/${address}${more === '' ? '' : `?${more}`}`;
}

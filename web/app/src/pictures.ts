// SPDX-License-Identifier: Apache-2.0
// What is asked for by `view`: which line is to show whom, and how large.  Pure; the machine of
// session.ts holds what these functions are given.

import type { Tile, ViewTile } from './protocol';

/** What is shared, where otherwise a participant's id would stand. */
export const CONTENT = 'content';
/** Lines are offered by steps, so that not everybody who comes costs an offer. */
export const LINE_STEPS: readonly number[] = [5, 10, 17, 26, 50];
/** Heights that are asked for, so that a window being resized does not ask for each one. */
export const HEIGHT_STEPS: readonly number[] = [90, 180, 270, 360, 540, 720, 1080, 1440, 2160];
/** A picture may be drawn so much larger than it is before a larger one is asked for. */
const STRETCH = 1.1;

/** What the page shows, as the stage measures it. */
export interface Look {
  /** Device pixels, by participant or CONTENT; 0: scrolled out of sight. */
  readonly heights: ReadonlyMap<string, number>;
  /** Device pixels of a place that is still free. */
  readonly spare: number;
  /** Who has to be seen: pinned, or large. */
  readonly wanted: readonly string[];
  /** People that find room. */
  readonly places: number;
  /** The page is not looked at. */
  readonly hidden: boolean;
}

export const NO_LOOK: Look = { heights: new Map(), spare: 0, wanted: [], places: 4, hidden: false };

export function heightStep(height: number): number {
  if (height <= 0) return 0;
  return HEIGHT_STEPS.find((step) => step * STRETCH >= height) ?? HEIGHT_STEPS[HEIGHT_STEPS.length - 1] ?? 0;
}

/** Lines to be offered for so many people with pictures, and what is shared. */
export function linesFor(people: number, places: number, tilesMax: number): number {
  const wanted = Math.min(people, places) + 1;
  const step = LINE_STEPS.find((lines) => lines >= wanted) ?? wanted;
  return Math.min(step, tilesMax);
}

type Tiles = ReadonlyMap<string, Tile>;

/** Who is in a tile, or CONTENT; empty: nobody. */
function shownIn(tile: Tile | undefined): string {
  return tile?.content === true ? CONTENT : (tile?.participant ?? '');
}

/** Which line is asked to show whom: the one they are in, else a free one, else the smallest picture's. */
function pinsOf(mids: readonly string[], tiles: Tiles, look: Look, wanted: readonly string[]): Map<string, string> {
  const pins = new Map<string, string>();
  const shows = (mid: string) => shownIn(tiles.get(mid));
  for (const id of wanted) {
    const own = mids.find((mid) => shows(mid) === id);
    if (own !== undefined) pins.set(own, id);
  }
  for (const id of wanted) {
    if ([...pins.values()].includes(id)) continue;
    const free = mids.filter((mid) => !pins.has(mid) && !wanted.includes(shows(mid)));
    const size = (mid: string) => (shows(mid) === '' ? -1 : (look.heights.get(shows(mid)) ?? 0));
    const smallest = free.reduce<string | undefined>(
      (best, mid) => (best === undefined || size(mid) < size(best) ? mid : best),
      undefined,
    );
    if (smallest !== undefined) pins.set(smallest, id);
  }
  return pins;
}

/** The whole view.  `presenter`: whose screen is to be seen; empty: nobody's. */
export function viewOf(mids: readonly string[], tiles: Tiles, look: Look, presenter: string): ViewTile[] {
  const wanted = presenter === '' ? look.wanted : [CONTENT, ...look.wanted];
  const pins = pinsOf(mids, tiles, look, wanted);
  return mids.map((mid, at) => {
    const pin = pins.get(mid);
    const measured = look.heights.get(pin ?? shownIn(tiles.get(mid)));
    const height = look.hidden ? 0 : heightStep(measured ?? (at < look.places ? look.spare : 0));
    if (pin === undefined) return { mid, height };
    return pin === CONTENT ? { mid, height, participant: presenter, content: true } : { mid, height, participant: pin };
  });
}

// SPDX-License-Identifier: Apache-2.0
// Where pictures stand: who is shown when not all find room, and how a number of equal places fills
// a window.  Pure.

/** So wide by so high is a picture where there is a choice. */
const ASPECT = 16 / 9;
/** They may lose something at their sides where that fills a window better, upright ones more. */
const ASPECT_MIN = { wide: 1.5, upright: 1.3 };
const PLACE_WIDTH_MIN = 148;
const PLACE_HEIGHT_MIN = 108;
const PHONE_WIDTH = 600;
const PHONE_PLACES = 6;
const PLACES_MIN = 2;
const PLACES_MAX = 25;

export interface Grid {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
}

/** How many people a window of this size (in CSS pixels) shows. */
export function placesIn(width: number, height: number): number {
  const room = Math.floor(width / PLACE_WIDTH_MIN) * Math.floor(height / PLACE_HEIGHT_MIN);
  return Math.max(PLACES_MIN, Math.min(width < PHONE_WIDTH ? PHONE_PLACES : PLACES_MAX, room));
}

function gridOf(columns: number, count: number, width: number, height: number, gap: number): Grid {
  const rows = Math.ceil(count / columns);
  const wide = Math.max(1, (width - gap * (columns - 1)) / columns);
  const high = Math.max(1, (height - gap * (rows - 1)) / rows);
  const narrowest = width < height ? ASPECT_MIN.upright : ASPECT_MIN.wide;
  /* As high as there is room for, but not narrower, and not wider, than pictures look well. */
  const cellHeight = Math.min(high, wide / narrowest);
  return { columns, width: Math.floor(Math.min(wide, cellHeight * ASPECT)), height: Math.floor(cellHeight) };
}

/** The columns that make equal places largest; of equals, the one without a gap at the end. */
export function gridFor(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, width: 0, height: 0 };
  let bestScore = -1;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const grid = gridOf(columns, Math.max(1, count), width, height, gap);
    const left = (columns - (count % columns)) % columns;
    const score = grid.width * grid.height * (1 - left * 0.01);
    if (score > bestScore) {
      best = grid;
      bestScore = score;
    }
  }
  return best;
}

/** Who is shown, each where they were before: those that must be, the first of them first, then who
 * was there, then by the order given.  A newcomer who must be seen takes the place of one who need not. */
export function shownOf(before: readonly string[], all: readonly string[], must: ReadonlySet<string>, places: number): string[] {
  const here = new Set(all);
  const shown = before.filter((id) => here.has(id));
  const wanted = [...[...must].filter((id) => here.has(id)), ...shown, ...all];
  const chosen = new Set([...new Set(wanted)].slice(0, places));
  const newcomers = [...chosen].filter((id) => !shown.includes(id));
  const kept = shown.map((id) => (chosen.has(id) ? id : newcomers.shift())).filter((id) => id !== undefined);
  return [...kept, ...newcomers];
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The small ones: so much of the window, and in pixels; below, so many in a row. */
const BESIDE = { share: 0.2, min: 150, max: 260 };
const BELOW = { share: 0.19, min: 72, max: 150, inRow: 4, inRowOfPhone: 3 };
const FLOAT = { share: 0.2, min: 92, max: 250 };

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}

interface Strip {
  readonly beside: boolean;
  readonly cell: { readonly width: number; readonly height: number };
  readonly columns: number;
  readonly rows: number;
  /** Of the large one. */
  readonly width: number;
  readonly height: number;
}

/** How one large and as many small ones as possible share a window. */
function stripOf(width: number, height: number, gap: number): Strip {
  if (width >= PHONE_WIDTH && width > height * 1.1) {
    const wide = Math.floor(between(BESIDE.min, width * BESIDE.share, BESIDE.max));
    const high = Math.floor(wide / ASPECT);
    const rows = Math.max(1, Math.floor((height + gap) / (high + gap)));
    return { beside: true, cell: { width: wide, height: high }, columns: 1, rows, width: width - wide - gap, height };
  }
  const columns = width < PHONE_WIDTH ? BELOW.inRowOfPhone : BELOW.inRow;
  const highest = between(BELOW.min, height * BELOW.share, BELOW.max);
  const wide = Math.floor(Math.min(highest * ASPECT, (width - (columns - 1) * gap) / columns));
  const high = Math.floor(Math.min(highest, wide / ASPECT_MIN.upright));
  const large = Math.floor(Math.min(height - high - gap, width / ASPECT_MIN.upright));
  const rows = Math.max(1, Math.floor((height - large) / (high + gap)));
  return { beside: false, cell: { width: wide, height: high }, columns, rows, width, height: large };
}

/** How many small ones find room with a large one. */
export function stripPlaces(width: number, height: number, gap: number): number {
  const { columns, rows } = stripOf(width, height, gap);
  return columns * rows;
}

/** One large, the others beside it or in rows below. */
export function focusRects(main: string, others: readonly string[], width: number, height: number, gap: number): Map<string, Rect> {
  const rects = new Map<string, Rect>();
  const { beside, cell, columns, width: wide, height: high } = stripOf(width, height, gap);
  if (others.length === 0) return rects.set(main, { x: 0, y: 0, width, height: beside ? height : Math.floor(Math.min(height, width / ASPECT_MIN.upright)) });
  const rows = Math.ceil(others.length / columns);
  const stack = rows * (cell.height + gap) - gap;
  const top = Math.max(0, Math.floor((height - (beside ? stack : high + gap + stack)) / 2));
  rects.set(main, { x: 0, y: beside ? 0 : top, width: wide, height: high });
  others.forEach((id, at) => {
    const row = Math.floor(at / columns);
    const inRow = Math.min(columns, others.length - row * columns);
    const left = beside ? wide + gap : Math.floor((width - inRow * (cell.width + gap) + gap) / 2);
    const x = left + (at - row * columns) * (cell.width + gap);
    const y = top + (beside ? 0 : high + gap) + row * (cell.height + gap);
    rects.set(id, { x, y, ...cell });
  });
  return rects;
}

/** All equal; a last row that is not full stands in the middle. */
export function gridRects(ids: readonly string[], width: number, height: number, gap: number): Map<string, Rect> {
  const grid = gridFor(ids.length, width, height, gap);
  const rows = Math.ceil(ids.length / grid.columns);
  const top = Math.floor((height - rows * grid.height - (rows - 1) * gap) / 2);
  const rects = new Map<string, Rect>();
  ids.forEach((id, at) => {
    const row = Math.floor(at / grid.columns);
    const inRow = Math.min(grid.columns, ids.length - row * grid.columns);
    const left = Math.floor((width - inRow * grid.width - (inRow - 1) * gap) / 2);
    const x = left + (at - row * grid.columns) * (grid.width + gap);
    rects.set(id, { x, y: Math.max(0, top) + row * (grid.height + gap), width: grid.width, height: grid.height });
  });
  return rects;
}

/** One's own picture over that of the only other one. */
export function floatRect(width: number, height: number, gap: number): Rect {
  const wide = Math.floor(between(FLOAT.min, Math.min(width, height * ASPECT) * FLOAT.share, FLOAT.max));
  const high = Math.floor(wide / (width < height ? ASPECT_MIN.upright : ASPECT));
  return { x: width - wide - gap, y: height - high - gap, width: wide, height: high };
}

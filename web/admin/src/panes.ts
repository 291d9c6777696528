// SPDX-License-Identifier: Apache-2.0
// The panes of layout templates, in percent of the picture, as PUT layoutTemplates/ID/template takes
// them; which of them are right is the API's to say.

import { at, text, type Value } from './api';

export interface Pane {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly over: boolean;
}

export type Arrangement = readonly Pane[];

export const SIDES = ['x', 'y', 'width', 'height'] as const;
export type Side = (typeof SIDES)[number];

const WHOLE = 100;
const DECIMALS = 1e4;

function number(value: Value | undefined): number {
  return Number(text(value) || 0);
}

export function readTemplate(answer: Value): Arrangement[] {
  const list = (value: Value | undefined) => (Array.isArray(value) ? value : []);
  return list(at(answer, 'templates')).map((arrangement) =>
    list(at(arrangement, 'panes')).map((pane) => ({
      x: number(at(pane, 'x')),
      y: number(at(pane, 'y')),
      width: number(at(pane, 'width')),
      height: number(at(pane, 'height')),
      over: text(at(pane, 'over')) === 'true',
    })),
  );
}

export function writeTemplate(arrangements: readonly Arrangement[]): string {
  const filled = arrangements.filter((panes) => panes.length > 0);
  if (filled.length === 0) return '';
  return JSON.stringify({ templates: filled.map((panes) => ({ panes: panes.map(({ over, ...sides }) => (over ? { ...sides, over } : sides)) })) });
}

const rounded = (value: number) => Math.round(value * DECIMALS) / DECIMALS;

/** Inside the picture, whatever is asked for. */
export function placed(pane: Pane, sides: Partial<Pane>): Pane {
  const next = { ...pane, ...sides };
  const width = Math.min(Math.max(next.width, 1), WHOLE);
  const height = Math.min(Math.max(next.height, 1), WHOLE);
  return {
    ...next,
    width: rounded(width),
    height: rounded(height),
    x: rounded(Math.min(Math.max(next.x, 0), WHOLE - width)),
    y: rounded(Math.min(Math.max(next.y, 0), WHOLE - height)),
  };
}

/** As many equal ones as asked for, row by row: where an arrangement begins. */
export function grid(count: number): Arrangement {
  const columns = Math.ceil(Math.sqrt(count));
  const side = Math.floor((WHOLE / columns) * 100) / 100;
  return Array.from({ length: count }, (_, i) =>
    placed({ x: 0, y: 0, width: side, height: side, over: false }, { x: (i % columns) * side, y: Math.floor(i / columns) * side }),
  );
}

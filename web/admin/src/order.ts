// SPDX-License-Identifier: Apache-2.0
// Rules that are asked one after another: the higher priority first, of equal ones the older.  Moving
// one among them changes as few priorities as can be.

export interface Ranked {
  readonly id: string;
  readonly priority: number;
}

const STEP = 10; // left between two rules, for one that comes in between

/** As they are asked; the list has the older first. */
export function inOrder<T extends Ranked>(rules: readonly T[]): T[] {
  return [...rules].sort((a, b) => b.priority - a.priority);
}

function renumbered(rules: readonly Ranked[]): Ranked[] {
  return rules.map(({ id }, i) => ({ id, priority: (rules.length - i) * STEP }));
}

/** The priorities to be changed for the rule at `from` to be asked as number `to`. */
export function moved(rules: readonly Ranked[], from: number, to: number): Ranked[] {
  const one = rules[from];
  const other = rules[to];
  if (one === undefined || other === undefined || from === to) return [];
  const order = rules.filter((rule) => rule !== one);
  order.splice(to, 0, one);
  const above = order[to - 1]?.priority;
  const below = order[to + 1]?.priority;
  if (above === undefined && below !== undefined) return [{ id: one.id, priority: below + STEP }];
  if (above !== undefined && above - (below ?? -1) >= 2)
    return [{ id: one.id, priority: below === undefined ? Math.max(0, above - STEP) : below + Math.floor((above - below) / 2) }];
  if (Math.abs(from - to) === 1 && one.priority !== other.priority)
    return [
      { id: one.id, priority: other.priority },
      { id: other.id, priority: one.priority },
    ];
  const now = new Map(rules.map(({ id, priority }) => [id, priority]));
  return renumbered(order).filter(({ id, priority }) => now.get(id) !== priority);
}

import { child, defineProcess, type ChildSpec } from '@foundation/core';

/** Orders by fruit, as a queue outside of the program holds them: a crash does not remove any. */
export const orders: ReadonlyMap<string, string[]> = new Map([
  ['apples', ['3', '5']],
  ['pears', ['7', 'twelve']],
  ['plums', ['2']],
]);

/** Counts what was ordered of one fruit: all of its orders, each time it starts. */
export const counter = defineProcess('counter', {
  init: (fruit: string) => ({ fruit, total: 0 }),
  continue({ state }) {
    for (const order of orders.get(state.fruit) ?? []) state.total += numberIn(order);
  },
  calls: { total: ({ state }) => state.total },
});

function numberIn(order: string): number {
  const number = Number(order);
  if (Number.isNaN(number)) throw new Error(`"${order}" is no number`);
  return number;
}

/** A counter for each fruit. */
export const counters: readonly ChildSpec[] = [...orders.keys()].map((fruit) =>
  child(counter, { name: fruit, init: fruit }),
);

import type { FisherResult } from '@foundation/core/mabeam';

import { supply, type Share } from './tenant.ts';

/** Whole units: each share rounded down, and what is left to the largest remainders. */
export function unitsOf({ buyers }: FisherResult): Readonly<Record<string, Share>> {
  const [gpus, memory] = Object.values(supply).map((units, good) =>
    rounded(buyers.map(({ shares }) => (shares[good] ?? 0) * units)),
  );
  return Object.fromEntries(
    buyers.map(({ agent }, at) => [agent, { gpus: gpus?.[at] ?? 0, memory: memory?.[at] ?? 0 }]),
  );
}

function rounded(exact: readonly number[]): readonly number[] {
  const whole = exact.map(Math.floor);
  const total = Math.round(exact.reduce((sum, each) => sum + each, 0));
  let left = total - whole.reduce((sum, each) => sum + each, 0);
  const remainders = exact.map((each, at) => ({ at, rest: each - Math.floor(each) }));
  for (const { at } of remainders.toSorted((one, other) => other.rest - one.rest)) {
    if (left-- <= 0) break;
    whole[at] = (whole[at] ?? 0) + 1;
  }
  return whole;
}

import { expect, it } from 'vitest';

it('shows exactly these names', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "agentTeamOptimizer",
      "bestOf",
      "byRank",
      "coordinateAscent",
      "dspexErrors",
      "optimize",
      "paretoFront",
      "portfolio",
      "portfolioDefaults",
      "randomSearch",
      "scoreMinusCost",
      "tpe",
      "tpeDefaults",
    ]
  `);
});

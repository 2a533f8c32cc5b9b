import { expect, it } from 'vitest';

it('shows exactly these names', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "SimClock",
      "SimDirectory",
      "SimDiscovery",
      "SimHost",
      "SimNetwork",
      "SimTransport",
      "Simulation",
      "TestCluster",
      "discoveryConformance",
      "eventually",
      "simulateCluster",
      "spawnNode",
      "storeConformance",
      "transportConformance",
    ]
  `);
});

it('shows exactly these names to the programs it starts', async () => {
  expect(Object.keys(await import('./test-program.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "runTestProgram",
    ]
  `);
});

import { expect, it } from 'vitest';

it('shows exactly these names', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "MachineClock",
      "SeededScheduler",
      "SimClock",
      "SimDirectory",
      "SimDiscovery",
      "SimDisk",
      "SimHost",
      "SimNetwork",
      "SimStore",
      "SimStoreServer",
      "SimTransport",
      "SimulatedDetectors",
      "Simulation",
      "TestCluster",
      "bullyElection",
      "bullyReceive",
      "bullyStart",
      "bullyTimeout",
      "checkModel",
      "clusterScenario",
      "detectorFlaws",
      "detectorScenario",
      "discoveryConformance",
      "eventually",
      "flaws",
      "leaseFlaws",
      "leaseScenario",
      "lookupConformance",
      "oralDecide",
      "oralDefault",
      "oralHear",
      "oralMessages",
      "oralRelay",
      "probe",
      "protocolLaws",
      "ringElection",
      "ringReceive",
      "ringStart",
      "simulateCluster",
      "simulateLease",
      "simulateSingleton",
      "singletonScenario",
      "sit",
      "spawnNode",
      "storeConformance",
      "testNode",
      "transportConformance",
      "trapAmbient",
      "tryDetectors",
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

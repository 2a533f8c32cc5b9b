import { expect, it } from 'vitest';

it('shows exactly these names', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "FoundationError",
      "Pid",
      "call",
      "cast",
      "child",
      "closest",
      "defineErrors",
      "defineProcess",
      "defineSupervisor",
      "fnv1a",
      "foundationErrors",
      "isFoundationError",
      "isRefused",
      "messageOf",
      "onNodeEvent",
      "refuse",
      "refuseUnknown",
      "seededRandom",
      "sleep",
      "startNode",
      "supervisorDefaults",
      "systemClock",
      "systemRandom",
    ]
  `);
});

it('shows exactly these names to adapters and to its sister packages', async () => {
  expect(Object.keys(await import('./internal.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "FoundationError",
      "Pid",
      "admits",
      "call",
      "cast",
      "child",
      "closest",
      "defineConfig",
      "defineErrors",
      "defineProcess",
      "defineSupervisor",
      "fenced",
      "fnv1a",
      "foundationErrors",
      "isFoundationError",
      "isRefused",
      "messageOf",
      "newFence",
      "onNodeEvent",
      "refuse",
      "refuseUnknown",
      "seededRandom",
      "sleep",
      "startNode",
      "startNodes",
      "supervisorDefaults",
      "systemClock",
      "systemRandom",
    ]
  `);
});

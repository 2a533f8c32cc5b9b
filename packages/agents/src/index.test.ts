import { expect, it } from 'vitest';

import * as agents from './index.ts';

it('exports these names and no others', () => {
  expect(Object.keys(agents).toSorted()).toMatchInlineSnapshot(`
    [
      "agentsErrors",
      "createPlanner",
      "defineAgent",
      "fixedDirectory",
      "from",
      "goalIssues",
      "isReference",
      "nodeDirectory",
      "parseGoal",
      "planDefaults",
      "planGoal",
      "resolveInput",
      "retryDefaults",
    ]
  `);
});

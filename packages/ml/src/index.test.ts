import { expect, it } from 'vitest';

it('shows exactly these names', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toMatchInlineSnapshot(`
    [
      "boolean",
      "choice",
      "float",
      "integer",
      "mlErrors",
      "variables",
    ]
  `);
});

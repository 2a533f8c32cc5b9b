import { expect, it } from 'vitest';

import { moduleBeside } from './module-beside.ts';

it.each([
  ['file:///app/src/a/b.ts', 'file:///app/src/a/worker.ts'],
  ['file:///app/dist/a/b.js', 'file:///app/dist/a/worker.js'],
  ['file:///app/bundle.mjs', 'file:///app/worker.js'],
])('a module beside %s is %s', (url, beside) => {
  expect(moduleBeside(url, 'worker').href).toBe(beside);
});

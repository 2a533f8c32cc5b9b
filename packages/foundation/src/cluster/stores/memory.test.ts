import { storeConformance } from '@foundation/testing';

import { MemoryStore } from './memory.ts';

storeConformance('MemoryStore', async () => {
  const store = new MemoryStore();
  return { connect: () => store, [Symbol.asyncDispose]: async () => {} };
});

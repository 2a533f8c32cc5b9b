import { discoveryConformance } from '@foundation/testing';

import { MemoryDiscovery, MemoryHub } from './memory.ts';

discoveryConformance('MemoryDiscovery', async () => {
  const hub = new MemoryHub();
  return { join: () => new MemoryDiscovery(hub), [Symbol.asyncDispose]: async () => {} };
});

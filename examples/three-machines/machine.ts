import { on } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { isFoundationError, startNode } from '@foundation/core';

import { desk } from './desk.ts';

// All else is in foundation.config.ts and in the environment.
const node = await startNode({ processes: [desk] });
const visits = node.variables.strong('visits', { initial: 0 });

const deeds: Readonly<Record<string, () => Promise<string>>> = {
  async join() {
    await node.cluster.reached(3);
    return 'sees all three';
  },
  async count() {
    await Promise.all(Array.from({ length: 100 }, () => visits.update((value) => value + 1)));
    return 'has counted 100 visits';
  },
  async lead() {
    await node.leases.acquire('leader', { ttlMs: 3_000 });
    return 'leads';
  },
  async open() {
    const options = { strategy: 'singleton', consistency: 'strong', name: 'desk' } as const;
    await node.processes.start(desk, { ...options, preferNode: node.name });
    return 'has opened the desk';
  },
  async ask() {
    const { node: where } = await untilThere(() => node.ref(desk, 'desk').open());
    return `asks at the desk, which is ${where === node.name ? 'here' : 'elsewhere'}`;
  },
  async sum() {
    return `reads ${await visits.get()} visits`;
  },
};

for await (const [deed] of on(process, 'message')) {
  process.send?.((await deeds[String(deed)]?.()) ?? `cannot ${String(deed)}`);
}

/** While the desk moves, nobody has its name: nothing was done, and it is worth another try. */
async function untilThere<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isFoundationError(error) || !error.retryable) throw error;
      await sleep(200);
    }
  }
}

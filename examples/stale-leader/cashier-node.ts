import { on } from 'node:events';

import { isFoundationError, startNode } from '@foundation/core';

/** How long after its last sign of life a cashier keeps the till, in milliseconds. */
const ttlMs = 1_000;
const [name = 'cashier', directory = ''] = process.argv.slice(2);
const orders = on(process, 'message');

await using node = await startNode({ name, clusterName: 'stale-leader', directory });
for (;;) {
  await using lease = await node.leases.acquire('till', { ttlMs });
  const balance = await node.variables.strong('balance', { initial: 0 }).fencedBy(lease.token);
  tell('has the till');
  while (lease.isHeld) {
    const amount = Number(await nextOrder());
    tell(lease.isHeld ? 'looks: the till is mine' : 'looks: the till is not mine');
    // Between a look and what rests on it a program may stand still for any time.
    await nextOrder();
    try {
      const { value } = await balance.update((before) => before + amount);
      tell(`books ${amount}, which makes ${value}`);
    } catch (error) {
      if (!isFoundationError(error)) throw error;
      tell(`may not book ${amount}: ${error.code}`);
    }
  }
  tell('has lost the till');
}

async function nextOrder(): Promise<unknown> {
  const { value } = await orders.next();
  return value?.[0];
}

function tell(text: string): void {
  process.send?.(text);
}

import { seededRandom } from '@foundation/core';
import { expect, it } from 'vitest';

import { settleCall } from '../src/mabeam/protocols/call-market.ts';

// The goal is 60 ms, which a busy machine makes three times as much.
it('a call market clears 100,000 bids and as many asks in 180 ms of CPU time', () => {
  const random = seededRandom('book');
  const orders = Array.from({ length: 200_000 }, (_, index) => ({
    agent: `agent-${index % 1_000}`,
    side: index % 2 === 0 ? ('buy' as const) : ('sell' as const),
    quantity: 1,
    limit: BigInt(random.int(1_000_000)),
  }));
  const times = Array.from({ length: 8 }, () => {
    const before = process.cpuUsage();
    const { status } = settleCall(orders, { lot: 'lot' }, { seed: 'seed', tie: 'seeded' });
    const { user, system } = process.cpuUsage(before);
    expect(status).toBe('decided');
    return (user + system) / 1_000;
  });
  expect(Math.min(...times)).toBeLessThan(180);
});

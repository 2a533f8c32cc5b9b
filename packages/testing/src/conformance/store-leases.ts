import { seededRandom, sleep, systemClock, systemRandom, type Lease } from '@foundation/core';
import { Leases, type Store } from '@foundation/core/internal';
import { expect, it } from 'vitest';

import { lossyLine, SeverableLine, storeOver } from './store-over-line.ts';
import type { WithStores } from './with-stores.ts';

/** Short, so that tests are; a store need not fail over meanwhile. */
const ttlMs = 1_500;

function leasesOn(store: Store, node: string): Leases {
  const parts = { clock: systemClock, random: systemRandom, onProblem: () => {} };
  return new Leases({ prefix: 'lease', node, store, ...parts });
}

/** What leases need of a store. */
export function describeLeases(withStores: WithStores): void {
  it('lets one hold a lease at a time, and gives each a higher token', () =>
    withStores(3, async (...stores) => {
      const tokens = await contend(stores.map((store, index) => leasesOn(store, `node-${index}`)));
      expect(tokens).toHaveLength(18);
    }));

  it('lets one hold a lease at a time though questions and acknowledgements get lost', () =>
    withStores(3, async (...stores) => {
      const lossy = stores.map((store, index) => storeOver(store, lossyLine(seededRandom(index))));
      const tokens = await contend(lossy.map((store, index) => leasesOn(store, `node-${index}`)));
      expect(tokens).toHaveLength(18);
    }));

  it('gives a lease that is released to one who waits, and does not let that wait for its time', () =>
    withStores(2, async (one, other = one) => {
      const lease = await leasesOn(one, 'one').acquire('lease', { ttlMs: 20_000 });
      const next = leasesOn(other, 'other').acquire('lease', { ttlMs: 20_000 });
      await sleep(systemClock, 200);
      const beganMs = performance.now();
      await lease.release();
      const nextLease = await next;
      expect(nextLease.token).toBeGreaterThan(lease.token);
      expect(performance.now() - beganMs).toBeLessThan(5_000);
      await nextLease.release();
    }));

  it('hands a lease on from one to the next, however short each of them has it', () =>
    withStores(2, async (one, other = one) => {
      const beganMs = performance.now();
      const rooms = [leasesOn(one, 'one'), leasesOn(other, 'other')];
      const turns = rooms.flatMap((leases) =>
        Array.from({ length: 5 }, async () => {
          const lease = await leases.acquire('lease', { ttlMs: 20_000 });
          await lease.release();
        }),
      );
      await Promise.all(turns);
      expect(performance.now() - beganMs).toBeLessThan(10_000);
    }));

  it('takes a lease from one who cannot renew it any more, not before that has lost it', () =>
    withStores(2, async (one, other = one) => {
      const severable = new SeverableLine();
      const lease = await leasesOn(storeOver(one, severable.line), 'one').acquire('lease', {
        ttlMs,
      });
      const next = leasesOn(other, 'other').acquire('lease', { ttlMs });
      await sleep(systemClock, ttlMs * 1.5);
      expect(lease.isHeld).toBe(true);
      severable.isCut = true;
      const taken = await next;
      expect([lease.isHeld, taken.isHeld]).toEqual([false, true]);
      expect(taken.token).toBeGreaterThan(lease.token);
      await taken.release();
    }));
}

/** Has each want it six times, two at a time, and returns the tokens in the order in which they were granted. */
async function contend(rooms: readonly Leases[]): Promise<readonly number[]> {
  const held = new Set<Lease>();
  const tokens: number[] = [];
  const overlaps: string[] = [];
  const holdOnce = async (leases: Leases): Promise<void> => {
    const lease = await leases.acquire('lease', { ttlMs });
    for (const other of held) {
      if (other.isHeld) overlaps.push(`${lease.token} was granted while ${other.token} was held`);
    }
    held.add(lease);
    tokens.push(lease.token);
    await sleep(systemClock, 3);
    held.delete(lease);
    await lease.release();
  };
  const runs = rooms
    .flatMap((leases) => [leases, leases])
    .map(async (leases) => {
      for (let round = 0; round < 3; round++) await holdOnce(leases);
    });
  await Promise.all(runs);
  expect(overlaps).toEqual([]);
  expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
  return tokens;
}

import { describe, expect, it } from 'vitest';

import { bid, World } from '../../test/coordination-world.ts';
import { settled } from '../../test/manual-clock.ts';
import { vickreyAuction } from './protocols/sealed-bid-auction.ts';
import type { RecordEntry } from './record.ts';
import { entriesRemembered, sessionsRemembered } from './session-log.ts';
import type { Session } from './session.ts';

const sale = { lot: 'cpu' };
const options = { deadlineMs: 100 };

async function watched(session: Session<unknown>): Promise<readonly RecordEntry[]> {
  const seen: RecordEntry[] = [];
  for await (const entry of session) seen.push(entry);
  return seen;
}

describe('who watches a session', () => {
  it('sees every entry as it happens, and the end', async () => {
    const world = new World();
    world.agent('a', bid(5n)).agent('b', world.slow(10, 3n)).agent('c', world.silent);
    const session = world.coordination.start(vickreyAuction, sale, world.ids, options);
    const seen: RecordEntry[] = [];
    const watching = (async () => {
      for await (const entry of session) seen.push(entry);
    })();
    await world.clock.advance(9);
    expect(seen.map(({ kind }) => kind)).toEqual(['request', 'request', 'request', 'answer']);
    await world.clock.advance(1);
    expect(seen).toHaveLength(5);
    await world.clock.advance(90);
    await watching;
    expect(seen).toEqual((await session.outcome).record.entries);
    expect(seen.at(-1)?.kind).toBe('deadline');
  });

  it('sees all of it, however late, and as many watch as like to', async () => {
    const world = new World().agent('a', bid(5n)).agent('b', bid(3n));
    const session = world.coordination.start(vickreyAuction, sale, world.ids, options);
    const early = watched(session);
    const { record } = await session.outcome;
    const found = world.coordination.session(session.id);
    if (found === undefined) throw new Error('forgotten');
    expect(await early).toEqual(record.entries);
    expect(await watched(found)).toEqual(record.entries);
  });

  it('may look away', async () => {
    const world = new World().agent('a', () => new Promise(() => {}));
    const session = world.coordination.start(vickreyAuction, sale, world.ids, options);
    for await (const entry of session) {
      expect(entry.kind).toBe('request');
      break;
    }
    await world.clock.advance(100);
    expect((await session.outcome).status).toBe('no_deal');
  });
});

describe('a signal', () => {
  it('cancels its session, also when it was aborted before', async () => {
    const world = new World();
    world.agent('a', world.silent);
    const controller = new AbortController();
    const { signal } = controller;
    const start = (): Session<unknown> =>
      world.coordination.start(vickreyAuction, sale, world.ids, { ...options, signal });
    const session = start();
    controller.abort();
    const cancelled = { status: 'cancelled', detail: 'its signal was aborted' };
    expect(await session.outcome).toMatchObject(cancelled);
    expect(await start().outcome).toMatchObject(cancelled);
    expect(world.clock.pending).toBe(0);
  });
});

describe('an idempotency key', () => {
  it('gives the session that was started with it, running or ended, and no other', async () => {
    const world = new World().agent('a', bid(5n));
    const start = (idempotencyKey?: string): Session<unknown> =>
      world.coordination.start(vickreyAuction, sale, world.ids, {
        ...options,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
    const first = start('lot 1');
    expect(start('lot 1')).toBe(first);
    await first.outcome;
    expect(start('lot 1')).toBe(first);
    expect(start('lot 2')).not.toBe(first);
    expect(start()).not.toBe(start());
    expect(world.asked).toHaveLength(4);
  });

  it('is free again when its session is forgotten', async () => {
    const world = new World().agent('a', bid(5n));
    const keyed = { ...options, idempotencyKey: 'lot 1' };
    const first = world.coordination.start(vickreyAuction, sale, world.ids, keyed);
    await first.outcome;
    for (let count = 0; count < sessionsRemembered; count++) {
      await world.coordination.start(vickreyAuction, sale, world.ids, options).outcome;
    }
    await settled();
    expect(world.coordination.start(vickreyAuction, sale, world.ids, keyed)).not.toBe(first);
  });
});

describe('the list of sessions', () => {
  it('shows those that run and those that have ended', async () => {
    const world = new World().agent('a', bid(5n));
    world.agent('b', world.slow(40, 3n));
    await world.clock.advance(7);
    const running = world.coordination.start(vickreyAuction, sale, world.ids, options);
    await world.coordination.start('auction.first_price', sale, ['a'], options).outcome;
    await world.clock.advance(20);
    const [first, second] = world.coordination.sessions();
    expect(first).toEqual({
      id: running.id,
      protocol: 'auction.vickrey',
      version: '1.0.0',
      status: 'running',
      participants: 2,
      rounds: 1,
      epoch: 1,
      startedAt: 1_000_007,
      tookMs: 20,
    });
    expect(second).toMatchObject({ protocol: 'auction.first_price', status: 'decided', tookMs: 0 });
    await world.clock.advance(50);
    expect(world.coordination.sessions()[0]).toMatchObject({
      status: 'decided',
      tookMs: 40,
      participation: { asked: 2, ok: 2 },
    });
  });

  it('forgets the oldest that have ended, never one that runs', async () => {
    const world = new World().agent('a', bid(5n));
    world.agent('b', world.silent);
    const long = { deadlineMs: 1_000 };
    const running = world.coordination.start(vickreyAuction, sale, ['b'], long);
    const ids: string[] = [];
    for (let count = 0; count < sessionsRemembered + 5; count++) {
      const session = world.coordination.start(vickreyAuction, sale, ['a'], options);
      ids.push(session.id);
      await session.outcome;
    }
    await settled();
    const known = world.coordination.sessions().map(({ id }) => id);
    expect(known).toEqual([running.id, ...ids.slice(5)]);
    expect(world.coordination.session(ids[0] ?? '')).toBeUndefined();
    expect(world.coordination.session(ids[5] ?? '')?.id).toBe(ids[5]);
    // What is forgotten still counts.
    expect(world.coordination.statistics()['auction.vickrey']).toMatchObject({
      started: sessionsRemembered + 6,
      running: 1,
      ended: { decided: sessionsRemembered + 5 },
    });
  });

  it('forgets earlier ones of which the records are large, never the last nor small ones', async () => {
    const world = new World().agent('only', bid(5n));
    const small = world.coordination.start(vickreyAuction, sale, world.ids, options);
    await small.outcome;
    for (let bidder = 0; bidder < 3_000; bidder++) world.agent(`bidder ${bidder}`, bid(5n));
    const entries = 2 * world.ids.length;
    const ids: string[] = [];
    for (let count = 0; count < 20; count++) {
      const session = world.coordination.start(vickreyAuction, sale, world.ids, options);
      ids.push(session.id);
      await session.outcome;
    }
    await settled();
    const known = world.coordination.sessions().map(({ id }) => id);
    expect(known).toEqual([small.id, ...ids.slice(-Math.floor(entriesRemembered / entries))]);
  });
});

describe('statistics', () => {
  it('are sums by protocol that follow from the outcomes', async () => {
    const world = new World().agent('a', bid(5n)).agent('b', () => 'garbage');
    world.agent('c', world.silent);
    const { coordination } = world;
    expect(coordination.statistics()).toEqual({});
    const session = coordination.start(vickreyAuction, sale, world.ids, options);
    await world.clock.advance(100);
    const cancelled = coordination.start(vickreyAuction, sale, ['c'], options);
    await world.clock.advance(30);
    cancelled.cancel('enough');
    const outcomes = [await session.outcome, await cancelled.outcome];
    const before = coordination.statistics();
    expect(before).toEqual({
      'auction.vickrey': {
        started: 2,
        running: 0,
        ended: { decided: 1, cancelled: 1 },
        participation: { asked: 4, ok: 1, declined: 0, silent: 2, invalid: 1 },
        tookMs: { sum: 130, max: 100 },
      },
    });
    const asked = outcomes.reduce((sum, { participation }) => sum + participation.asked, 0);
    expect(before['auction.vickrey']?.participation.asked).toBe(asked);
    coordination.start(vickreyAuction, sale, ['c'], options);
    // What was told does not change.
    expect(before['auction.vickrey']?.started).toBe(2);
  });
});

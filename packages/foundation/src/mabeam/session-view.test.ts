import { describe, expect, it } from 'vitest';

import { bid, MemoryJournal, World } from '../../test/coordination-world.ts';
import { canonical } from './canonical.ts';
import type { AgentId, CoordinationRequest } from './message.ts';
import { withoutSecret } from './nonce.ts';
import { vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { readyReplies } from './ready-replies.ts';
import { replay } from './replay.ts';
import {
  listSessions,
  readView,
  sessionsListed,
  type SessionView,
  viewSession,
} from './session-view.ts';

const sale = { lot: 'cpu' };
const options = { deadlineMs: 100 };

async function seen(world: World, id: string): Promise<SessionView> {
  const bytes = await viewSession(world.coordination, id);
  if (bytes === undefined) throw new Error('unknown');
  return readView(bytes);
}

describe('a record that is shown to others', () => {
  it('has no secret, and leads to the same outcome', async () => {
    const world = new World().agent('a', bid(9n)).agent('b', () => 'garbage');
    const { record, ...said } = await world.coordination.start(
      vickreyAuction,
      sale,
      world.ids,
      options,
    ).outcome;
    const open = withoutSecret(record);
    const text = canonical(open);
    expect(text).not.toContain(record.setup.nonceKey);
    for (const { request } of world.asked) expect(text).not.toContain(request.nonce);
    expect(replay(vickreyAuction, open)).toEqual({ ...said, record: open });
    expect(withoutSecret(open)).toEqual(open);
  });
});

describe('what a node tells of its sessions', () => {
  it('is how they went, whether they have ended or not', async () => {
    const world = new World().agent('a', bid(9n));
    world.agent('b', world.silent);
    const ended = world.coordination.start(vickreyAuction, sale, ['a'], options);
    await ended.outcome;
    const running = world.coordination.start(vickreyAuction, sale, ['b'], options);
    const view = await seen(world, ended.id);
    expect(view).toMatchObject({ info: { id: ended.id }, outcome: { result: { winner: 'a' } } });
    expect(view.record?.setup.nonceKey).toBe('');
    const open = await seen(world, running.id);
    expect(open.record?.entries).toHaveLength(1);
    expect(open).not.toHaveProperty('outcome');
    expect(await viewSession(world.coordination, 'nobody')).toBeUndefined();
    expect(listSessions(world.coordination).sessions).toEqual(world.coordination.sessions());
  });

  it('has a limit: a record that is too large is left out, and of many sessions the oldest', async () => {
    const world = new World();
    const roster: AgentId[] = Array.from({ length: 10_000 }, (_, at) => `agent-${at}`);
    world.agent('a', world.silent);
    const large = world.coordination.start(vickreyAuction, sale, roster, options);
    await large.outcome;
    const view = await seen(world, large.id);
    expect(view).not.toHaveProperty('record');
    expect(view.outcome?.participation.asked).toBe(10_000);
    expect(view.omittedBytes).toBeGreaterThan(4 * 2 ** 20);
    for (let count = 0; count <= sessionsListed; count++) {
      world.coordination.start(vickreyAuction, sale, ['a'], options);
    }
    const { sessions, total } = listSessions(world.coordination);
    expect([sessions.length, total]).toEqual([sessionsListed, sessionsListed + 2]);
    expect(sessions.at(-1)?.status).toBe('running');
  });
});

describe('a stored session', () => {
  it('can be read by its id', async () => {
    const world = new World({ journal: new MemoryJournal() }).agent('a', bid(9n));
    const durable = { ...options, durable: true };
    const session = world.coordination.start(vickreyAuction, sale, world.ids, durable);
    const { record } = await session.outcome;
    expect(await world.coordination.stored(session.id)).toEqual(record);
    await expect(world.coordination.stored('nobody')).rejects.toMatchObject({
      code: 'UNKNOWN_SESSION',
    });
  });
});

describe('a scripted bidder that is truthful', () => {
  const asked = (body: object): CoordinationRequest =>
    // Only what it looks at.
    ({ type: 'get_bid', round: 1, body }) as unknown as CoordinationRequest;

  it('bids its value unless the reserve rules that out', () => {
    const bids = readyReplies['truthful']?.('7');
    expect(bids?.(asked({ lot: 'x', side: 'sell' }))).toEqual({ amount: 7n });
    expect(bids?.(asked({ lot: 'x', side: 'sell', reserve: 8n }))).toBeUndefined();
    expect(bids?.(asked({ lot: 'x', side: 'buy', reserve: 8n }))).toEqual({ amount: 7n });
    expect(bids?.(asked({ lot: 'x', side: 'buy', reserve: 6n }))).toBeUndefined();
    expect(() => bids?.(asked({ hello: 1 }))).toThrow('body.lot: ');
    expect(() => readyReplies['truthful']?.(-1)).toThrow('truthful: expected a whole amount');
  });
});

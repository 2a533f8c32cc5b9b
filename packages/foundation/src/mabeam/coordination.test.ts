import { describe, expect, it } from 'vitest';

import { type Behaviour, bid, World } from '../../test/coordination-world.ts';
import { FoundationError } from '../errors.ts';
import type { CoordinationReply, CoordinationRequest } from './message.ts';
import { firstPriceAuction, vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { replay } from './replay.ts';
import type { SessionOptions } from './session-options.ts';

function fail(
  code: 'NODE_DOWN' | 'PROCESS_DOWN' | 'NO_PROCESS' | 'CALL_TIMEOUT' | 'REFUSED',
): Behaviour {
  return () => {
    throw new FoundationError(code, `agent says ${code}`);
  };
}

function replyTo({ session, round, nonce, to: from }: CoordinationRequest): CoordinationReply {
  return { kind: 'mabeam.coordination.reply', v: 1, session, round, nonce, from, status: 'ok' };
}

const sale = { lot: 'cpu' } as const;

describe('a coordination', () => {
  it('sells a lot among agents that answer by message', async () => {
    const world = new World().agent('a', bid(10n)).agent('b', bid(8n)).agent('c', bid(5n));
    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 100 });
    const outcome = await session.outcome;
    expect(outcome).toMatchObject({ status: 'decided', result: { winner: 'a', price: 8n } });
    expect(world.asked.map(({ participant: { id } }) => id)).toEqual(['a', 'b', 'c']);
    expect(replay(vickreyAuction, outcome.record)).toEqual(outcome);
    expect(world.clock.pending).toBe(0);
  });

  it('ends in time whatever the participants do, and names each of them', async () => {
    const world = new World();
    let old: unknown;
    world
      .agent('honest', bid(6n))
      .agent('second', bid(4n))
      .agent('silent', world.silent)
      .agent('slow', world.slow(101, 99n))
      .agent('dead', fail('PROCESS_DOWN'))
      .agent('gone', fail('NO_PROCESS'))
      .agent('cut off', fail('NODE_DOWN'))
      .agent('busy', fail('CALL_TIMEOUT'))
      .agent('rude', fail('REFUSED'))
      .agent('garbage', () => ({ hello: 'world' }))
      .agent('huge', (request) => ({ ...replyTo(request), body: { amount: 2n ** 70n } }))
      .agent('impostor', (request) => ({ ...replyTo(request), from: 'honest' }))
      .agent('replaying', (request) => (old ??= bid(99n)(request)))
      .agent('liar', (request) => {
        const answer = bid(99n)(request);
        queueMicrotask(() => void world.coordination.receive('liar', bid(98n)(request)));
        return answer;
      })
      .agent('repeating', (request) => {
        const answer = bid(3n)(request);
        world.coordination.receive('repeating', answer);
        return answer;
      });
    await world.coordination.start(vickreyAuction, sale, ['replaying'], { deadlineMs: 1 }).outcome;

    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 100 });
    let ended = false;
    void session.outcome.then(() => (ended = true));
    await world.clock.advance(99);
    expect(ended).toBe(false);
    await world.clock.advance(1);
    expect(ended).toBe(true);
    const outcome = await session.outcome;
    expect(outcome.result).toMatchObject({ winner: 'honest', price: 4n });
    expect(outcome.participation).toEqual({ asked: 15, ok: 3, declined: 0, silent: 6, invalid: 6 });
    expect(outcome.reasons).toEqual({
      honest: 'won',
      second: 'outbid',
      repeating: 'outbid',
      silent: 'silent',
      slow: 'silent',
      dead: 'silent',
      gone: 'silent',
      'cut off': 'silent',
      busy: 'silent',
      rude: 'invalid',
      garbage: 'invalid',
      huge: 'invalid',
      impostor: 'invalid',
      replaying: 'invalid',
      liar: 'invalid',
    });
    expect(replay(vickreyAuction, outcome.record)).toEqual(outcome);

    await world.clock.advance(10);
    expect(session.record.entries.at(-1)).toMatchObject({ from: 'slow', at: 101, verdict: 'late' });
    expect(await session.outcome).toBe(outcome);
  });

  it('waits for a thousand silent agents once, not a thousand times', async () => {
    const world = new World();
    for (let index = 0; index < 1_000; index++) world.agent(`agent-${index}`, world.silent);
    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 50 });
    await world.clock.advance(50);
    expect(await session.outcome).toMatchObject({
      status: 'no_deal',
      participation: { silent: 1_000 },
    });
    expect(world.clock.pending).toBe(0);
  });

  it('does not wait for the dead', async () => {
    const world = new World().agent('a', fail('NODE_DOWN')).agent('b', bid(1n));
    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 50 });
    await session.outcome;
    expect(world.clock.now()).toBe(0);
    const lost = session.record.entries.find(({ kind }) => kind === 'lost');
    expect(lost).toMatchObject({ from: 'a', cause: 'down', detail: 'agent says NODE_DOWN' });
  });

  it('tells the messenger when nobody waits for an answer any more', async () => {
    const signals: AbortSignal[] = [];
    const world = new World().agent('a', (_request, signal) => {
      signals.push(signal);
      return world.silent();
    });
    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 50 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    session.cancel('changed our mind');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await session.outcome).toMatchObject({
      status: 'cancelled',
      detail: 'changed our mind',
    });
  });

  it('cancels what is under way when it is closed', async () => {
    const world = new World();
    world.agent('a', world.silent);
    const session = world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 50 });
    expect(world.coordination.protocols()[1]).toMatchObject({ name: 'auction.vickrey', active: 1 });
    world.coordination.close();
    expect((await session.outcome).status).toBe('cancelled');
    expect(world.coordination.protocols()[1]).toMatchObject({ active: 0 });
    expect(world.clock.pending).toBe(0);
  });

  it('gives every session its own id and requests, and every seed its own winner of a tie', async () => {
    const world = new World().agent('a', bid(5n)).agent('b', bid(5n));
    const winners = new Map<string, Set<string>>();
    const ids = new Set<string>();
    for (let round = 0; round < 30; round++) {
      for (const seed of ['one', 'two', 'three', 'four', `r${round}`]) {
        const options = { deadlineMs: 50, seed };
        const session = world.coordination.start(vickreyAuction, sale, world.ids, options);
        const { result } = await session.outcome;
        ids.add(session.id);
        const key = seed.startsWith('r') ? 'others' : seed;
        winners.set(key, (winners.get(key) ?? new Set()).add(result?.winner ?? ''));
      }
    }
    expect(ids.size).toBe(150);
    expect(new Set(world.asked.map(({ request }) => request.nonce)).size).toBe(300);
    expect([...winners.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 2]);
  });

  it('hands the messenger what the roster says about a participant', () => {
    const world = new World();
    const member = { id: 'a', process: { pid: 7 } };
    world.coordination.start(vickreyAuction, sale, [member], { deadlineMs: 50 });
    expect(world.asked[0]?.participant).toBe(member);
  });

  it('is not for answers of sessions that are unknown', async () => {
    const world = new World().agent('a', bid(5n));
    await world.coordination.start(vickreyAuction, sale, world.ids, { deadlineMs: 50 }).outcome;
    const answer = bid(5n)(world.asked[0]?.request);
    expect(world.coordination.receive('a', answer)).toBe(false);
    expect(world.coordination.receive('a', 'garbage')).toBe(false);
  });
});

describe('protocols', () => {
  const auctions = { protocols: [firstPriceAuction, vickreyAuction] };
  const later = { ...vickreyAuction, version: '2.0.0' };

  it('are found by name, and can be added, replaced and removed while sessions run', async () => {
    const { coordination, clock, ...world } = new World(auctions);
    expect(coordination.protocols().map(({ name }) => name)).toEqual([
      'auction.first_price',
      'auction.vickrey',
    ]);
    const session = coordination.start('auction.vickrey', sale, ['a'], { deadlineMs: 50 });
    expect(() => coordination.registerProtocol(later)).toThrow(
      'protocol auction.vickrey is registered already, version 1.0.0',
    );
    coordination.registerProtocol(later, { replace: true });
    expect(coordination.unregisterProtocol('auction.vickrey')).toBe(true);
    expect(coordination.unregisterProtocol('auction.vickrey')).toBe(false);
    await clock.advance(50);
    expect((await session.outcome).record.setup.protocolVersion).toBe('1.0.0');
    expect(world.asked).toHaveLength(1);
  });

  it('that are unknown are refused with those that are known', () => {
    const { coordination } = new World(auctions);
    expect(() => coordination.start('auction.dutch', sale, [], { deadlineMs: 50 })).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_PROTOCOL',
        message: 'no protocol is called "auction.dutch"',
        hint: 'Known here: auction.first_price, auction.vickrey. Others must be registered first.',
      }),
    );
  });

  it('given by value need no name', async () => {
    const world = new World({ protocols: [] }).agent('a', bid(3n));
    const session = world.coordination.start(firstPriceAuction, sale, ['a'], { deadlineMs: 50 });
    expect((await session.outcome).result?.price).toBe(3n);
  });
});

describe('bad input', () => {
  it('in a spec is refused before anybody is asked', () => {
    const world = new World().agent('a', bid(5n));
    const bad = { lot: 'x', side: 'both' };
    expect(() =>
      world.coordination.start('auction.vickrey', bad, ['a'], { deadlineMs: 5 }),
    ).toThrow(
      expect.objectContaining({
        code: 'INVALID_SPEC',
        message: 'auction.vickrey: side: expected sell or buy, got "both"',
      }),
    );
    expect(world.asked).toEqual([]);
  });

  it.each([
    ['no protocol', [null, sale, ['a'], { deadlineMs: 5 }], 'expected a protocol, got null'],
    ['no roster', [vickreyAuction, sale, null, { deadlineMs: 5 }], 'expected a roster, got null'],
    ['no options', [vickreyAuction, sale, ['a']], 'expected options, got undefined'],
  ])('that is %s is named', (_, given, message) => {
    const { coordination } = new World();
    // As somebody without types would call it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const start = coordination.start.bind(coordination) as (...args: unknown[]) => unknown;
    expect(() => start(...given)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message }),
    );
  });

  it('in options is refused, all of it at once', () => {
    const { coordination } = new World();
    const bad = { deadlineMs: 0, tie: 'seedd', quorum: 0.5, deadLineMs: 5 };
    // As a text from a file would be.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const options = bad as unknown as SessionOptions;
    expect(() => coordination.start(vickreyAuction, sale, [], options)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message:
          'expected `deadlineMs` from 0 to 2147483647, got 0; ' +
          'expected `tie` to be one of seeded, lexicographic, report, got "seedd", did you mean "seeded"?; ' +
          'expected `quorum` to be a whole number from 0, or a part from 0/1 to 1/1, got 0.5; ' +
          'unknown option "deadLineMs", did you mean "deadlineMs"?',
      }),
    );
  });

  it('is told how to go on: without a deadline, or with somebody twice', () => {
    const { coordination } = new World();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const none = {} as SessionOptions;
    expect(() => coordination.start(vickreyAuction, sale, ['a'], none)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('{ deadlineMs: 1_000 }') }),
    );
    const one = { deadlineMs: 5 };
    expect(() => coordination.start(vickreyAuction, sale, ['a', 'a'], one)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('new Set(ids)') }),
    );
  });

  it.each([
    ['twice', ['a', 'b', 'a'], 'the roster names "a" twice'],
    ['without a name', ['a', ''], 'the roster holds "", not an id'],
    ['by the hundred thousand', Array.from({ length: 100_001 }, String), /at most 100000/],
  ])('in a roster, such as agents %s, is refused', (_what, roster, message) => {
    const { coordination } = new World();
    expect(() => coordination.start(vickreyAuction, sale, roster, { deadlineMs: 5 })).toThrow(
      message,
    );
  });
});

describe('ten thousand bidders', () => {
  it('settle a second-price auction', async () => {
    const world = new World();
    for (let index = 0; index < 10_000; index++) world.agent(`agent-${index}`, bid(BigInt(index)));
    const session = world.coordination.start(vickreyAuction, sale, world.ids, {
      deadlineMs: 1_000,
    });
    expect((await session.outcome).result).toMatchObject({ winner: 'agent-9999', price: 9_998n });
  });
});

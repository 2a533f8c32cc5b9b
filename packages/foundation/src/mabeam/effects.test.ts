import { describe, expect, it } from 'vitest';

import { answering, World } from '../../test/coordination-world.ts';
import { FoundationError } from '../errors.ts';
import type { CoordinationRequest } from './message.ts';
import type { Outcome } from './outcome.ts';
import { parsed } from './parse.ts';
import type { AskEffect, Effect, Protocol, SessionEvent } from './protocol.ts';
import { vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { replay } from './replay.ts';
import type { Solver, SolverJob, SolverResult } from './solver.ts';

type Heard = SessionEvent<unknown> | SolverResult;
type Chatty = Protocol<unknown, unknown, readonly Heard[], readonly Heard[]>;

/** Does one step after the other, and ends with all that it has heard. */
function chatty(...steps: readonly (readonly Effect<readonly Heard[]>[])[]): Chatty {
  const next = (heard: readonly Heard[]): ReturnType<Chatty['init']> => ({
    state: heard,
    effects: [...(steps[heard.length] ?? []), ...(heard.length < steps.length ? [] : [end(heard)])],
  });
  return {
    name: 'test.chatty',
    version: '1',
    traits: { ...vickreyAuction.traits, maxRounds: () => 9 },
    parseSpec: parsed,
    parseReply: (_type, body) => parsed(body),
    init: () => next([]),
    on: (heard, event) => next([...heard, event]),
    solved: (heard, result) => next([...heard, result]),
  };
}

function end(heard: readonly Heard[]): Effect<readonly Heard[]> {
  return { kind: 'finish', decision: { status: 'decided', result: heard } };
}

const ask = (...to: readonly string[]): AskEffect => ({ kind: 'ask', to, type: 'word', body: 1 });
const tell = (body: unknown, ...to: readonly string[]): Effect<never> => ({
  kind: 'tell',
  to,
  type: 'news',
  body,
});
const told = ({ to, budgetMs, body }: CoordinationRequest): unknown => [to, budgetMs, body];
const options = { deadlineMs: 100 };
const silent = (): Promise<never> => new Promise<never>(() => {});

describe('a notice', () => {
  it('goes out before what is asked in the same step, answers nothing and counts nothing', async () => {
    const world = new World().agent('a', answering('yes')).agent('b', answering('yes'));
    const protocol = chatty([tell('begin', 'b'), ask('a')], [tell('over', 'a', 'b'), end([])]);
    const outcome = await world.coordination.start(protocol, 0, ['a', 'b'], options).outcome;
    expect(world.told.map(told)).toEqual([
      ['b', 0, 'begin'],
      ['a', 0, 'over'],
      ['b', 0, 'over'],
    ]);
    expect(outcome.participation).toEqual({ asked: 1, ok: 1, declined: 0, silent: 0, invalid: 0 });
    const kinds = outcome.record.entries.map(({ kind }) => kind);
    expect(kinds).toEqual(['notice', 'request', 'answer', 'notice', 'notice']);
    expect(replay(protocol, outcome.record)).toEqual(outcome);
  });

  it('is sent once, also when the session is cancelled, is without a quorum, or runs out of time', async () => {
    const world = new World().agent('a', silent);
    const protocol = chatty([tell('begin', 'a'), ask('a')]);
    const start = (quorum: number): ReturnType<typeof world.coordination.start> =>
      world.coordination.start(protocol, 0, ['a'], { ...options, quorum });
    start(0).cancel('no need');
    expect(world.told).toHaveLength(1);
    const slow = start(0);
    await world.clock.advance(100);
    expect((await slow.outcome).status).toBe('decided');
    expect(world.told).toHaveLength(2);
    const wanting = start(1);
    await world.clock.advance(100);
    expect((await wanting.outcome).status).toBe('no_quorum');
    expect(world.told).toHaveLength(3);
  });

  it('may be the last word of a protocol that was stopped between two steps', async () => {
    const world = new World().agent('a', silent);
    const stopped: Chatty['stopped'] = (heard) => [
      { kind: 'tell', to: ['a', 'stranger'], type: 'news', body: heard.length },
    ];
    const start = (
      steps: readonly (readonly Effect<never>[])[],
      quorum: number,
    ): ReturnType<typeof world.coordination.start> =>
      world.coordination.start({ ...chatty(...steps), stopped }, 0, ['a'], { ...options, quorum });
    start([[ask('a')]], 0).cancel('no need');
    expect(world.told.map(told)).toEqual([['a', 0, 0]]);
    const wanting = start([[ask('a')]], 1);
    const slow = start([[ask('a')], [tell('first', 'a'), ask('a')]], 0);
    const ended = start([[ask('a')]], 0);
    await world.clock.advance(100);
    expect((await wanting.outcome).status).toBe('no_quorum');
    expect((await slow.outcome).status).toBe('limit_reached');
    expect((await ended.outcome).status).toBe('decided');
    expect(world.told.slice(1).map(told)).toEqual([
      ['a', 0, 0],
      ['a', 0, 'first'],
      ['a', 0, 1],
    ]);
    const { record } = await slow.outcome;
    expect(record.entries.slice(-2).map(({ kind }) => kind)).toEqual(['notice', 'notice']);
    const broken = { ...chatty([ask('a')]), stopped: () => Object(undefined).oops() };
    const failing = world.coordination.start(broken, 0, ['a'], options);
    failing.cancel('no need');
    expect((await failing.outcome).status).toBe('failed');
  });

  it('that the messenger cannot send is lost, and nothing else', async () => {
    const messenger = {
      ask: () => Promise.reject(new FoundationError('NO_PROCESS', 'gone')),
      tell: () => {
        throw new Error('no line');
      },
    };
    const { coordination } = new World({ messenger });
    const session = coordination.start(chatty([tell('begin', 'a'), ask('a')]), 0, ['a'], options);
    expect((await session.outcome).status).toBe('decided');
  });

  it('to a stranger is a broken contract', async () => {
    const session = new World().coordination.start(
      chatty([tell('x', 'mallory'), ask('a')]),
      0,
      ['a'],
      options,
    );
    expect(await session.outcome).toMatchObject({
      status: 'failed',
      detail: 'test.chatty addressed mallory, who is not in the roster',
    });
  });
});

describe('a question', () => {
  it('may leave a part of the time for what comes after', async () => {
    const world = new World().agent('a', silent);
    const protocol = chatty([{ ...ask('a'), budgetShare: 0.25 }], [ask('a')]);
    const { outcome } = world.coordination.start(protocol, 0, ['a'], options);
    await world.clock.advance(25);
    expect(world.asked.map(({ request }) => request.budgetMs)).toEqual([25, 75]);
    await world.clock.advance(75);
    expect((await outcome).status).toBe('decided');
  });
});

describe('a wait', () => {
  it('is a round without anybody, as long as it says', async () => {
    const world = new World();
    const session = world.coordination.start(
      chatty([{ kind: 'wait', forMs: 30 }]),
      0,
      ['a'],
      options,
    );
    await world.clock.advance(29);
    expect(world.coordination.sessions()[0]?.status).toBe('running');
    await world.clock.advance(1);
    expect((await session.outcome).result).toEqual([
      { kind: 'round_closed', round: 1, answers: [] },
    ]);
    expect(world.asked).toEqual([]);
  });

  it('lasts no longer than the session', async () => {
    const world = new World();
    const protocol = chatty([{ kind: 'wait', forMs: 1_000 }], [{ kind: 'wait', forMs: 1 }]);
    const session = world.coordination.start(protocol, 0, ['a'], options);
    await world.clock.advance(100);
    expect((await session.outcome).status).toBe('limit_reached');
    expect(world.clock.pending).toBe(0);
  });
});

describe('an event', () => {
  it('stands in the record where it happened, for those who watch', async () => {
    const world = new World().agent('a', answering('yes'));
    const price = { kind: 'emit', name: 'price', facts: { price: 7n } } as const;
    const protocol = chatty([price, ask('a')], [price, { kind: 'wait', forMs: 5 }]);
    const session = world.coordination.start(protocol, 0, ['a'], options);
    await world.clock.advance(5);
    const { record } = await session.outcome;
    expect(record.entries.map(({ kind }) => kind)).toEqual([
      'emit',
      'request',
      'answer',
      'emit',
      'deadline',
    ]);
    expect(record.entries[0]).toEqual({ ...price, at: 0 });
    expect(replay(protocol, record).record).toEqual(record);
  });
});

const job: SolverJob = { model: { columns: [{ worth: 1, most: 1 }], rows: [] } };
const solve: Effect<never> = { kind: 'solve', job };
const best: SolverResult = { status: 'optimal', values: [1], objective: 1, solver: 'test 1' };

describe('a problem for the solver', () => {
  const started = (
    solver?: Solver,
  ): { world: World; outcome: Promise<Outcome<readonly Heard[]>> } => {
    const world = new World(solver === undefined ? {} : { solver });
    return { world, outcome: world.coordination.start(chatty([solve]), 0, ['a'], options).outcome };
  };

  it('comes back solved, and a replay asks no solver', async () => {
    const budgets: number[] = [];
    const { outcome } = started({
      solve: (given, { budgetMs }) => {
        expect(given).toBe(job);
        budgets.push(budgetMs);
        return Promise.resolve(best);
      },
    });
    const settled = await outcome;
    expect(settled).toMatchObject({ status: 'decided', result: [best] });
    // Less than the session has: the answer must come back.
    expect(budgets).toEqual([90]);
    expect(replay(chatty([solve]), settled.record)).toEqual(settled);
  });

  it('that is never solved holds nothing up: the session ends by its deadline', async () => {
    const signals: AbortSignal[] = [];
    const { world, outcome } = started({
      solve: (_job, { signal }) => {
        signals.push(signal);
        return new Promise<never>(() => {});
      },
    });
    await world.clock.advance(100);
    const limit = { status: 'limit', solver: 'none', detail: 'the solver did not answer' };
    expect(await outcome).toMatchObject({ status: 'decided', result: [limit] });
    expect(signals[0]?.aborted).toBe(true);
    expect(world.clock.pending).toBe(0);
  });

  it('that breaks the solver has failed', async () => {
    for (const broken of [
      () => Promise.reject(new Error('out of memory')),
      () => {
        throw new Error('out of memory');
      },
    ]) {
      const { world, outcome } = started({ solve: broken });
      expect(await outcome).toMatchObject({
        result: [{ status: 'failed', detail: 'out of memory' }],
      });
      expect(world.clock.pending).toBe(0);
    }
  });

  it('has no solver here unless one was given', async () => {
    const { outcome } = started();
    expect(await outcome).toMatchObject({ result: [{ detail: 'no solver is installed here' }] });
  });

  it('is answered too late after a cancellation', async () => {
    const { promise, resolve } = Promise.withResolvers<SolverResult>();
    const world = new World({ solver: { solve: () => promise } });
    const session = world.coordination.start(chatty([solve]), 0, ['a'], options);
    session.cancel('enough');
    resolve(best);
    expect((await session.outcome).status).toBe('cancelled');
    expect(session.record.entries.map(({ kind }) => kind)).toEqual(['cancel']);
  });

  it('of a protocol that does not listen is a broken contract', async () => {
    const init: typeof vickreyAuction.init = (state) => ({ state, effects: [solve] });
    const deaf = { ...vickreyAuction, init };
    const session = new World().coordination.start(deaf, { lot: 'x' }, ['a'], options);
    expect(await session.outcome).toMatchObject({
      status: 'failed',
      detail: 'auction.vickrey had something solved and does not listen',
    });
  });
});

describe('a round that closes with the first loss', () => {
  const together = chatty([{ ...ask('a', 'b'), until: 'loss' }]);
  const lossy = async (a: Parameters<World['agent']>[1]): Promise<unknown> => {
    const world = new World().agent('a', a).agent('b', silent);
    const session = world.coordination.start(together, 0, ['a', 'b'], options);
    await world.clock.advance(1);
    return world.coordination.sessions()[0]?.status === 'running'
      ? 'running'
      : (await session.outcome).reasons;
  };

  it('does not wait for the others when one is dead, declines or talks nonsense', async () => {
    const dead = (): never => {
      throw new FoundationError('PROCESS_DOWN', 'dead');
    };
    expect(await lossy(dead)).toEqual({ a: 'silent', b: 'silent' });
    expect(await lossy(answering({ decline: 'no' }))).toEqual({ a: 'declined', b: 'silent' });
    expect(await lossy(() => 'nonsense')).toEqual({ a: 'invalid', b: 'silent' });
  });

  it('waits while all are there', async () => {
    expect(await lossy(answering('yes'))).toBe('running');
  });

  it('has lost one that says two things', async () => {
    const world = new World().agent('b', silent);
    world.agent('a', (...asked) => {
      queueMicrotask(() => world.coordination.receive('a', answering('no')(...asked)));
      return answering('yes')(...asked);
    });
    const session = world.coordination.start(together, 0, ['a', 'b'], options);
    await world.clock.advance(1);
    expect(world.coordination.sessions()[0]?.status).toBe('decided');
    expect((await session.outcome).reasons).toEqual({ a: 'invalid', b: 'silent' });
  });
});

describe('a quorum', () => {
  const status = async (
    quorum: number | `${number}/${number}`,
    { asked, there }: { asked: readonly string[]; there: number },
  ): Promise<string> => {
    const world = new World();
    const roster = ['a', 'b', 'c', 'd'];
    roster.forEach((id, at) => world.agent(id, at < there ? answering('yes') : silent));
    const session = world.coordination.start(chatty([ask(...asked)]), 0, roster, {
      ...options,
      quorum,
    });
    await world.clock.advance(100);
    return (await session.outcome).status;
  };
  const all = ['a', 'b', 'c', 'd'];

  it.each([
    [3, 2, 'no_quorum'],
    [3, 3, 'decided'],
    ['2/3', 2, 'no_quorum'],
    ['2/3', 3, 'decided'],
    ['1/2', 2, 'decided'],
    ['0/1', 0, 'decided'],
    ['1/1', 3, 'no_quorum'],
  ] as const)('of %s of four with %i there: %s', async (quorum, there, expected) => {
    expect(await status(quorum, { asked: all, there })).toBe(expected);
  });

  it('is no matter of rounds that ask only some', async () => {
    expect(await status('1/1', { asked: ['c', 'd'], there: 0 })).toBe('decided');
  });

  it.each(['2/0', '3/2', '1/2/3', 'half', '-1/2'])('of "%s" is refused', (quorum) => {
    const { coordination } = new World();
    const wrong = quorum as '1/2';
    expect(() => coordination.start(chatty(), 0, all, { ...options, quorum: wrong })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});

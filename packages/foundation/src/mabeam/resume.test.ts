import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  answering,
  type Behaviour,
  bid,
  MemoryJournal,
  World,
} from '../../test/coordination-world.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import type { AgentId } from './message.ts';
import type { Outcome } from './outcome.ts';
import { parsed, unparsed } from './parse.ts';
import { participant } from './participant.ts';
import type { AnyProtocol, Protocol } from './protocol.ts';
import { contractNet } from './protocols/contract-net.ts';
import { vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { encodeRecord } from './record-codec.ts';
import { replay } from './replay.ts';
import type { SolverResult } from './solver.ts';
import { verify } from './verify.ts';

interface Talk {
  readonly roster: readonly AgentId[];
  readonly sum: number;
  readonly rounds: number;
}

/**
 * Three rounds of numbers, of which each asks those who have answered in the one before and tells the standing; then
 * a wait, and a problem for the solver.
 */
const talk: Protocol<string, number, Talk, number> = {
  name: 'test.talk',
  version: '1',
  traits: { ...vickreyAuction.traits, maxRounds: () => 4 },
  parseSpec: (spec) => (typeof spec === 'string' ? parsed(spec) : unparsed('expected a text')),
  parseReply: (_type, body) => (typeof body === 'number' ? parsed(body) : unparsed('no number')),
  init: (_spec, roster) => ({
    state: { roster, sum: 0, rounds: 0 },
    effects: [{ kind: 'ask', to: roster, type: 'word', body: 0 }],
  }),
  on(state, { answers }) {
    const there = answers.flatMap((each) => (each.kind === 'ok' ? [each] : []));
    const sum = there.reduce((total, { body }) => total + body, state.sum);
    const [roster, rounds] = [there.map(({ from }) => from), state.rounds + 1];
    const next = { roster: rounds < 3 ? roster : state.roster, sum, rounds };
    if (rounds === 4) return { state: next, effects: [{ kind: 'solve', job: { model: empty } }] };
    if (rounds === 3) return { state: next, effects: [{ kind: 'wait', forMs: 5 }] };
    return {
      state: next,
      effects: [
        { kind: 'emit', name: 'sum', facts: { sum } },
        { kind: 'tell', to: roster, type: 'standing', body: sum },
        { kind: 'ask', to: roster, type: 'word', body: sum, budgetMs: 20 },
      ],
    };
  },
  solved: (state, { objective = 0 }) => ({
    state,
    effects: [
      { kind: 'tell', to: state.roster, type: 'over', body: null },
      { kind: 'finish', decision: { status: 'decided', result: state.sum + objective } },
    ],
  }),
};
const empty = { columns: [], rows: [] };
const best: SolverResult = { status: 'optimal', objective: 0.5, solver: 'test 1' };
const solver = { solve: () => Promise.resolve(best) };

/** What an outcome says, without how it came about and how often somebody was asked. */
function claim({ status, result, reasons, tie }: Outcome<unknown>): unknown {
  return { status, result, reasons, tie };
}

interface Scene {
  readonly protocol: AnyProtocol;
  readonly spec: unknown;
  readonly agents: ReadonlyMap<AgentId, Behaviour>;
}

const deadlineMs = 100;

function worldOf({ protocol, agents }: Scene, journal?: MemoryJournal): World {
  const more = journal === undefined ? {} : { journal };
  const world = new World({ protocols: [protocol], solver, clock: new ManualClock(), ...more });
  for (const [id, behaviour] of agents) world.agent(id, behaviour);
  return world;
}

async function whole(scene: Scene): Promise<Outcome<unknown>> {
  const world = worldOf(scene);
  const options = { deadlineMs, seed: 'seed', quorum: 1 };
  const session = world.coordination.start(scene.protocol, scene.spec, world.ids, options);
  await world.clock.advance(deadlineMs);
  return session.outcome;
}

/** What a coordinator elsewhere makes of the first `count` entries. */
async function goneOn(scene: Scene, { record }: Outcome<unknown>, count: number): Promise<World> {
  const cut = { ...record, entries: record.entries.slice(0, count) };
  const world = worldOf(scene);
  const session = await world.coordination.resume(encodeRecord(cut));
  expect(session.id).toBe(record.setup.session);
  await world.clock.advance(deadlineMs);
  return world;
}

async function survivesEveryCrash(scene: Scene): Promise<number> {
  const outcome = await whole(scene);
  const { entries } = outcome.record;
  for (let count = 0; count <= entries.length; count++) {
    const world = await goneOn(scene, outcome, count);
    const [info] = world.coordination.sessions();
    expect(info?.epoch).toBe(2);
    expect(world.asked.every(({ request }) => request.epoch === 2)).toBe(true);
    expect(world.told.every(({ epoch }) => epoch === 2)).toBe(true);
    const resumed = await world.coordination.session(info?.id ?? '')?.outcome;
    if (resumed === undefined) throw new Error('no outcome');
    expect(claim(resumed), `after ${count} entries`).toEqual(claim(outcome));
    expect(replay(scene.protocol, resumed.record)).toEqual(resumed);
    expect(verify(scene.protocol, resumed)).toEqual([]);
    expect(world.clock.pending).toBe(0);
  }
  return entries.length;
}

const silent: Behaviour = () => new Promise<never>(() => {});
const bids = fc.oneof(
  fc.bigInt(0n, 5n).map(bid),
  fc.constantFrom<Behaviour>(silent, () => 'garbage'),
);
const words = fc.oneof(fc.integer({ min: 1, max: 9 }).map(answering), fc.constant(silent));
const named = (behaviours: readonly Behaviour[]): Scene['agents'] =>
  new Map(behaviours.map((behaviour, at) => [`agent-${at}`, behaviour]));

describe('a session whose coordinator is gone', () => {
  it('comes to the same outcome from each entry of an auction', () =>
    fc.assert(
      fc.asyncProperty(fc.array(bids, { minLength: 1, maxLength: 5 }), async (behaviours) => {
        const spec = { lot: 'lot', side: 'sell', reserve: 1n };
        await survivesEveryCrash({ protocol: vickreyAuction, spec, agents: named(behaviours) });
      }),
      { numRuns: 25 },
    ));

  it('comes to the same outcome from each entry of many rounds, notices, a wait and a solver', () =>
    fc.assert(
      fc.asyncProperty(fc.array(words, { minLength: 1, maxLength: 4 }), async (behaviours) => {
        await survivesEveryCrash({ protocol: talk, spec: 'x', agents: named(behaviours) });
      }),
      { numRuns: 25 },
    ));

  it('comes to the same outcome from each entry of a contract net', async () => {
    const acts = ['failure', 'working', 'inform_done'] as const;
    const contractors = acts.map((last, place): Behaviour => {
      const answer = participant<null>({
        propose: () => ({ cost: BigInt(place) }),
        perform: (_ctx, { heartbeat }) => ({ act: heartbeat === 0 ? 'working' : last }),
      });
      return (request) => answer(null, request);
    });
    const spec = { task: 't', proposeMs: 20, heartbeatMs: 10, performMs: 20 };
    const agents = named(contractors);
    expect(await survivesEveryCrash({ protocol: contractNet, spec, agents })).toBeGreaterThan(20);
  });

  it('asks only those who have not answered, and tells the last notices once more', async () => {
    const scene = { protocol: talk, spec: 'x', agents: named([answering(1), answering(2)]) };
    const outcome = await whole(scene);
    const { entries } = outcome.record;
    const second = entries.findIndex(
      (entry) => entry.kind === 'answer' && entry.reply?.round === 2,
    );
    const world = await goneOn(scene, outcome, second + 1);
    const again = world.asked.filter(({ request }) => request.round === 2);
    expect(again.map(({ request }) => request.to)).toEqual(['agent-1']);
    const standing = world.told.filter(({ round }) => round === 1);
    expect(standing.map(({ to, body }) => [to, body])).toEqual([
      ['agent-0', 3],
      ['agent-1', 3],
    ]);
    const first = entries.find((entry) => entry.kind === 'request' && entry.request.round === 2);
    expect(first).toMatchObject({ request: { to: 'agent-0' } });
    // The same request, of another coordinator.
    const nonces = entries.flatMap((each) => (each.kind === 'request' ? [each.request.nonce] : []));
    expect(nonces).toContain(again[0]?.request.nonce);
  });

  it('has the time that was left', async () => {
    const scene = {
      protocol: vickreyAuction,
      spec: { lot: 'x' },
      agents: named([bid(1n), silent]),
    };
    const world = worldOf(scene);
    const session = world.coordination.start(vickreyAuction, { lot: 'x' }, world.ids, {
      deadlineMs,
    });
    await world.clock.advance(30);
    world.coordination.receive('agent-0', { kind: 'mabeam.coordination.reply' });
    session.cancel('crash');
    const { record } = session;
    const at = record.entries.findIndex(({ kind }) => kind === 'cancel');
    const entries = [
      ...record.entries.slice(0, at),
      { kind: 'answer', at: 30, from: 'x', unreadable: 'noise', verdict: 'malformed' } as const,
    ];
    const other = worldOf(scene);
    const resumed = await other.coordination.resume(encodeRecord({ ...record, entries }));
    await other.clock.advance(69);
    expect(other.coordination.sessions()[0]?.status).toBe('running');
    await other.clock.advance(1);
    expect((await resumed.outcome).result).toMatchObject({ winner: 'agent-0' });
  });

  it('goes on from a snapshot, while the first coordinator knows nothing of it', async () => {
    const scene = { protocol: talk, spec: 'x', agents: named([answering(1)]) };
    const world = worldOf(scene);
    const session = world.coordination.start(talk, 'x', world.ids, { deadlineMs });
    const resumed = await worldOf(scene).coordination.resume(session.snapshot());
    expect(resumed).not.toBe(session);
    expect(resumed.id).toBe(session.id);
  });

  it('is given as it is when it runs here', async () => {
    const scene = { protocol: talk, spec: 'x', agents: named([silent]) };
    const world = worldOf(scene);
    const session = world.coordination.start(talk, 'x', world.ids, { deadlineMs });
    expect(await world.coordination.resume(session.snapshot())).toBe(session);
    expect(world.asked).toHaveLength(1);
  });

  it('is refused when there is nothing to go on with', async () => {
    const { coordination } = new World({ journal: new MemoryJournal(), protocols: [] });
    await expect(coordination.resume('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_SESSION' });
    await expect(coordination.resume(new Uint8Array([1, 2]))).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    const scene = { protocol: talk, spec: 'x', agents: named([silent]) };
    const { record } = await whole(scene);
    await expect(coordination.resume(encodeRecord(record))).rejects.toMatchObject({
      code: 'UNKNOWN_PROTOCOL',
    });
    await expect(new World().coordination.resume('nobody')).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: 'there is no store for durable sessions here',
    });
  });
});

describe('a durable session', () => {
  const scene = { protocol: talk, spec: 'x', agents: named([answering(1), answering(2)]) };
  const options = { deadlineMs, durable: true };

  it('is written before anybody is asked, and once a step', async () => {
    const journal = new MemoryJournal();
    const world = worldOf(scene, journal);
    const askedAt: number[] = [];
    const save = journal.save;
    journal.save = (...args) => {
      askedAt.push(world.asked.length);
      return save(...args);
    };
    const session = world.coordination.start(talk, 'x', world.ids, options);
    expect(world.asked).toEqual([]);
    await world.clock.advance(50);
    expect((await session.outcome).result).toBe(9.5);
    expect(askedAt).toEqual([0, 2, 4, 6, 6, 6]);
  });

  it('goes on elsewhere, and its old coordinator can do nothing more', async () => {
    const journal = new MemoryJournal();
    const stuck = { ...scene, agents: named([answering(1), silent]) };
    const old = worldOf(stuck, journal);
    const before = old.coordination.start(talk, 'x', old.ids, options);
    await old.clock.advance(10);
    const fresh = worldOf(scene, journal);
    const after = await fresh.coordination.resume(before.id);
    await fresh.clock.advance(deadlineMs);
    expect((await after.outcome).result).toBe(9.5);
    await old.clock.advance(deadlineMs);
    const refused = await before.outcome;
    expect(refused).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('has another coordinator by now'),
    });
    // It has asked nobody a second time.
    expect(old.asked).toHaveLength(2);
    expect(refused.result).toBeUndefined();
    expect(replay(talk, refused.record)).toEqual(refused);
    expect(verify(talk, refused)).toEqual([]);
  });

  it('that has ended ends the same elsewhere', async () => {
    const journal = new MemoryJournal();
    const world = worldOf(scene, journal);
    const session = world.coordination.start(talk, 'x', world.ids, options);
    await world.clock.advance(50);
    const other = worldOf(scene, journal);
    const again = await other.coordination.resume(session.id);
    expect(await again.outcome).toEqual(await session.outcome);
    expect(other.asked).toEqual([]);
  });

  it.each([1, 2, 6])('ends as failed when write %i fails', async (which) => {
    const journal = new MemoryJournal();
    const world = worldOf(scene, journal);
    const save = journal.save;
    let writes = 0;
    journal.save = (...args) =>
      ++writes === which ? Promise.reject(new Error('disk full')) : save(...args);
    const session = world.coordination.start(talk, 'x', world.ids, options);
    await world.clock.advance(50);
    const outcome = await session.outcome;
    const detail = 'its record could not be written: disk full';
    expect(outcome).toMatchObject({ status: 'failed', detail });
    expect(outcome).not.toHaveProperty('result');
    expect(replay(talk, outcome.record)).toEqual(outcome);
    expect(world.told.filter(({ type }) => type === 'over')).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  it.each([
    [1, 0],
    [2, 0],
    [6, 1_000],
  ])('ends when write %i hangs, %i ms after its deadline', async (which, lateMs) => {
    const journal = new MemoryJournal();
    const world = worldOf(scene, journal);
    const save = journal.save;
    let writes = 0;
    journal.save = (...args) => (++writes >= which ? new Promise(() => {}) : save(...args));
    const session = world.coordination.start(talk, 'x', world.ids, options);
    await world.clock.advance(deadlineMs + lateMs - 1);
    expect(world.coordination.sessions()[0]?.status).toBe('running');
    await world.clock.advance(1);
    expect(await session.outcome).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('its record could not be written: not within'),
    });
    expect(world.clock.pending).toBe(0);
  });

  it('can be cancelled while its store hangs', async () => {
    const journal = new MemoryJournal();
    const world = worldOf(scene, journal);
    journal.save = () => new Promise(() => {});
    const session = world.coordination.start(talk, 'x', world.ids, options);
    session.cancel('enough');
    await world.clock.advance(deadlineMs + 1_000);
    expect((await session.outcome).status).toBe('failed');
    expect(world.asked).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  it('needs a store', () => {
    const world = worldOf(scene);
    expect(() => world.coordination.start(talk, 'x', world.ids, options)).toThrow(
      'there is no store for durable sessions here',
    );
  });
});

import { type Sat, Simulation, SimClock, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FoundationError } from '../../errors.ts';
import type { Snapshots } from '../../process/durability.ts';
import { type Coordination, createCoordination } from '../coordination.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import { participant } from '../participant.ts';
import { verify } from '../verify.ts';
import {
  type CommitDecision,
  twoPhaseCommit,
  type TwoPhaseCommitResult,
  type TwoPhaseCommitSpec,
} from './two-phase-commit.ts';

const spec: TwoPhaseCommitSpec = { transaction: 'move 5', voteMs: 100 };

/** Holds a session; `told` says what those do who are told a decision. */
function hold(
  votes: Readonly<Record<AgentId, Scripted | 'yes' | 'no'>>,
  told: Readonly<Record<AgentId, Scripted>> = {},
  changes: Partial<TwoPhaseCommitSpec> = {},
): Promise<Sat<TwoPhaseCommitResult>> {
  return sit(twoPhaseCommit, {
    spec: { ...spec, ...changes },
    roster: Object.keys(votes),
    options: { deadlineMs: 1_000 },
    answer({ type, to }) {
      if (type !== 'prepare') return told[to] ?? { body: {} };
      const vote = votes[to] ?? 'silent';
      return vote === 'yes' || vote === 'no' ? { body: { vote } } : vote;
    },
  });
}

const toldTo = ({ sent }: Sat<unknown>, type: string): AgentId[] =>
  sent.filter((request) => request.type === type).map(({ to }) => to);

describe('a two-phase commit', () => {
  it('commits when all vote yes, with four messages each (E1)', async () => {
    const sat = await hold({ a: 'yes', b: 'yes', c: 'yes' });
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result).toEqual({
      transaction: 'move 5',
      decision: 'commit',
      acknowledged: ['a', 'b', 'c'],
      refused: [],
      blocked: [],
      unheard: [],
    });
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'won' });
    expect(sat.sent.length + sat.outcome.participation.ok).toBe(12);
    expect(sat.sent.map(({ body }) => body)).toEqual(
      Array.from({ length: 6 }, () => ({ transaction: 'move 5' })),
    );
  });

  it('aborts when one votes no, who need not be told (E2)', async () => {
    const sat = await hold({ a: 'yes', b: 'no', c: 'yes' });
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result).toMatchObject({
      decision: 'abort',
      acknowledged: ['a', 'c'],
      refused: ['b'],
      blocked: [],
    });
    expect(toldTo(sat, 'abort')).toEqual(['a', 'c']);
    expect(toldTo(sat, 'commit')).toEqual([]);
    expect(sat.outcome.reasons).toEqual({ a: 'not_eligible', b: 'declined', c: 'not_eligible' });
  });

  it('aborts at the deadline of the votes when one is silent (E3)', async () => {
    const sat = await hold({ a: 'yes', b: 'silent', c: 'yes' }, { b: 'dead' });
    expect(sat.endedAt).toBeGreaterThanOrEqual(100);
    expect(sat.endedAt).toBeLessThanOrEqual(200);
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result).toMatchObject({
      decision: 'abort',
      acknowledged: ['a', 'c'],
      blocked: [],
      unheard: ['b'],
    });
    expect(sat.outcome.reasons).toMatchObject({ b: 'silent' });
  });

  it.each(['dead', 'garbage', { decline: 'busy' }, { equivocate: { vote: 'yes' } }] as const)(
    'aborts when a vote is %j',
    async (trouble) => {
      const sat = await hold({ a: 'yes', b: trouble, c: 'yes' });
      expect(sat.endedAt).toBeLessThanOrEqual(100);
      expect(sat.outcome.result?.decision).toBe('abort');
      expect(toldTo(sat, 'commit')).toEqual([]);
    },
  );

  it('tells the abort to the silent, too: a vote may have been lost', async () => {
    const sat = await hold({ a: 'yes', b: 'silent' });
    expect(sat.outcome.result?.acknowledged).toEqual(['a', 'b']);
    expect(sat.outcome.reasons).toEqual({ a: 'not_eligible', b: 'silent' });
  });

  it.each(['dead', 'silent', 'garbage', { decline: 'changed my mind' }] as const)(
    'is no success while one is in doubt who was told to commit and is %j',
    async (trouble) => {
      const { outcome } = await hold({ a: 'yes', b: 'yes' }, { b: trouble });
      expect(outcome.status).toBe('limit_reached');
      expect(outcome.result).toMatchObject({
        decision: 'commit',
        acknowledged: ['a'],
        blocked: ['b'],
      });
    },
  );

  it('is no success while one is in doubt who was told to abort', async () => {
    const { outcome } = await hold({ a: 'yes', b: 'no' }, { a: 'dead' });
    expect(outcome.status).toBe('limit_reached');
    expect(outcome.result).toMatchObject({ decision: 'abort', blocked: ['a'], refused: ['b'] });
  });

  it('can be told again to those whom it left blocked', async () => {
    const sat = await hold({ b: 'silent' }, {}, { decided: 'commit' });
    expect(toldTo(sat, 'prepare')).toEqual([]);
    expect(sat.outcome).toMatchObject({ status: 'decided', result: { acknowledged: ['b'] } });
    const again = await hold({ b: 'silent' }, { b: 'dead' }, { decided: 'commit' });
    expect(again.outcome).toMatchObject({ status: 'limit_reached', result: { blocked: ['b'] } });
  });

  it('commits nothing when its own time is up before that of the votes', async () => {
    const sat = await hold({ a: 'yes', b: 'silent' }, {}, { voteMs: 5_000 });
    expect(sat.outcome.status).toBe('limit_reached');
    expect(sat.outcome.result).toBeUndefined();
    expect(toldTo(sat, 'commit')).toEqual([]);
  });
});

/** A store that takes part in transactions, and outlives coordinators. */
interface Store {
  readonly vote: 'yes' | 'no' | 'silent';
  /** Of its own accord or told. More than one different is the end of atomicity. */
  readonly decisions: Set<CommitDecision>;
  /** Idempotency keys of what it was told, to do each once. */
  readonly done: Set<string>;
  isGone: boolean;
}

const answers = participant<Store>({
  prepare: ({ vote, decisions }) => {
    if (vote === 'no') decisions.add('abort');
    return vote === 'silent' ? new Promise<never>(() => {}) : vote;
  },
  commit: ({ decisions, done }, _question, { idempotencyKey }) => {
    done.add(idempotencyKey);
    decisions.add('commit');
  },
  abort: ({ decisions, done }, _question, { idempotencyKey }) => {
    done.add(idempotencyKey);
    decisions.add('abort');
  },
});

/** Coordinators that share a journal, of which the first dies after some steps of its own. */
class Site {
  readonly clock = new SimClock(new Simulation(1));
  readonly stores: ReadonlyMap<AgentId, Store>;
  readonly epochs: number[] = [];
  #written: { version: number; state: Uint8Array } | undefined;

  constructor(votes: readonly Store['vote'][]) {
    this.stores = new Map(
      votes.map((vote, index): [AgentId, Store] => [
        `s${index}`,
        { vote, decisions: new Set(), done: new Set(), isGone: false },
      ]),
    );
  }

  /** Each message sent or received, and each write begun or ended, is a step. */
  coordinator(steps: number): Coordination {
    let left = steps;
    const alive = async (): Promise<void> => {
      if (left-- <= 0) await new Promise<never>(() => {});
    };
    const journal: Snapshots = {
      load: () => Promise.resolve(this.#written),
      save: async (_key, version, state) => {
        await alive();
        if ((this.#written?.version ?? 0) !== version) return undefined;
        this.#written = { version: version + 1, state };
        await alive();
        return version + 1;
      },
    };
    const ask = async (id: AgentId, request: CoordinationRequest): Promise<unknown> => {
      await alive();
      const store = this.stores.get(id);
      if (store === undefined || store.isGone) throw new FoundationError('NO_PROCESS', `no ${id}`);
      this.epochs.push(request.epoch);
      const answer = await answers(store, request);
      await alive();
      return answer;
    };
    return createCoordination({
      clock: this.clock,
      journal,
      messenger: { ask: ({ id }, request) => ask(id, request), tell: () => undefined },
    });
  }

  /** Runs until `coordinator` is done or dead. */
  async run(
    coordinator: Coordination,
  ): Promise<{ id: string; outcome?: Outcome<TwoPhaseCommitResult> }> {
    const session = coordinator.start(twoPhaseCommit, spec, [...this.stores.keys()], {
      deadlineMs: 1_000,
      durable: true,
    });
    let outcome: Outcome<TwoPhaseCommitResult> | undefined;
    void session.outcome.then((settled) => (outcome = settled));
    await this.clock.runUntil(() => outcome !== undefined, 3_000);
    return outcome === undefined || outcome.status === 'failed'
      ? { id: session.id }
      : { id: session.id, outcome };
  }

  /** What another coordinator comes to. Undefined when the first has left nothing. */
  async resume(id: string): Promise<Outcome<unknown> | undefined> {
    const other = this.coordinator(Infinity);
    const session = await other.resume(id).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'UNKNOWN_SESSION' });
      return undefined;
    });
    let outcome: Outcome<unknown> | undefined;
    void session?.outcome.then((settled) => (outcome = settled));
    await this.clock.runUntil(() => session === undefined || outcome !== undefined, 6_000);
    return outcome;
  }

  expectAtomic(): Set<CommitDecision> {
    const all = new Set<CommitDecision>();
    for (const { vote, decisions, done } of this.stores.values()) {
      for (const decision of decisions) all.add(decision);
      expect(done.size).toBeLessThanOrEqual(1);
      if (vote !== 'yes') expect(decisions).not.toContain('commit');
    }
    expect(all.size).toBeLessThanOrEqual(1);
    return all;
  }
}

describe('a durable two-phase commit', () => {
  it.each([
    [['yes', 'yes', 'yes']],
    [['yes', 'no', 'yes']],
    [['yes', 'silent', 'yes']],
    [['no', 'no', 'silent']],
  ] as const)(
    'of %j ends the same wherever its coordinator dies and another goes on',
    async (votes) => {
      const whole = new Site(votes);
      const { outcome: expected } = await whole.run(whole.coordinator(Infinity));
      const decisions = new Set<string>();
      let steps = 0;
      for (let isDone = false; !isDone; steps++) {
        const site = new Site(votes);
        const first = await site.run(site.coordinator(steps));
        site.expectAtomic();
        isDone = first.outcome !== undefined;
        const other = await site.resume(first.id);
        const all = site.expectAtomic();
        // Before anything is on record nobody can have been asked for a thing.
        expect(other !== undefined || site.epochs.length === 0).toBe(true);
        if (other === undefined) continue;
        expect(other.result).toEqual(expected?.result);
        expect(other.status).toBe('decided');
        expect(verify<unknown>(twoPhaseCommit, other)).toEqual([]);
        for (const decision of all) decisions.add(decision);
      }
      // Three writes at least, and what is sent and received between them.
      expect(steps).toBeGreaterThan(8);
      expect([...decisions]).toEqual([expected?.result?.decision]);
    },
  );

  it('that is on record is committed by whoever goes on (E4)', async () => {
    const site = new Site(['yes', 'yes', 'yes']);
    // First write, three requests, three answers, and the write of the votes: dies before it tells anyone.
    const { id, outcome } = await site.run(site.coordinator(2 + 6 + 1));
    expect(outcome).toBeUndefined();
    expect(site.expectAtomic().size).toBe(0);
    expect((await site.resume(id))?.result).toMatchObject({ decision: 'commit', blocked: [] });
    expect([...site.expectAtomic()]).toEqual(['commit']);
    expect(Math.max(...site.epochs)).toBe(2);
  });

  it('whose votes are not on record is aborted when they cannot be had again (E5)', async () => {
    const site = new Site(['yes', 'yes', 'yes']);
    const { id } = await site.run(site.coordinator(2 + 6));
    expect(site.expectAtomic().size).toBe(0);
    const gone = site.stores.get('s1');
    if (gone !== undefined) gone.isGone = true;
    const other = await site.resume(id);
    expect(other?.result).toMatchObject({
      decision: 'abort',
      acknowledged: ['s0', 's2'],
      unheard: ['s1'],
    });
    expect([...site.expectAtomic()]).toEqual(['abort']);
  });

  it('reports who has voted and cannot be reached as blocked, never as success (E5)', async () => {
    const site = new Site(['yes', 'yes', 'yes']);
    const { id } = await site.run(site.coordinator(2 + 6 + 1));
    const gone = site.stores.get('s1');
    if (gone !== undefined) gone.isGone = true;
    const other = await site.resume(id);
    expect(other?.status).toBe('limit_reached');
    expect(other?.result).toMatchObject({ decision: 'commit', blocked: ['s1'] });
  });

  it('is atomic whatever is voted, and wherever two coordinators die', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('yes', 'yes', 'yes', 'no', 'silent' as const), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat(24),
        fc.nat(24),
        async (votes, steps, more) => {
          const site = new Site(votes);
          const { id } = await site.run(site.coordinator(steps));
          const second = site.coordinator(more);
          await second.resume(id).catch(() => undefined);
          await site.clock.runUntil(() => false, 3_000);
          site.expectAtomic();
          await site.resume(id);
          const isUnanimous = votes.every((vote) => vote === 'yes');
          expect(!isUnanimous && site.expectAtomic().has('commit')).toBe(false);
        },
      ),
      { numRuns: 100 },
    ));
});

describe('the claim of a two-phase commit', () => {
  const result: TwoPhaseCommitResult = {
    transaction: 'move 5',
    decision: 'commit',
    acknowledged: ['a', 'b'],
    refused: [],
    blocked: [],
    unheard: [],
  };
  it.each([
    [
      'leaves somebody out',
      { acknowledged: ['a'] },
      'not every member of the roster stands in one list',
    ],
    [
      'commits against a no',
      { acknowledged: ['a'], refused: ['b'] },
      'committed without the vote of all',
    ],
    ['calls doubt a success', { acknowledged: ['a'], blocked: ['b'] }, '`decided` with 1 in doubt'],
  ])('that %s is refuted', (_, changes, problem) => {
    const claim = {
      status: 'decided',
      roster: ['a', 'b'],
      result: { ...result, ...changes },
    } as const;
    expect(twoPhaseCommit.verify?.(spec, claim)).toEqual([problem]);
  });

  it('that tells another decision than was decided is refuted', () => {
    const claim = { status: 'decided', roster: ['a', 'b'], result } as const;
    expect(twoPhaseCommit.verify?.({ ...spec, decided: 'abort' }, claim)).toEqual([
      'told commit of what was decided as abort',
    ]);
  });
});

describe('the spec of a two-phase commit', () => {
  it.each([
    [null, 'expected { transaction, voteMs }, got null'],
    [{ voteMs: 5 }, 'transaction: expected a text of 1 to 256 characters, got undefined'],
    [{ transaction: 't' }, 'voteMs: expected more than 0, below 2147483648, got undefined'],
    [{ ...spec, decided: 'maybe' }, 'decided: expected commit or abort, got "maybe"'],
    [{ ...spec, durable: true }, 'unknown field "durable"'],
  ])('%j is refused', (given, reason) => {
    expect(twoPhaseCommit.parseSpec(given)).toEqual({ ok: false, reason });
  });

  it('lets no vote pass but yes and no', () => {
    expect(twoPhaseCommit.parseReply('prepare', { vote: 'Yes' }).ok).toBe(false);
    expect(twoPhaseCommit.parseReply('prepare', {}).ok).toBe(false);
    expect(twoPhaseCommit.parseReply('commit', { vote: 'yes' }).ok).toBe(false);
  });
});

import { sit } from '@foundation/testing';
import { beforeAll, describe, expect, it } from 'vitest';

import { World } from '../../../../test/coordination-world.ts';
import { highsHere } from '../../../../test/highs-here.ts';
import type { Outcome } from '../../outcome.ts';
import { participant } from '../../participant.ts';
import { encodeRecord } from '../../record-codec.ts';
import { replay } from '../../replay.ts';
import type { Solver, SolverJob, SolverResult } from '../../solver.ts';
import { verify } from '../../verify.ts';
import { combinatorialAuction } from './combinatorial-auction.ts';
import type { CombinatorialResult } from './combinatorial-outcome.ts';
import type { PackageBid } from './package-bids.ts';

let solver: Solver;
beforeAll(async () => {
  solver = await highsHere();
});

const goods = [{ name: 'A' }, { name: 'B' }];
const offers: Readonly<Record<string, readonly PackageBid[]>> = {
  b1: [{ goods: ['A'], amount: 28n }],
  b2: [{ goods: ['B'], amount: 20n }],
  b3: [{ goods: ['A', 'B'], amount: 32n }],
  b4: [{ goods: ['A'], amount: 14n }],
  b5: [{ goods: ['B'], amount: 12n }],
};

/** What becomes of a job that a solver is given. */
type Meddling = (job: SolverJob, result: SolverResult) => SolverResult;

/** Jobs in their order, as they are for VCG and core prices. */
const steps = [
  'choosing',
  'bounding',
  'drawing',
  'removing',
  'removing',
  'separating',
  'totalling',
  'nearing',
] as const;

/** The auction when the solver does something else at one step. */
async function spoilt(
  step: (typeof steps)[number] | 'all',
  meddle: Meddling,
  spec: object = {},
): Promise<Outcome<CombinatorialResult>> {
  let count = 0;
  const { outcome } = await sit(combinatorialAuction, {
    spec: { goods, ...spec },
    roster: Object.keys(offers),
    answer: ({ to }) => ({ body: { bids: offers[to] } }),
    solver: {
      async solve(job, options) {
        const result = await solver.solve(job, options);
        return step === 'all' || steps[count++] === step ? meddle(job, result) : result;
      },
    },
  });
  expect(replay(combinatorialAuction, outcome.record)).toEqual(outcome);
  expect(verify(combinatorialAuction, outcome)).toEqual([]);
  return outcome;
}

const late: Meddling = (_job, { solver: name }) => ({ status: 'limit', solver: name });

describe('a solver whose time is up', () => {
  it('is no proof, even if it has found the best: nobody wins, or all pay what they bid', async () => {
    const blind: Meddling = (job, result) =>
      job.model.columns.some(({ isWhole }) => isWhole)
        ? { status: 'limit', values: result.values ?? [], bound: 60, solver: 'test' }
        : late(job, result);
    const aborted = await spoilt('all', blind);
    expect(aborted).toMatchObject({
      status: 'limit_reached',
      detail: 'it is not proven that nothing is better',
      certificate: { bound: 61, gap: 13 },
    });
    expect(aborted.result).toBeUndefined();
    for (const pricing of ['first', 'vcg', 'core_nearest_vcg']) {
      const paid = await spoilt('all', blind, { pricing, onLimit: 'pay_as_bid' });
      expect(paid).toMatchObject({
        status: 'limit_reached',
        result: { pricing: 'first', welfare: 48n, total: 48n },
        certificate: { bound: 61, gap: 13 },
        reasons: { b1: 'won', b3: 'outbid' },
      });
    }
  });

  it('leaves what can be found without it, when it has found nothing', async () => {
    const outcome = await spoilt('all', late, { onLimit: 'pay_as_bid' });
    expect(outcome).toMatchObject({
      status: 'limit_reached',
      result: { welfare: 48n, pricing: 'first' },
    });
    // The best price of A is 28, of B 20: for both at once.
    expect(outcome.certificate).toMatchObject({ bound: 48, gap: 0 });
    expect(await spoilt('all', late, { side: 'buy', onLimit: 'pay_as_bid' })).toMatchObject({
      status: 'limit_reached',
      detail: 'no allocation was found in time',
    });
  });

  it.each(['removing', 'separating', 'totalling', 'nearing'] as const)(
    'makes no price when it was up while %s',
    async (step) => {
      const spec = { pricing: 'core_nearest_vcg' };
      const late60: Meddling = (_job, result) => ({ ...result, status: 'limit' });
      const aborted = await spoilt(step, late60, spec);
      expect(aborted).toMatchObject({
        status: 'limit_reached',
        certificate: { bound: 48, gap: 0 },
      });
      expect(aborted.result).toBeUndefined();
      const paid = await spoilt(step, late60, { ...spec, onLimit: 'pay_as_bid' });
      expect(paid).toMatchObject({
        status: 'limit_reached',
        result: { pricing: 'first', total: 48n },
      });
    },
  );

  it('leaves it open whether there is a tie, and nothing else', async () => {
    expect(await spoilt('drawing', late)).toMatchObject({
      status: 'decided',
      result: { welfare: 48n, total: 26n },
      certificate: { gap: 0, data: { ties: 'unchecked' } },
    });
  });

  it('may stop at a gap that is good enough, when all pay what they bid', async () => {
    const rough: Meddling = (_job, result) => ({ ...result, bound: 50.2 });
    const spec = { pricing: 'first', gapMax: 0.1 };
    expect(await spoilt('all', rough, spec)).toMatchObject({
      status: 'decided',
      result: { welfare: 48n },
      // By prices of goods it is known better.
      certificate: { bound: 48, gap: 0 },
    });
    const blind: Meddling = (job, result) =>
      job.model.columns.some(({ isWhole }) => isWhole) ? rough(job, result) : late(job, result);
    expect(await spoilt('all', blind, spec)).toMatchObject({
      status: 'decided',
      certificate: { bound: 51, gap: 3 },
    });
  });

  it('is told how long, how many branches and how near to look', async () => {
    const seen: Partial<SolverJob>[] = [];
    const look: Meddling = ({ budgetMs, nodesMax, gapMax }, result) => {
      seen.push(JSON.parse(JSON.stringify({ budgetMs, nodesMax, gapMax })));
      return result;
    };
    await spoilt('all', look, { solverMs: 700, nodesMax: 50, pricing: 'first', gapMax: 0.5 });
    expect(seen[0]).toEqual({ budgetMs: 700, nodesMax: 50, gapMax: 0.5 });
    expect(seen[1]).toEqual({ budgetMs: 700, nodesMax: 50 });
    seen.length = 0;
    await spoilt('all', look);
    expect(seen[0]).toEqual({});
    expect(seen[1]).toEqual({ budgetMs: 2_000 });
  });
});

describe('a solver that is broken', () => {
  it('fails the auction and says why', async () => {
    const { outcome } = await sit(combinatorialAuction, {
      spec: { goods },
      roster: ['b1'],
      answer: ({ to }) => ({ body: { bids: offers[to] } }),
    });
    expect(outcome).toMatchObject({
      status: 'failed',
      detail: 'no winners: no solver is installed here',
    });
  });

  it('is not believed when what it says cannot be', async () => {
    const greedy: Meddling = (_job, result) => {
      return { ...result, status: 'optimal', values: [1, 1, 1, 0, 0] };
    };
    expect(await spoilt('choosing', greedy)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('2 units of A, of which there are 1'),
    });
    for (const step of ['removing', 'separating'] as const) {
      expect(await spoilt(step, greedy, { pricing: 'core_nearest_vcg' })).toMatchObject({
        status: 'limit_reached',
      });
    }
    expect(await spoilt('drawing', greedy)).toMatchObject({
      status: 'decided',
      certificate: { data: { ties: 'unchecked' } },
    });
  });
});

describe('amounts that are too large to tell apart', () => {
  it('decide nothing unproven', async () => {
    const unit = 10n ** 17n;
    const large = (spec: object): Promise<Outcome<CombinatorialResult>> =>
      sit(combinatorialAuction, {
        spec: { goods, ...spec },
        roster: ['a', 'b', 'c'],
        answer: ({ to }) => ({
          body: {
            bids: {
              a: [{ goods: ['A'], amount: 3n * unit + 1n }],
              b: [{ goods: ['B'], amount: 2n * unit }],
              c: [{ goods: ['A', 'B'], amount: 4n * unit }],
            }[to],
          },
        }),
        solver,
      }).then(({ outcome }) => outcome);
    for (const pricing of ['vcg', 'core_nearest_vcg']) {
      const aborted = await large({ pricing });
      expect(aborted.status).toBe('limit_reached');
      const paid = await large({ pricing, onLimit: 'pay_as_bid' });
      expect(paid.result).toMatchObject({
        pricing: 'first',
        welfare: 5n * unit + 1n,
        total: 5n * unit + 1n,
      });
    }
  });
});

describe('amounts that a solver sees without a common factor or rounded', () => {
  const auctionOf = async (
    bids: Readonly<Record<string, readonly PackageBid[]>>,
    spec: object,
  ): Promise<Outcome<CombinatorialResult>> => {
    const { outcome } = await sit(combinatorialAuction, {
      spec: { goods, ...spec },
      roster: Object.keys(bids),
      answer: ({ to }) => ({ body: { bids: bids[to] } }),
      solver,
    });
    return outcome;
  };

  it('have VCG prices where nothing was rounded, and no core prices, which are not multiples of it', async () => {
    const large = Object.fromEntries(
      Object.entries(offers).map(([id, bids]) => [
        id,
        bids.map((bid) => ({ ...bid, amount: bid.amount * 10n ** 16n })),
      ]),
    );
    const vcg = await auctionOf(large, {});
    expect(vcg).toMatchObject({ status: 'decided', result: { total: 26n * 10n ** 16n } });
    expect(await auctionOf(large, { pricing: 'core_nearest_vcg' })).toMatchObject({
      status: 'limit_reached',
      detail: 'amounts are too large for core prices',
    });
  });

  it('have no VCG prices where one was, though winners are proven', async () => {
    // 9 of it are just below 2^60, so that the unit is 2^20, and it is a multiple of that.
    const share = (2n ** 60n / 9n / 2n ** 20n) * 2n ** 20n;
    const rounded = {
      a: [{ goods: ['A'], amount: 3n * share }],
      b: [{ goods: ['B'], amount: 2n * share }],
      c: [{ goods: ['A', 'B'], amount: 4n * share + 1n }],
    };
    expect(await auctionOf(rounded, {})).toMatchObject({
      status: 'limit_reached',
      detail: 'amounts are too large to prove prices',
      certificate: { gap: 0 },
    });
  });
});

describe('a coordinator that goes while a problem is solved', () => {
  it('is followed by another that has it solved again, with the same outcome, from each entry of the record', async () => {
    const bidder = participant<readonly PackageBid[]>({ packageBids: (bids) => bids });
    const worldOf = (with_: Solver): World => {
      const world = new World({ solver: with_ });
      for (const [id, bids] of Object.entries(offers))
        world.agent(id, (request) => bidder(bids, request));
      return world;
    };
    const options = { deadlineMs: 1_000, seed: 'seed' };
    const spec = { goods, pricing: 'core_nearest_vcg' } as const;
    const first = worldOf(solver);
    const roster = Object.keys(offers);
    const session = first.coordination.start(combinatorialAuction, spec, roster, options);
    const { record, ...whole } = await session.outcome;
    expect(whole.result?.total).toBe(32n);
    const solved = record.entries.filter(({ kind }) => kind === 'solved');
    expect(solved).toHaveLength(9);
    for (const at of record.entries.keys()) {
      const cut = { ...record, entries: record.entries.slice(0, at) };
      const next = await worldOf(solver).coordination.resume(encodeRecord(cut));
      const { result, status } = await next.outcome;
      expect({ status, result }, `after ${at} entries`).toEqual({
        status: whole.status,
        result: whole.result,
      });
    }
  });
});

import { HighsSolver } from '@foundation/core/highs';
import {
  type CombinatorialResult,
  type CombinatorialSpec,
  combinatorialAuction,
  createCoordination,
  type Outcome,
  type PackageBid,
  participant,
} from '@foundation/core/mabeam';

import { quantile } from '../statistics.ts';
import { type Family, type Instance, offersOf } from './package-bids.ts';
import { type Session, usedCpuUs } from './subject.ts';

type Bids = readonly PackageBid[];
type Terms = Omit<CombinatorialSpec, 'goods'>;

/** Auctions of one instance, one after the other, by a solver. */
class Auctions {
  readonly #solver: HighsSolver;
  readonly #goods: number;
  readonly #offers: readonly Bids[];

  constructor(solver: HighsSolver, instance: Instance) {
    this.#solver = solver;
    this.#goods = instance.goods;
    this.#offers = offersOf(instance);
  }

  /** @param onSolved - called when a job of the solver is done */
  async hold(terms: Terms, onSolved = (): void => {}): Promise<Outcome<CombinatorialResult>> {
    const answer = participant<Bids>({ packageBids: (own) => own });
    const coordination = createCoordination({
      solver: {
        solve: async (job, options) => {
          const result = await this.#solver.solve(job, options);
          onSolved();
          return result;
        },
      },
      messenger: {
        ask: async ({ id }, request) => answer(this.#offers[Number(id)] ?? [], request),
        tell: () => {},
      },
    });
    const goods = Array.from({ length: this.#goods }, (_, good) => ({ name: `${good}` }));
    const roster = this.#offers.map((_, index) => `${index}`);
    const spec = { goods, unitsMax: 256, ...terms };
    const options = { deadlineMs: 120_000 };
    return coordination.start(combinatorialAuction, spec, roster, options).outcome;
  }
}

/**
 * Processor time until the winners are known and proven, the solver's included, in ms: the median of several draws.
 * What follows, a search for others that are as good, is part of `whole ms`.
 */
export async function winning(
  family: Family,
  [goods, bids]: readonly [goods: number, bids: number],
): Promise<Session> {
  const solver = new HighsSolver();
  const all = Array.from({ length: 5 }, (_, draw) => {
    return new Auctions(solver, { family, goods, bids, draw });
  });
  return {
    async round() {
      const [winners, wholes]: [number[], number[]] = [[], []];
      for (const auctions of all) {
        const before = usedCpuUs();
        const solvedUs: number[] = [];
        await decided(auctions.hold({ pricing: 'first' }, () => solvedUs.push(usedCpuUs())));
        winners.push(((solvedUs[0] ?? Infinity) - before) / 1_000);
        wholes.push((usedCpuUs() - before) / 1_000);
      }
      const besides = { 'whole ms': quantile(wholes, 0.5) };
      return { value: quantile(winners, 0.5), ops: all.length, cpuUsPerOp: null, besides };
    },
    close: () => solver.close(),
  };
}

/** Processor time of an auction with VCG prices, the solver's included, in ms; of several families the worst. */
export async function pricing(
  families: readonly Family[],
  [goods, bids]: readonly [goods: number, bids: number],
): Promise<Session> {
  const solver = new HighsSolver();
  const all = families.map((family) => new Auctions(solver, { family, goods, bids, draw: 0 }));
  return {
    async round() {
      const times: number[] = [];
      for (const auctions of all) {
        const before = usedCpuUs();
        await decided(auctions.hold({}));
        times.push((usedCpuUs() - before) / 1_000);
      }
      return { value: Math.max(...times), ops: all.length, cpuUsPerOp: null };
    },
    close: () => solver.close(),
  };
}

async function decided(outcome: Promise<Outcome<CombinatorialResult>>): Promise<void> {
  const { status, detail } = await outcome;
  if (status !== 'decided') throw new Error(`the auction was ${status}: ${detail}`);
}

/** How much later than the limit of its solver an auction ends that is too hard, with winners and a gap, in ms. */
export async function stopping(
  families: readonly Family[],
  [goods, bids]: readonly [goods: number, bids: number],
): Promise<Session> {
  const solver = new HighsSolver();
  const all = families.map((family) => new Auctions(solver, { family, goods, bids, draw: 0 }));
  const solverMs = 2_000;
  return {
    async round() {
      const times: number[] = [];
      for (const auctions of all) {
        const before = performance.now();
        const { result, certificate } = await auctions.hold({ solverMs, onLimit: 'pay_as_bid' });
        if (result === undefined || certificate?.gap === undefined) {
          throw new Error(`it has no ${result === undefined ? 'winners' : 'gap'}`);
        }
        times.push(Math.max(performance.now() - before - solverMs, 0));
      }
      return { value: Math.max(...times), ops: all.length, cpuUsPerOp: null };
    },
    close: () => solver.close(),
  };
}

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

import { type Family, offersOf } from './package-bids.ts';
import { type Session, usedCpuUs } from './subject.ts';

type Bids = readonly PackageBid[];
type Terms = Omit<CombinatorialSpec, 'goods'>;

/** Auctions of one family and size, one after the other, with a solver of their own. */
class Auctions {
  readonly #solver = new HighsSolver();
  readonly #goods: number;
  readonly #offers: readonly Bids[];

  constructor(family: Family, goods: number, bids: number) {
    this.#goods = goods;
    this.#offers = offersOf(family, goods, bids);
  }

  async hold(terms: Terms): Promise<Outcome<CombinatorialResult>> {
    const answer = participant<Bids>({ packageBids: (own) => own });
    const coordination = createCoordination({
      solver: this.#solver,
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

  close(): Promise<void> {
    return this.#solver.close();
  }
}

/** Processor time of an auction, the solver's included, in ms; of several families the worst. */
export async function solving(
  families: readonly Family[],
  [goods, bids]: readonly [goods: number, bids: number],
  terms: Terms,
): Promise<Session> {
  const all = families.map((family) => new Auctions(family, goods, bids));
  return {
    async round() {
      const times: number[] = [];
      for (const auctions of all) {
        const before = usedCpuUs();
        const { status, detail } = await auctions.hold(terms);
        if (status !== 'decided') throw new Error(`the auction was ${status}: ${detail}`);
        times.push((usedCpuUs() - before) / 1_000);
      }
      return { value: Math.max(...times), ops: all.length, cpuUsPerOp: null };
    },
    close: async () => void (await Promise.all(all.map((auctions) => auctions.close()))),
  };
}

/** How much later than the limit of its solver an auction ends that is too hard, with winners and a gap, in ms. */
export async function stopping(
  families: readonly Family[],
  [goods, bids]: readonly [goods: number, bids: number],
): Promise<Session> {
  const all = families.map((family) => new Auctions(family, goods, bids));
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
    close: async () => void (await Promise.all(all.map((auctions) => auctions.close()))),
  };
}

import { isFoundationError, type Node } from '@foundation/core';
import { vickreyAuction, type SealedBidResult } from '@foundation/core/mabeam';

import { makeEvaluator, type Done, type Evaluator, type Work } from './evaluator.ts';

/** One auction: which evaluation went to whom, what everybody bid, and the price. */
export interface Sale {
  readonly work: string;
  readonly winner: string;
  /** Node the winner lived on when it won. */
  readonly node: string;
  /** The second-lowest bid, in thousandths of an evaluation. */
  readonly price: bigint;
  readonly bids: SealedBidResult['bids'];
}

/** Something that the placement did, for whoever watches. */
export interface PlacementWatch {
  onSale(sale: Sale): void;
  onDone(work: Work, done: Done): void;
  onLost(sale: Sale, code: string): void;
}

/** Milliseconds that evaluators have to bid. */
const bidMs = 1_000;
/** Milliseconds that one evaluation may take. */
const evaluationMs = 100_000;
/** The worker is gone, or is not there yet: somebody else must do it. */
const gone: ReadonlySet<string> = new Set([
  'NODE_DOWN',
  'PROCESS_DOWN',
  'NO_PROCESS',
  'OVERLOADED',
]);

/**
 * Places each evaluation by a sealed-bid reverse auction: the workers of all nodes are asked by
 * message and answer from their own load, the lowest bid wins and is paid the second-lowest. Work
 * whose worker dies is put up again.
 */
export class Placement {
  readonly #node: Node;
  readonly #watch: PlacementWatch;
  readonly #evaluator: Evaluator;
  /** When the evaluations under way were given away. */
  readonly #underWay = new Map<Sale, number>();
  #lastAuction: Promise<unknown> = Promise.resolve();

  constructor(node: Node, watch: PlacementWatch) {
    this.#node = node;
    this.#watch = watch;
    this.#evaluator = makeEvaluator(() => node);
  }

  /** How many evaluations a node has had for at least `ageMs` milliseconds. */
  underWayOn(node: string, ageMs: number): number {
    const latest = performance.now() - ageMs;
    const sales = [...this.#underWay].filter(
      ([sale, since]) => sale.node === node && since <= latest,
    );
    return sales.length;
  }

  async execute(work: Work): Promise<Done> {
    for (;;) {
      const sale = await this.#auctionInTurn(work);
      if (sale === undefined) continue;
      const done = await this.#evaluate(work, sale);
      if (done !== undefined) return done;
    }
  }

  /** One auction after the other, so that a worker knows what it has won before it bids again. */
  #auctionInTurn(work: Work): Promise<Sale | undefined> {
    const sale = this.#lastAuction.then(() => this.#auction(work));
    this.#lastAuction = sale;
    return sale;
  }

  /** Undefined when nobody bid: all workers were gone or too busy to answer. */
  async #auction(work: Work): Promise<Sale | undefined> {
    const roster = await this.#bidders();
    const session = this.#node.mabeam.coordination.start(
      vickreyAuction,
      { lot: work.id, side: 'buy' },
      roster,
      {
        deadlineMs: bidMs,
        seed: work.id,
      },
    );
    const { result } = await session.outcome;
    if (result === undefined) return undefined;
    const pid = this.#node.registry.lookup(result.winner);
    if (pid === undefined) return undefined;
    const { winner, price, bids } = result;
    const sale: Sale = { work: work.id, winner, node: pid.node, price, bids };
    this.#watch.onSale(sale);
    return sale;
  }

  async #bidders(): Promise<readonly string[]> {
    for (;;) {
      const evaluators = this.#node.registry.withCapability('evaluate');
      // Of two of one name, after a node was taken for dead, one is about to end.
      const names = new Set(evaluators.flatMap(({ name }) => name ?? []));
      if (names.size > 0) return [...names];
      const { promise, resolve } = Promise.withResolvers<void>();
      using _watch = this.#node.registry.onChange(() => resolve());
      await promise;
    }
  }

  /** Undefined when the worker was lost. */
  async #evaluate(work: Work, sale: Sale): Promise<Done | undefined> {
    this.#underWay.set(sale, performance.now());
    try {
      const worker = this.#node.ref(this.#evaluator, sale.winner).with({ timeoutMs: evaluationMs });
      const done = await worker.evaluate(work);
      this.#watch.onDone(work, done);
      return done;
    } catch (error) {
      if (!isFoundationError(error) || !gone.has(error.code)) throw error;
      this.#watch.onLost(sale, error.code);
      return undefined;
    } finally {
      this.#underWay.delete(sale);
    }
  }
}

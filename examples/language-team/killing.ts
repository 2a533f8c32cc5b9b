import type { Node } from '@foundation/core';

import type { Done } from './evaluator.ts';
import type { Fleet } from './launch.ts';
import { ledger } from './ledger.ts';
import type { Placement } from './placement.ts';
import { untilAnswered } from './until-answered.ts';

/** What the kill did, for the result. */
export interface Killed {
  readonly node: string;
  /** Evaluations of the search that were done when it happened. */
  readonly atCandidate: number;
  /** Evaluations that were under way on the node. */
  readonly inFlight: number;
  /** Milliseconds from the kill until the ledger answered elsewhere. */
  readonly ledgerRecoveryMs: number;
  /** Milliseconds from the kill to the first evaluation by an evaluator that was started again. */
  readonly recoveryMs: number;
}

/** After so many milliseconds an evaluation has surely reached its node. */
const arrivedMs = 3;

/** Kills the node that hosts the ledger, once, while it is busy; then watches the recovery. */
export class Killing {
  readonly #node: Node;
  readonly #fleet: Fleet;
  #killedAt: number | undefined = undefined;
  #victim = '';
  #atCandidate = 0;
  #inFlight = 0;
  #ledgerRecoveryMs: number | undefined = undefined;
  #recoveryMs: number | undefined = undefined;

  constructor(node: Node, fleet: Fleet) {
    this.#node = node;
    this.#fleet = fleet;
  }

  get isDone(): boolean {
    return this.#killedAt !== undefined;
  }

  get victim(): string {
    return this.#victim;
  }

  /** Kills if the ledger's node has evaluations under way. Returns whether it did. */
  tryNow(placement: Placement, atCandidate: number): boolean {
    const host = this.#node.registry.lookup('ledger')?.node;
    if (this.isDone || host === undefined) return false;
    const inFlight = placement.underWayOn(host, arrivedMs);
    if (inFlight === 0) return false;
    this.#victim = host;
    this.#atCandidate = atCandidate;
    this.#inFlight = inFlight;
    this.#killedAt = performance.now();
    this.#fleet.kill(host);
    this.#awaitLedger();
    return true;
  }

  onDone({ by, node }: Done): void {
    const isReplacement = by === `evaluator@${this.#victim}` && node !== this.#victim;
    if (isReplacement && this.#killedAt !== undefined) {
      this.#recoveryMs ??= performance.now() - this.#killedAt;
    }
  }

  /** Undefined when nothing was killed. */
  report(): Killed | undefined {
    if (this.#killedAt === undefined) return undefined;
    return {
      node: this.#victim,
      atCandidate: this.#atCandidate,
      inFlight: this.#inFlight,
      ledgerRecoveryMs: Math.round(this.#ledgerRecoveryMs ?? Number.NaN),
      recoveryMs: Math.round(this.#recoveryMs ?? Number.NaN),
    };
  }

  async #measureLedger(killedAt: number): Promise<void> {
    const book = this.#node.ref(ledger, 'ledger');
    await untilAnswered('the ledger', () => book.count());
    this.#ledgerRecoveryMs = performance.now() - killedAt;
  }

  #awaitLedger(): void {
    const watch = this.#node.registry.onChange(() => {
      const host = this.#node.registry.lookup('ledger')?.node;
      if (host === undefined || host === this.#victim || this.#killedAt === undefined) return;
      watch[Symbol.dispose]();
      void this.#measureLedger(this.#killedAt);
    });
  }
}

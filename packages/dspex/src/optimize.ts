import { isFoundationError, messageOf } from '@foundation/core';
import type { Configuration } from '@foundation/ml';

import { checkWhole, dspexError } from './errors.ts';
import { bestOf, byRank, type Measured, type Outcome } from './outcome.ts';
import { paretoFront } from './pareto.ts';
import { portfolio } from './strategies/portfolio.ts';
import type { RunView, Strategy } from './strategy.ts';
import type { Measurement, Objective, OptimizationTarget } from './target.ts';

/** How a run searches, and who is told of it. */
export interface OptimizeOptions<C extends Configuration = Configuration> {
  /** @defaultValue `portfolio()` */
  readonly strategy?: Strategy;
  /** Same seed, same proposals. @defaultValue 0 */
  readonly seed?: string | number;
  /** How many different configurations to evaluate at most. @defaultValue 200 */
  readonly candidates?: number;
  /** How many are proposed, evaluated at once, and told together. @defaultValue 8 */
  readonly roundSize?: number;
  /** Stops the run: evaluations in flight see the signal and are awaited. */
  readonly signal?: AbortSignal;
  /** The history of an earlier, stopped run to carry on; nothing in it is evaluated again. */
  readonly history?: readonly Outcome<C>[];
  /** Called when a candidate was evaluated, in the order they finish: for progress only. */
  onCandidate?(outcome: Outcome<C>): void;
  /** Called after each round, when its outcomes have been told. */
  onRound?(round: RoundReport<C>): void;
}

/** What one round has brought. */
export interface RoundReport<C extends Configuration = Configuration> {
  /** From 0. */
  readonly round: number;
  /** In order of candidate index. */
  readonly outcomes: readonly Outcome<C>[];
  /** How many candidates were evaluated so far. */
  readonly candidateCount: number;
  readonly best: Measured<C> | undefined;
}

/** What a run has found. */
export interface OptimizationResult<C extends Configuration = Configuration> {
  /**
   * - `budget-exhausted`: all candidates were evaluated.
   * - `converged`: the strategy had nothing new to try.
   * - `stopped`: the signal aborted; `history` carries the run on.
   */
  readonly status: 'budget-exhausted' | 'converged' | 'stopped';
  /** `undefined` when no candidate could be measured. */
  readonly best: Measured<C> | undefined;
  /** Candidates that none beats in both cost and score, cheapest first. */
  readonly front: readonly Measured<C>[];
  /** Every outcome by candidate index, failed ones included; plain JSON. */
  readonly history: readonly Outcome<C>[];
  /** How many of the history failed. */
  readonly failedCount: number;
}

/**
 * Searches a target's space for the configuration with the highest utility; ties go to the lower cost, then
 * to the space's lexicographic order.
 *
 * Candidates run in rounds: all of a round at once, their outcomes told together by candidate index. So the
 * result depends on the seed alone, not on timing, on who evaluates, or on interruptions. No configuration
 * is evaluated twice.
 *
 * @throws FoundationError `DSPEX_INVALID_OPTION` for a count that is not a positive whole number;
 * `DSPEX_HISTORY_MISMATCH` when `history` is not of the same seed, strategy, round size and space;
 * `ML_INVALID_CONFIGURATION` when the strategy proposes what is not in the space.
 */
export async function optimize<C extends Configuration>(
  target: OptimizationTarget<C>,
  options: OptimizeOptions<C> = {},
): Promise<OptimizationResult<C>> {
  const { candidates = 200, roundSize = 8, strategy = portfolio() } = options;
  checkWhole('candidates', candidates, 1);
  checkWhole('roundSize', roundSize, 1);
  const signal = options.signal ?? new AbortController().signal;
  const evaluations = new Evaluations(target, { ...options, signal });
  let history: readonly Outcome<C>[] = [];
  for (let round = 0; history.length < candidates; round++) {
    const view = { space: target.space, seed: String(options.seed ?? 0), history };
    const proposals = distinct(view, strategy, Math.min(roundSize, candidates - history.length));
    if (proposals.length === 0) return evaluations.finish('converged', history);
    const outcomes = await evaluations.round(proposals, history.length);
    history = history.concat(outcomes);
    if (outcomes.length < proposals.length) return evaluations.finish('stopped', history);
    const best = bestOf(target.space, history);
    options.onRound?.({ round, outcomes, candidateCount: history.length, best });
  }
  return evaluations.finish('budget-exhausted', history);
}

/** What the strategy proposes, without anything tried before. */
function distinct<C extends Configuration>(
  view: RunView<C>,
  strategy: Strategy,
  count: number,
): readonly C[] {
  const { space, history } = view;
  const seen = new Set(history.map(({ configuration }) => space.fingerprint(configuration)));
  return strategy
    .propose(view, count)
    .map((proposal) => space.parse(proposal))
    .filter((proposal) => {
      const before = seen.size;
      return seen.add(space.fingerprint(proposal)).size > before;
    })
    .slice(0, count);
}

/** Evaluates rounds, and takes what an earlier run already evaluated from its history. */
class Evaluations<C extends Configuration> {
  readonly #target: OptimizationTarget<C>;
  readonly #options: OptimizeOptions<C> & { readonly signal: AbortSignal };
  readonly #known: ReadonlyMap<number, Outcome<C>>;

  constructor(
    target: OptimizationTarget<C>,
    options: OptimizeOptions<C> & { readonly signal: AbortSignal },
  ) {
    this.#target = target;
    this.#options = options;
    this.#known = new Map(options.history?.map((outcome) => [outcome.index, outcome]));
  }

  /** The outcomes of a round by index; fewer than proposals when the run was stopped meanwhile. */
  async round(proposals: readonly C[], start: number): Promise<readonly Outcome<C>[]> {
    const outcomes = await Promise.all(
      proposals.map((configuration, offset) => this.#outcomeOf(configuration, start + offset)),
    );
    return outcomes.filter((outcome) => outcome !== undefined);
  }

  finish(
    status: OptimizationResult['status'],
    history: readonly Outcome<C>[],
  ): OptimizationResult<C> {
    const { space, objective } = this.#target;
    const measured = history
      .toSorted(byRank(space))
      .filter((outcome) => outcome.kind === 'measured');
    const front = paretoFront(measured, ({ measurement: { cost, scores } }) => ({
      cost,
      score: scores[objective.score] ?? -Infinity,
    }));
    return {
      status,
      best: measured[0],
      front,
      history,
      failedCount: history.length - measured.length,
    };
  }

  async #outcomeOf(configuration: C, index: number): Promise<Outcome<C> | undefined> {
    const known = this.#known.get(index);
    if (known !== undefined) return this.#checked(known, configuration);
    const { signal } = this.#options;
    if (signal.aborted) return undefined;
    const outcome = await evaluate(this.#target, configuration, { index, signal });
    if (outcome.kind === 'failed' && signal.aborted) return undefined;
    this.#options.onCandidate?.(outcome);
    return outcome;
  }

  /** An outcome of the earlier run, provided it tried the same. */
  #checked(known: Outcome<C>, configuration: C): Outcome<C> {
    const { space } = this.#target;
    const tried = space.validate(known.configuration);
    const same =
      tried.issues === undefined &&
      space.fingerprint(tried.value) === space.fingerprint(configuration);
    if (same) return known;
    throw dspexError(
      'DSPEX_HISTORY_MISMATCH',
      `candidate ${known.index} of the history is ${JSON.stringify(known.configuration)}, this run has ${JSON.stringify(configuration)}`,
      { hint: 'Resume with the seed, strategy, round size and space of the earlier run.' },
    );
  }
}

async function evaluate<C extends Configuration>(
  target: OptimizationTarget<C>,
  configuration: C,
  context: { readonly index: number; readonly signal: AbortSignal },
): Promise<Outcome<C>> {
  const { index } = context;
  try {
    const measurement = await target.evaluate(configuration, context);
    const utility = checkedUtility(target.objective, measurement);
    return { kind: 'measured', index, configuration, measurement, utility };
  } catch (error) {
    const code = isFoundationError(error) ? error.code : 'INTERNAL';
    return { kind: 'failed', index, configuration, error: { code, message: messageOf(error) } };
  }
}

function checkedUtility(objective: Objective, measurement: Measurement): number {
  const { scores, cost } = measurement;
  const utility = objective.utility(measurement) + 0; // never -0, which JSON would lose
  if ([scores[objective.score], cost, utility].every(Number.isFinite)) return utility;
  throw dspexError(
    'DSPEX_INVALID_MEASUREMENT',
    `score "${objective.score}" ${scores[objective.score]}, cost ${cost} and utility ${utility} must be finite numbers`,
    { hint: 'A target that cannot measure rejects instead.' },
  );
}

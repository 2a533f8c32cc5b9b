import { type Amount, amountMax } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type { PureEnv, Tie } from '../protocol.ts';
import type { Proposal } from './contract-net-questions.ts';
import type { ContractNetTerms, TaskTerms } from './contract-net-terms.ts';
import { inOrder } from './ration.ts';

/** A proposal that counted. */
export interface MadeProposal extends Proposal {
  readonly agent: AgentId;
  /** Which call it answers. */
  readonly call: number;
  /** The less, the better. Absent: it lacks an attribute, and cannot be compared. */
  readonly score?: bigint;
}

/** A proposal that may be awarded. */
export interface ScoredProposal extends MadeProposal {
  readonly score: bigint;
}

/** Compares proposals: the less, the better; undefined for one that cannot be compared. */
export type Score = (proposal: Proposal, terms: ContractNetTerms) => bigint | undefined;

/** The weighted sum of a proposal's attributes; undefined if it lacks one. */
export function weightedScore(
  { cost, attributes = {} }: Proposal,
  { weights }: ContractNetTerms,
): bigint | undefined {
  let score = 0n;
  for (const [name, weight] of Object.entries(weights)) {
    const own = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    const value = name === 'cost' ? cost : own;
    if (value === undefined) return undefined;
    score += weight * value;
  }
  return score;
}

/** The best first; equals stay as they are. */
export function ranked(
  proposals: readonly MadeProposal[],
  { maxCost = amountMax }: TaskTerms,
): readonly ScoredProposal[] {
  return proposals
    .flatMap((each) => (each.score === undefined ? [] : [{ ...each, score: each.score }]))
    .filter(({ cost }) => cost <= maxCost)
    .toSorted((left, right) => (left.score < right.score ? -1 : Number(left.score > right.score)));
}

/** Who of a queue is awarded. */
export interface Pick {
  readonly winners: readonly ScoredProposal[];
  /** Still ranked. */
  readonly rest: readonly ScoredProposal[];
  /** Those who were equal where it had to end. If it is to be reported, none of them wins. */
  readonly tie?: Tie;
}

/** Takes the `count` best of those who are ranked. */
// oxlint-disable-next-line max-params -- of whom, how many, and what is drawn for by which rule
export function pickBest(
  queue: readonly ScoredProposal[],
  count: number,
  draw: { readonly label: string; readonly env: PureEnv },
): Pick {
  const [last, next] = [queue[count - 1], queue[count]];
  if (last === undefined || next === undefined || last.score !== next.score) {
    return { winners: queue.slice(0, count), rest: queue.slice(count) };
  }
  const better = queue.filter(({ score }) => score < last.score);
  const equals = new Map(
    queue.filter(({ score }) => score === last.score).map((each) => [each.agent, each]),
  );
  const { order, ...tie } = inOrder([...equals.keys()], draw.label, draw.env);
  if (order === undefined) return { winners: better, rest: queue.slice(better.length), ...tie };
  const drawn = order.flatMap((agent) => equals.get(agent) ?? []);
  const worse = queue.filter(({ score }) => score > last.score);
  const all = [...better, ...drawn, ...worse];
  return { winners: all.slice(0, count), rest: all.slice(count), ...tie };
}

/**
 * What a winner is paid. By `vickrey` the largest cost with which it would still be ahead of `next`, the best who did not
 * win: the second-lowest cost where only costs count (MinWork: Nisan and Ronen 2001), else that of a second-score auction
 * (Che 1993). Where there is nobody else, the most that is paid for the task, or its own cost if there is no such limit.
 */
// oxlint-disable-next-line max-params -- who, against whom, on which terms
export function priceOf(
  { cost, score }: ScoredProposal,
  next: ScoredProposal | undefined,
  { pricing, weights, maxCost }: ContractNetTerms & TaskTerms,
): Amount {
  if (pricing === 'first') return cost;
  if (next === undefined) return maxCost ?? cost;
  const weight = weights['cost'] ?? 1n;
  const highest = cost + (next.score - score) / weight;
  const limit = maxCost ?? amountMax;
  return highest < limit ? highest : limit;
}

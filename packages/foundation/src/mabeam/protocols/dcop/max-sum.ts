import type { AgentId } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Effect, Protocol, Step } from '../../protocol.ts';
import { assignmentProblems, type DcopResult } from './dcop-claim.ts';
import { assignedNotices, checkOwners, frozenIn, reasonsOf } from './dcop-members.ts';
import { type DcopProblem, parseDcop, type ReadDcop } from './dcop-problem.ts';
import {
  type FactorGraph,
  factorGraph,
  type MaxSumState,
  silentState,
  tasksOf,
} from './factor-graph.ts';
import { type MessagesReply, parseMessages } from './max-sum-questions.ts';
import { afterRound, bestIn } from './max-sum-round.ts';

/** Most rounds of one session. */
export const maxSumRoundsMax = 1_000;

/** A problem, and how long it may take. */
export interface MaxSumSpec extends DcopProblem {
  /** Most rounds, from 2 to {@link maxSumRoundsMax}. @defaultValue 100 */
  readonly rounds?: number;
}

/** What a max-sum came to: the best assignment that came up. */
export interface MaxSumResult extends DcopResult {
  /** Rounds that it took. */
  readonly rounds: number;
  /** Whether messages stopped changing. Without a cycle among the constraints the assignment is the best one then. */
  readonly isConverged: boolean;
}

type ReadMaxSum = ReadDcop & { readonly rounds: number };

interface Progress {
  readonly spec: ReadMaxSum;
  readonly roster: readonly AgentId[];
  readonly graph: FactorGraph;
  readonly state: MaxSumState;
  readonly round: number;
}

/**
 * Variables and constraints tell each other what values cost, round after round, until nothing changes: the best
 * assignment where constraints have no cycle, often a good one where they have (max-sum, Farinelli et al. 2008). Where
 * there are cycles half of each message is the one before, so that they settle; no two values are ever quite alike, as
 * the seed gives each next to nothing of its own. The best assignment so far counts.
 */
export const maxSum: Protocol<MaxSumSpec, MessagesReply, Progress, MaxSumResult> = {
  name: 'dcop.maxsum',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: false,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => maxSumRoundsMax,
    maxMessages: (n) => n * (2 * maxSumRoundsMax + 1),
  },
  parseSpec,
  parseReply: (_type, body) => parseMessages(body),
  init(given, roster, env) {
    const spec = withDefaults(given);
    checkOwners(spec, roster);
    const graph = factorGraph(spec, env);
    return goOn({ spec, roster, graph, state: silentState(graph), round: 1 });
  },
  on(progress, { answers }) {
    const { graph, round, spec } = progress;
    const state = afterRound(graph, progress.state, answers);
    const isDeserted = spec.variables.every(({ owner }) => state.gone.has(owner));
    return state.isSettled || isDeserted || round >= spec.rounds
      ? finish({ ...progress, state })
      : goOn({ ...progress, state, round: round + 1 });
  },
  verify: (spec, claim) => assignmentProblems(withDefaults(spec), claim),
};

function goOn(progress: Progress): Step<Progress, MaxSumResult> {
  const { problem, objective, answerMs: budgetMs } = progress.spec;
  const effects = [...tasksOf(progress.graph, progress.state)].map(
    ([owner, tasks]): Effect<MaxSumResult> => ({
      kind: 'ask',
      to: [owner],
      type: 'get_messages',
      body: { problem, objective, ...tasks },
      budgetMs,
    }),
  );
  return { state: progress, effects };
}

function finish(progress: Progress): Step<Progress, MaxSumResult> {
  const { graph, state, round, spec } = progress;
  const best = bestIn(graph, state);
  const { isSettled: isConverged } = state;
  const result: MaxSumResult = {
    ...best,
    frozen: frozenIn(spec, state),
    rounds: round,
    isConverged,
  };
  const status = isConverged ? 'decided' : 'not_converged';
  const notices = assignedNotices(spec, best, progress.roster);
  const reasons = reasonsOf(spec, state);
  const decision = { status, result, reasons } as const;
  return { state: progress, effects: [...notices, { kind: 'finish', decision }] };
}

const defaults = { objective: 'min', answerMs: 1_000, rounds: 100 } as const;

function withDefaults(spec: MaxSumSpec): ReadMaxSum {
  return { ...defaults, ...spec };
}

function parseSpec(given: unknown): Parsed<MaxSumSpec> {
  const problem = parseDcop(given, ['rounds']);
  if (!problem.ok) return problem;
  const { rounds = defaults.rounds } = isRecord(given) ? given : {};
  const most = Number(rounds);
  return Number.isInteger(rounds) && most >= 2 && most <= maxSumRoundsMax
    ? parsed({ ...problem.value, rounds: most })
    : unparsed(`rounds: expected 2 to ${maxSumRoundsMax}, got ${shown(rounds)}`);
}

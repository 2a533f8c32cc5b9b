import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type {
  AskEffect,
  Claim,
  Decision,
  EmitEffect,
  Protocol,
  PureEnv,
  Step,
} from '../../protocol.ts';
import { costProblems, improvable, isKnown } from './dcop-claim.ts';
import { assignedNotices, checkOwners, frozenIn, reasonsOf } from './dcop-members.ts';
import { parseDcop } from './dcop-problem.ts';
import { type ImprovementReply, parseImprovements } from './local-search-questions.ts';
import {
  afterAnswers,
  beginning,
  type Candidate,
  type LocalSearchResult,
  type LocalSearchSpec,
  moved,
  type ReadLocalSearch,
  type Search,
  tasksOf,
  type Wish,
} from './local-search-round.ts';

/** Most rounds of one session. */
export const localSearchRoundsMax = 1_000;

/** How one local search differs from others. */
export interface LocalSearchRule<Given, Spec extends ReadLocalSearch> {
  readonly name: string;
  parseSpec(spec: unknown): Parsed<Spec & Given>;
  withDefaults(given: Given): Spec;
  /** Which of those who would move are worth it; none: it is over. */
  worthy(wishes: readonly Wish[]): readonly Wish[];
  /** Which of these move now. */
  movers(wishes: readonly Wish[], search: Search<Spec>, env: PureEnv): readonly Wish[];
}

/**
 * Agents tell in each round, for each of their variables, which value would be best as long as all others stay, and by
 * how much; a rule says who of them moves. The best assignment that came up counts, so it may end at any time.
 */
export function localSearch<Given extends LocalSearchSpec, Spec extends ReadLocalSearch>(
  rule: LocalSearchRule<Given, Spec>,
): Protocol<Given, ImprovementReply, Search<Spec>, LocalSearchResult> {
  return {
    name: rule.name,
    version: '1.0.0',
    traits: {
      dominantStrategyTruthful: false,
      individuallyRational: false,
      budget: 'n/a',
      sealed: false,
      toleratesSilent: (n) => n,
      toleratesByzantine: () => 0,
      maxRounds: () => localSearchRoundsMax,
      // A question and an answer in each round, and a notice.
      maxMessages: (n) => n * (2 * localSearchRoundsMax + 1),
    },
    parseSpec: (spec) => rule.parseSpec(spec),
    parseReply: (_type, body) => parseImprovements(body),
    init(given, roster, env) {
      const spec = rule.withDefaults(given);
      checkOwners(spec, roster);
      return asking(beginning(spec, roster), env);
    },
    on(before, { answers }, env) {
      const { search, best, wishes } = afterAnswers(before, answers);
      const { spec, gone, round } = search;
      const worthy = rule.worthy(wishes);
      const isDeserted = spec.variables.every(({ owner }) => gone.has(owner));
      return worthy.length === 0 || isDeserted || round >= spec.rounds
        ? finished(search, best)
        : asking(moved(search, rule.movers(worthy, search, env)), env);
    },
    verify: (given, claim) => problemsIn(rule.withDefaults(given), claim),
  };
}

function asking<Spec extends ReadLocalSearch>(
  search: Search<Spec>,
  env: PureEnv,
): Step<Search<Spec>, LocalSearchResult> {
  const { problem, objective, answerMs: budgetMs } = search.spec;
  const asks = [...tasksOf(search, env)].map(([owner, tasks]): AskEffect => {
    const body = { problem, objective, tasks };
    return { kind: 'ask', to: [owner], type: 'get_improvement', body, budgetMs };
  });
  const { round, best } = search;
  // What there is so far, for those who watch.
  const seen: readonly EmitEffect[] =
    best === undefined
      ? []
      : [{ kind: 'emit', name: 'best', facts: { round: round - 1, cost: best.cost } }];
  return { state: search, effects: [...seen, ...asks] };
}

function finished<Spec extends ReadLocalSearch>(
  search: Search<Spec>,
  { isLocalOptimum: isSaid, ...best }: Candidate,
): Step<Search<Spec>, LocalSearchResult> {
  const { spec, roster, round: rounds } = search;
  const frozen = frozenIn(spec, search);
  const moving = isSaid && isKnown(spec) ? improvable(spec, { ...best, frozen }) : undefined;
  const isLocalOptimum = isSaid && moving === undefined;
  const decision: Decision<LocalSearchResult> = {
    status: isLocalOptimum ? 'decided' : 'not_converged',
    result: { ...best, frozen, rounds, isLocalOptimum },
    reasons: reasonsOf(spec, search),
    ...(moving === undefined
      ? {}
      : { detail: `${shown(moving)} could do better alone: somebody has told what is not so` }),
  };
  const notices = assignedNotices(spec, best, roster);
  return { state: search, effects: [...notices, { kind: 'finish', decision }] };
}

function problemsIn(spec: ReadLocalSearch, claim: Claim<LocalSearchResult>): readonly string[] {
  const problems = costProblems(spec, claim);
  const { result } = claim;
  if (problems.length > 0 || result?.isLocalOptimum !== true || !isKnown(spec)) return problems;
  const moving = improvable(spec, result);
  return moving === undefined ? [] : [`${shown(moving)} could do better alone`];
}

/** What is left out of a spec. */
export const localSearchDefaults = { objective: 'min', answerMs: 1_000, rounds: 100 } as const;

/** Reads a spec; `more` are the fields that a rule adds. */
export function parseLocalSearch(
  given: unknown,
  more: readonly string[] = [],
): Parsed<ReadLocalSearch> {
  const problem = parseDcop(given, ['rounds', ...more]);
  if (!problem.ok) return problem;
  const { rounds = localSearchDefaults.rounds } = isRecord(given) ? given : {};
  const most = Number(rounds);
  return Number.isInteger(rounds) && most >= 2 && most <= localSearchRoundsMax
    ? parsed({ ...problem.value, rounds: most })
    : unparsed(`rounds: expected 2 to ${localSearchRoundsMax}, got ${shown(rounds)}`);
}

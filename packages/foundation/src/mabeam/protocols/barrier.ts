import { parseFields, parseOptional, parseText, parseTime, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type {
  Answer,
  Claim,
  Effect,
  LossReason,
  OkAnswer,
  Protocol,
  SilenceCause,
  Step,
} from '../protocol.ts';
import { type ArriveQuestion, type BarrierPhase } from './barrier-questions.ts';

/** Most generations of one session. */
export const generationsMax = 1_000;

/** What is waited for. */
export interface BarrierSpec {
  /** Name of the barrier, up to 256 characters. */
  readonly barrier: string;
  /** Number of the first generation. Whoever goes on after a broken one chooses the next. @defaultValue 1 */
  readonly generation?: number;
  /** How many generations follow each other: 1 to {@link generationsMax}. @defaultValue 1 */
  readonly generations?: number;
  /** Whether the parties leave each generation together, too. @defaultValue false */
  readonly double?: boolean;
  /** Milliseconds from the first request of a crossing to its last arrival. @defaultValue what the session has left */
  readonly timeoutMs?: number;
}

/** Body of a `released` notice. */
export interface ReleasedNotice extends ArriveQuestion {
  /** Place of its recipient among the arrivals: 1 came first. */
  readonly order: number;
  readonly parties: number;
}

/** Body of a `broken` notice. */
export interface BrokenNotice extends ArriveQuestion {
  readonly cause: BreakCause;
  readonly by: readonly AgentId[];
}

/** Why a generation broke. */
export type BreakCause = 'declined' | SilenceCause;

/** All parties have crossed. */
export interface Release {
  readonly generation: number;
  readonly phase: BarrierPhase;
  /** First come, first listed; those of the same millisecond in the order of the roster. */
  readonly arrivals: readonly Arrival[];
}

/** A party has come. */
export interface Arrival {
  readonly agent: AgentId;
  /** Milliseconds since the session began. */
  readonly at: number;
}

/** How far the parties came together. */
export interface BarrierResult {
  readonly barrier: string;
  readonly releases: readonly Release[];
  /** Absent when every generation was released. */
  readonly broken?: Omit<BrokenNotice, 'barrier'>;
}

type Arrived = Readonly<Record<string, never>>;

interface Progress {
  readonly spec: Required<Omit<BarrierSpec, 'timeoutMs'>> & BarrierSpec;
  readonly roster: readonly AgentId[];
  readonly releases: readonly Release[];
}

/**
 * Lets nobody on before everybody has come, generation after generation. One that dies, declines or
 * lets the time pass breaks the generation for all, and the session ends as `no_quorum`: another one
 * is the reset.
 *
 * Cyclic barriers that break for all are those of `java.util.concurrent` (Lea 2004), double ones
 * those of ZooKeeper's recipes. Nobody is asked for the next generation before the last has come to
 * this one, so that a fast party cannot lap a slow one.
 */
export const barrier: Protocol<BarrierSpec, Arrived, Progress, BarrierResult> = {
  name: 'sync.barrier',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: true,
    individuallyRational: true,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: () => 0,
    toleratesByzantine: () => 0,
    maxRounds: () => 2 * generationsMax,
    // A request, an answer and a notice.
    maxMessages: (n) => 3 * n * 2 * generationsMax,
  },
  parseSpec,
  parseReply: (_type, body) =>
    body === undefined || (isRecord(body) && Object.keys(body).length === 0)
      ? parsed({})
      : unparsed(`body: expected nothing or {}, got ${shown(body)}`),
  init(given, roster) {
    const spec = { generation: 1, generations: 1, double: false, ...given };
    const progress = { spec, roster, releases: [] };
    return { state: progress, effects: [ask(progress)] };
  },
  on(progress, { answers }) {
    const arrivals = answers.filter((answer) => answer.kind === 'ok');
    return arrivals.length === answers.length
      ? release(progress, arrivals)
      : breakFor(progress, answers);
  },
  verify: problemsOf,
};

/** What is crossed after so many releases. */
function crossing({ spec }: Pick<Progress, 'spec'>, released: number): ArriveQuestion {
  const phasesEach = spec.double ? 2 : 1;
  return {
    barrier: spec.barrier,
    generation: spec.generation + Math.floor(released / phasesEach),
    phase: released % phasesEach === 0 ? 'enter' : 'leave',
  };
}

function crossingsOf({ generations, double }: Progress['spec']): number {
  return generations * (double ? 2 : 1);
}

function ask(progress: Progress): Effect<BarrierResult> {
  const { spec, roster, releases } = progress;
  return {
    kind: 'ask',
    to: roster,
    type: 'arrive',
    body: crossing(progress, releases.length),
    until: 'loss',
    ...(spec.timeoutMs === undefined ? {} : { budgetMs: spec.timeoutMs }),
  };
}

function release(
  progress: Progress,
  answers: readonly OkAnswer<Arrived>[],
): Step<Progress, BarrierResult> {
  const { spec, roster } = progress;
  const asked = crossing(progress, progress.releases.length);
  const { barrier: name, generation, phase } = asked;
  // Answers are in the order of the roster, and sorting keeps it where the times are equal.
  const arrivals = answers
    .map(({ from: agent, at }) => ({ agent, at }))
    .toSorted((left, right) => left.at - right.at);
  const releases = [...progress.releases, { generation, phase, arrivals }];
  const state = { ...progress, releases };
  const parties = roster.length;
  const notices = arrivals.map(({ agent }, index): Effect<BarrierResult> => {
    const body: ReleasedNotice = { ...asked, order: index + 1, parties };
    return { kind: 'tell', to: [agent], type: 'released', body };
  });
  const seen = { kind: 'emit', name: 'released', facts: { generation, phase, parties } } as const;
  if (releases.length < crossingsOf(spec)) {
    return { state, effects: [seen, ...notices, ask(state)] };
  }
  const reasons = reasonsOf(roster, 'won');
  const decision = { status: 'decided', result: { barrier: name, releases }, reasons } as const;
  return { state, effects: [seen, ...notices, { kind: 'finish', decision }] };
}

function breakFor(
  progress: Progress,
  answers: readonly Answer<Arrived>[],
): Step<Progress, BarrierResult> {
  const { roster, releases } = progress;
  const { barrier: name, ...asked } = crossing(progress, releases.length);
  const { cause, by } = culprits(answers);
  const body: BrokenNotice = { barrier: name, ...asked, cause, by };
  const gone = new Set(
    answers.flatMap((answer) => (causeOf(answer) === 'down' ? [answer.from] : [])),
  );
  const to = roster.filter((id) => !gone.has(id));
  const { generation, phase } = asked;
  const decision = {
    status: 'no_quorum',
    result: { barrier: name, releases, broken: { ...asked, cause, by } },
    // Who broke it is named by the engine, with the reason; all others came, or were coming, in vain.
    reasons: reasonsOf(
      roster.filter((id) => !by.includes(id)),
      'not_eligible',
    ),
  } as const;
  return {
    state: progress,
    effects: [
      { kind: 'emit', name: 'broken', facts: { generation, phase, cause } },
      { kind: 'tell', to, type: 'broken', body },
      { kind: 'finish', decision },
    ],
  };
}

/** Who broke a generation. Those who were only on their way when another broke it did not. */
function culprits(answers: readonly Answer<Arrived>[]): { cause: BreakCause; by: AgentId[] } {
  const causes = answers.map(causeOf);
  const cause = causes.find((each) => each !== undefined && each !== 'timeout') ?? 'timeout';
  const by = answers.filter((_, index) => {
    const own = causes[index];
    return own !== undefined && (cause === 'timeout' || own !== 'timeout');
  });
  return { cause, by: by.map(({ from }) => from) };
}

function causeOf(answer: Answer<Arrived>): BreakCause | undefined {
  if (answer.kind === 'ok') return undefined;
  return answer.kind === 'declined' ? 'declined' : answer.cause;
}

function reasonsOf(
  ids: readonly AgentId[],
  reason: LossReason,
): Readonly<Record<AgentId, LossReason>> {
  return Object.fromEntries(ids.map((id) => [id, reason]));
}

/** That nobody was released alone, twice, or before the last had come. */
function problemsOf(given: BarrierSpec, claim: Claim<BarrierResult>): readonly string[] {
  if (claim.result === undefined) return [];
  const { releases, broken } = claim.result;
  const spec = { generation: 1, generations: 1, double: false, ...given };
  const problems: string[] = [];
  let last = 0;
  for (const [index, { generation, phase, arrivals }] of releases.entries()) {
    const where = `generation ${generation}, ${phase}`;
    const expected = crossing({ spec }, index);
    if (generation !== expected.generation || phase !== expected.phase) {
      problems.push(`${where}: expected ${expected.generation}, ${expected.phase}`);
    }
    const came = new Set(arrivals.map(({ agent }) => agent));
    const isWhole = came.size === arrivals.length && claim.roster.every((id) => came.has(id));
    if (!isWhole || came.size !== claim.roster.length) {
      problems.push(`${where}: not everybody came once`);
    }
    for (const { agent, at } of arrivals) {
      if (at < last) problems.push(`${where}: ${agent} came before its turn`);
    }
    last = Math.max(last, ...arrivals.slice(-1).map(({ at }) => at));
  }
  const isComplete = releases.length === crossingsOf(spec);
  if ((claim.status === 'decided') !== (isComplete && broken === undefined)) {
    problems.push(`\`${claim.status}\` after ${releases.length} releases`);
  }
  return problems;
}

function parseSpec(spec: unknown): Parsed<BarrierSpec> {
  return parseFields(
    spec,
    '{ barrier, … }',
    ({ barrier: name, generation = 1, generations = 1, double = false, timeoutMs }) => ({
      barrier: parseText('barrier', name),
      generation: parseWhole('generation', generation, { max: 1e12 }),
      generations: parseWhole('generations', generations, { max: generationsMax }),
      double:
        typeof double === 'boolean'
          ? parsed(double)
          : unparsed(`double: expected true or false, got ${shown(double)}`),
      timeoutMs: parseOptional('timeoutMs', timeoutMs, parseTime),
    }),
  );
}

import type { Amount } from '../../amount.ts';
import type { Answer, Decision, Effect, Protocol } from '../../protocol.ts';
import { type Costs, type CostsQuestion, parseCosts, type TasksNotice } from './costs-question.ts';
import { settleTasks } from './task-assignment-settlement.ts';
import {
  type TaskOffer,
  parseTaskAssignmentSpec,
  type TaskAssignmentResult,
  type TaskAssignmentSpec,
  type TaskAssignmentTerms,
} from './task-assignment-spec.ts';
import { taskAssignmentProblems } from './task-assignment-verify.ts';

/** Most pairs of an agent and a task. */
const pairsMax = 1_000_000;

/** An assignment of tasks to agents. Its state is its terms: there is nothing else to remember. */
export type TaskAssignment = Protocol<
  TaskAssignmentSpec,
  Costs,
  TaskAssignmentTerms,
  TaskAssignmentResult
>;

/**
 * Gives tasks to agents by what they say that tasks cost them: as many tasks as can be, and those as cheaply, or as early,
 * as can be. Nobody is paid.
 */
export const taskAssignment: TaskAssignment = {
  name: 'task.assign',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: false,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec: parseTaskAssignmentSpec,
  parseReply: (_type, body) => parseCosts(body),
  init(spec, roster) {
    const terms = termsOf(spec);
    const { tasks, rule } = terms;
    if (roster.length * tasks.length > pairsMax) {
      const what = `${roster.length} agents and ${tasks.length} tasks`;
      throw new Error(`${what}: expected at most ${pairsMax} pairs`);
    }
    const body: CostsQuestion = { tasks, rule };
    return { state: terms, effects: [{ kind: 'ask', to: roster, type: 'get_costs', body }] };
  },
  on(terms, { answers }, env) {
    const { offers, strangers } = offersOf(terms, answers);
    const settled = settleTasks(offers, terms, env);
    const decision = { ...settled, reasons: { ...settled.reasons, ...strangers } };
    return { state: terms, effects: [...notices(decision), { kind: 'finish', decision }] };
  },
  verify: (spec, claim) => taskAssignmentProblems(termsOf(spec), claim),
};

function termsOf(spec: TaskAssignmentSpec): TaskAssignmentTerms {
  const terms = parseTaskAssignmentSpec(spec);
  if (terms.ok) return terms.value;
  throw new Error(terms.reason);
}

/** Answers that speak of all tasks, and who has spoken of others. */
function offersOf(
  { tasks }: TaskAssignmentTerms,
  answers: readonly Answer<Costs>[],
): {
  readonly offers: readonly TaskOffer[];
  readonly strangers: Readonly<Record<string, 'invalid'>>;
} {
  const offers: TaskOffer[] = [];
  const strangers: Record<string, 'invalid'> = {};
  const isWhole = (list?: readonly (Amount | null)[]): boolean =>
    list === undefined || list.length === tasks.length;
  for (const answer of answers) {
    if (answer.kind !== 'ok') continue;
    const { body, from: agent } = answer;
    if (isWhole(body.costs) && isWhole(body.loads)) offers.push({ agent, ...body });
    else strangers[agent] = 'invalid';
  }
  return { offers, strangers };
}

/** Tells those who have answered what they are to do. */
function notices({
  result,
}: Decision<TaskAssignmentResult>): readonly Effect<TaskAssignmentResult>[] {
  if (result === undefined) return [];
  const { tasks, assigned, offers } = result;
  return offers.map(({ agent }) => {
    const own = tasks.filter((_, task) => assigned[task] === agent);
    const body: TasksNotice = { tasks: own };
    return { kind: 'tell', to: [agent], type: 'tasks', body };
  });
}

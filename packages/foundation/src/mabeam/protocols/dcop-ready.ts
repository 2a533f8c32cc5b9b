import { FoundationError } from '../../errors.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, shown } from '../parse.ts';
import type { DcopConstraint } from './dcop/dcop-problem.ts';
import { choiceOf, choiceQuestion, utilOf, utilQuestion } from './dcop/dpop-questions.ts';
import { improvementOf, improvementQuestion } from './dcop/local-search-questions.ts';
import { beliefOf, factorOf, messagesQuestion } from './dcop/max-sum-questions.ts';
import { answering, type ReadyReplyMaker } from './ready-reply.ts';

/** Owners of variables for scripts, by name. */
export const readyReplies: Readonly<Record<string, ReadyReplyMaker>> = {
  /** Does its part honestly; it knows the costs of constraints that are not in the spec: `{ "dcop": { "c1": [0, 5, 5, 0] } }`. */
  dcop: answering(
    [utilQuestion, choiceQuestion, messagesQuestion, improvementQuestion],
    (argument) => {
      checkCosts(argument);
      const costs = (constraint: DcopConstraint): readonly number[] => known(argument, constraint);
      return (request) => answerTo(request, costs);
    },
  ),
};

function answerTo(
  request: CoordinationRequest,
  costs: (constraint: DcopConstraint) => readonly number[],
): unknown {
  const up = request.type === utilQuestion.type ? utilQuestion.parse(request) : undefined;
  if (up?.ok === true) {
    const { tasks, objective } = up.value;
    return { utils: tasks.map((task) => [...utilOf(task, objective, costs)]) };
  }
  const across =
    request.type === messagesQuestion.type ? messagesQuestion.parse(request) : undefined;
  if (across?.ok === true) {
    const { beliefs, factors, objective } = across.value;
    return {
      beliefs: beliefs.map((task) => beliefOf(task, objective)),
      factors: factors.map((task) => factorOf(task, objective, costs)),
    };
  }
  const better =
    request.type === improvementQuestion.type ? improvementQuestion.parse(request) : undefined;
  if (better?.ok === true) {
    const { tasks, objective } = better.value;
    return { improvements: tasks.map((task) => improvementOf(task, objective, costs)) };
  }
  const down = request.type === choiceQuestion.type ? choiceQuestion.parse(request) : undefined;
  if (down?.ok !== true) return undefined;
  const { tasks, objective } = down.value;
  return { choices: tasks.map((task) => choiceOf(task, objective, costs)) };
}

/** @throws FoundationError `INVALID_OPTION` for what is no table of costs. */
function checkCosts(argument: unknown): void {
  const isTable = isRecord(argument) && Object.values(argument).every(isCosts);
  if (isTable) return;
  const expected = 'dcop: expected lists of costs by constraint, such as { "c1": [0, 5, 5, 0] }';
  throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
}

function isCosts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((cost) => typeof cost === 'number');
}

/** @throws Error for a constraint of which nothing is known. */
function known(argument: unknown, { name }: DcopConstraint): readonly number[] {
  const costs = isRecord(argument) ? argument[name] : undefined;
  if (isCosts(costs)) return costs;
  throw new Error(`the costs of ${name} are not in the spec, and this agent does not know them`);
}

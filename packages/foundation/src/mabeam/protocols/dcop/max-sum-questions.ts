import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import type { Question } from '../../question.ts';
import { bestOf, costAt, type Objective, worstOf } from './cost-table.ts';
import type { DcopConstraint } from './dcop-problem.ts';
import type { NamedValues } from './dpop-questions.ts';

/** What has come to a variable: what does it tell each constraint, and which value would it take? */
export interface BeliefTask extends NamedValues {
  /** Next to nothing for each value, so that no two are alike. */
  readonly noise: readonly number[];
  /** From each of its constraints what each of its values costs there. */
  readonly incoming: readonly (readonly number[])[];
}

/** What has come to a constraint: what does it tell each of its variables, and what does an assignment cost? */
export interface FactorTask {
  /** Without costs only its owners know them. */
  readonly constraint: DcopConstraint;
  readonly variables: readonly NamedValues[];
  /** From each of its variables what each value costs elsewhere. */
  readonly incoming: readonly (readonly number[])[];
  /** The values of the variables whose cost is asked for. */
  readonly at: readonly string[];
}

/** Body of a `get_messages` request: for the variables of its recipient, and the constraints that it keeps. */
export interface MessagesQuestion {
  readonly problem: string;
  readonly objective: Objective;
  readonly beliefs: readonly BeliefTask[];
  readonly factors: readonly FactorTask[];
}

/** What a variable tells each of its constraints, and the value that it would take. */
export interface BeliefReply {
  readonly value: string;
  readonly outgoing: readonly (readonly number[])[];
}

/** What a constraint tells each of its variables, and what the assignment costs. */
export interface FactorReply {
  readonly cost: number;
  readonly outgoing: readonly (readonly number[])[];
}

/** Body of the answer: one for each task. */
export interface MessagesReply {
  readonly beliefs: readonly BeliefReply[];
  readonly factors: readonly FactorReply[];
}

/** Asks an agent what its variables and constraints tell each other. */
export const messagesQuestion: Question<MessagesQuestion, MessagesReply> = {
  type: 'get_messages',
  parse: ({ body }) =>
    isMessagesQuestion(body)
      ? parsed(body)
      : unparsed(`body: expected { problem, objective, beliefs, factors }, got ${shown(body)}`),
  reply: parseMessages,
};

/** An honest answer for a variable. */
export function beliefOf(
  { values, noise, incoming }: BeliefTask,
  objective: Objective,
): BeliefReply {
  const sums = values.map((_, value) =>
    incoming.reduce((sum, message) => sum + (message[value] ?? 0), noise[value] ?? 0),
  );
  return {
    value: values[bestOf(sums, objective)] ?? '',
    outgoing: incoming.map((message) =>
      levelled(
        sums.map((sum, value) => sum - (message[value] ?? 0)),
        objective,
      ),
    ),
  };
}

/** An honest answer for a constraint. */
// oxlint-disable-next-line max-params -- of what, to which end, and what is known
export function factorOf(
  { constraint, variables, incoming, at }: FactorTask,
  objective: Objective,
  costs: (constraint: DcopConstraint) => readonly number[],
): FactorReply {
  const table = constraint.costs ?? costs(constraint);
  const sizes = variables.map(({ values }) => values.length);
  const outgoing = sizes.map((size) => Array.from({ length: size }, () => worstOf(objective)));
  const digits = sizes.map(() => 0);
  const cells = sizes.reduce((product, size) => product * size, 1);
  for (let cell = 0; cell < cells; cell++) {
    let sum = costAt(table, cell);
    for (const [place, digit] of digits.entries()) sum += incoming[place]?.[digit] ?? 0;
    for (const [place, digit] of digits.entries()) {
      const own = sum - (incoming[place]?.[digit] ?? 0);
      const message = outgoing[place] ?? [];
      const best = message[digit] ?? own;
      if (objective === 'min' ? own < best : own > best) message[digit] = own;
    }
    for (let place = digits.length - 1; place >= 0; place--) {
      const digit = ((digits[place] ?? 0) + 1) % (sizes[place] ?? 1);
      digits[place] = digit;
      if (digit > 0) break;
    }
  }
  const position = variables.reduce(
    (before, { values }, place) => before * values.length + values.indexOf(at[place] ?? ''),
    0,
  );
  return {
    cost: costAt(table, position),
    outgoing: outgoing.map((message) => levelled(message, objective)),
  };
}

/** Only differences matter: with the best at 0 nothing grows from round to round. */
function levelled(message: readonly number[], objective: Objective): readonly number[] {
  const best = message[bestOf(message, objective)] ?? 0;
  return message.map((cost) => cost - best);
}

/** Reads the body of an answer. */
export function parseMessages(body: unknown): Parsed<MessagesReply> {
  if (!isRecord(body)) return unparsed(`body: expected { beliefs, factors }, got ${shown(body)}`);
  const extra = unknownField(body, ['beliefs', 'factors']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { beliefs, factors } = body;
  if (!Array.isArray(beliefs) || !beliefs.every(isBelief)) {
    return unparsed(`body.beliefs: expected { value, outgoing } each, got ${shown(beliefs)}`);
  }
  return Array.isArray(factors) && factors.every(isFactor)
    ? parsed({ beliefs, factors })
    : unparsed(`body.factors: expected { cost, outgoing } each, got ${shown(factors)}`);
}

function isBelief(value: unknown): value is BeliefReply {
  return isRecord(value) && typeof value['value'] === 'string' && areMessages(value['outgoing']);
}

function isFactor(value: unknown): value is FactorReply {
  return isRecord(value) && Number.isSafeInteger(value['cost']) && areMessages(value['outgoing']);
}

function areMessages(value: unknown): value is readonly (readonly number[])[] {
  return (
    Array.isArray(value) &&
    value.every((message) => Array.isArray(message) && message.every(Number.isFinite))
  );
}

function isMessagesQuestion(body: unknown): body is MessagesQuestion {
  return (
    isRecord(body) &&
    typeof body['problem'] === 'string' &&
    isOneOf(['min', 'max'], body['objective']) &&
    Array.isArray(body['beliefs']) &&
    body['beliefs'].every((task) => isRecord(task) && Array.isArray(task['values'])) &&
    Array.isArray(body['factors']) &&
    body['factors'].every((task) => isRecord(task) && isRecord(task['constraint']))
  );
}

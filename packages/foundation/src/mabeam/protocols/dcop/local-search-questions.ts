import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { type Axis, bestOf, type Objective, slice } from './cost-table.ts';
import { type DcopConstraint, dcopSumMax, isCost } from './dcop-problem.ts';
import { isTasks, listIn, type NamedValues } from './dpop-questions.ts';

/** A variable, and where it stands. */
export interface StandingVariable extends NamedValues {
  readonly value: string;
}

/** What would be better for one variable, while all others stay where they are? */
export interface ImprovementTask extends StandingVariable {
  /** That it is part of. Those without costs only its owners know. */
  readonly constraints: readonly DcopConstraint[];
  /** The other variables of these constraints. */
  readonly neighbours: readonly StandingVariable[];
  /** Says which of several best values to take: 0 the first, almost 1 the last. */
  readonly draw: number;
}

/** Body of a `get_improvement` request: one task for each variable of its recipient. */
export interface ImprovementQuestion {
  readonly problem: string;
  readonly objective: Objective;
  readonly tasks: readonly ImprovementTask[];
}

/** Where one variable would go. */
export interface Improvement {
  /** The value it would take: the one that it has if it would stay. */
  readonly value: string;
  /** By how much that is better, 0 or more. */
  readonly gain: number;
  /** What those constraints cost now that only owners know, and whose first variable this is. @defaultValue 0 */
  readonly cost?: number;
}

/** Body of the answer: one for each task. */
export interface ImprovementReply {
  readonly improvements: readonly Improvement[];
}

/** Asks an agent what would be better for its variables. */
export const improvementQuestion: Question<ImprovementQuestion, readonly Improvement[]> = {
  type: 'get_improvement',
  parse: ({ body }) =>
    isImprovementQuestion(body)
      ? parsed(body)
      : unparsed(`body: expected { problem, objective, tasks }, got ${shown(body)}`),
  reply: (improvements) => parseImprovements({ improvements }),
};

/**
 * An honest answer: the best value, and one that is as good as its own if some constraint is at odds with that one
 * (variant B of Zhang et al. 2005).
 */
// oxlint-disable-next-line max-params -- of what, to which end, and what is known
export function improvementOf(
  { name, values, value, constraints, neighbours, draw }: ImprovementTask,
  objective: Objective,
  costs: (constraint: DcopConstraint) => readonly number[],
): Improvement {
  const own = { name, size: values.length };
  const standing = new Map(neighbours.map((each) => [each.name, positionOf(each)]));
  const at = (other: string): Position => standing.get(other) ?? { name: other, size: 1, value: 0 };
  const here = values.indexOf(value);
  const rows = constraints.map((constraint) => {
    const table = { over: constraint.over, costs: constraint.costs ?? costs(constraint) };
    return { constraint, table, row: slice([table], own, at) };
  });
  const sums = values.map((_, place) => sumOf(rows.map(({ row }) => row[place] ?? 0)));
  const best = sums[bestOf(sums, objective)] ?? 0;
  const gain = Math.abs(best - (sums[here] ?? 0));
  const equals = values.filter((each, place) => sums[place] === best && each !== value);
  const isMoving =
    gain > 0 ||
    (equals.length > 0 &&
      rows.some(({ table, row }) => isBeaten(row[here] ?? 0, table.costs, objective)));
  const chosen = isMoving ? equals[Math.floor(draw * equals.length)] : undefined;
  const kept = rows.filter(
    ({ constraint }) => constraint.costs === undefined && constraint.over[0] === name,
  );
  return { value: chosen ?? value, gain, cost: sumOf(kept.map(({ row }) => row[here] ?? 0)) };
}

/** Reads the body of an answer. */
export function parseImprovements(body: unknown): Parsed<ImprovementReply> {
  const list = listIn(body, 'improvements', 'improvements');
  if (!list.ok) return list;
  const read: Improvement[] = [];
  for (const each of list.value) {
    const { value, gain, cost = 0 } = isRecord(each) ? each : {};
    if (
      typeof value !== 'string' ||
      !isCost(gain, 2 * dcopSumMax) ||
      gain < 0 ||
      !isCost(cost, dcopSumMax)
    ) {
      return unparsed(`body.improvements: expected { value, gain, cost? }, got ${shown(each)}`);
    }
    read.push({ value, gain, cost });
  }
  return parsed({ improvements: read });
}

type Position = Axis & { readonly value: number };

function positionOf({ name, values, value }: StandingVariable): Position {
  return { name, size: values.length, value: values.indexOf(value) };
}

/** Whether something in a table is better. */
// oxlint-disable-next-line max-params -- what, among which, to which end
function isBeaten(cost: number, costs: readonly number[], objective: Objective): boolean {
  return costs.some((each) => (objective === 'min' ? each < cost : each > cost));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

/** The coordinator has checked the problem: what it asks is taken as it is, as far as it has the form. */
function isImprovementQuestion(body: unknown): body is ImprovementQuestion {
  return isTasks(
    body,
    ['constraints', 'neighbours'],
    ({ value, draw }) => typeof value === 'string' && typeof draw === 'number',
  );
}

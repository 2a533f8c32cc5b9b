import { isRecord, shown } from '../../parse.ts';
import type { Claim } from '../../protocol.ts';
import { penaltyOf } from './one-each.ts';
import { numbersOf, totalOf } from './task-assignment-settlement.ts';
import type { TaskAssignmentResult, TaskAssignmentTerms } from './task-assignment-spec.ts';

/**
 * Checks that everybody can do what it is given, that costs add up, and for one task each that no assignment costs less:
 * the prices of the certificate are at most what each pair costs, and together what was decided.
 */
export function taskAssignmentProblems(
  terms: TaskAssignmentTerms,
  { result, certificate, status }: Claim<TaskAssignmentResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { assigned, offers, total } = result;
  const problems: string[] = [];
  const offerOf = new Map(offers.map((offer) => [offer.agent, offer]));
  const used = new Map(offers.map(({ agent }) => [agent, { tasks: 0, load: 0n }]));
  for (const [task, agent] of assigned.entries()) {
    if (agent === null) continue;
    const { costs, loads } = offerOf.get(agent) ?? { costs: [] };
    if ((costs[task] ?? null) === null) {
      problems.push(`${agent} cannot do ${shown(terms.tasks[task])}`);
    }
    const own = used.get(agent) ?? { tasks: 0, load: 0n };
    used.set(agent, { tasks: own.tasks + 1, load: own.load + (loads?.[task] ?? 1n) });
  }
  for (const [agent, { tasks, load }] of used) {
    const { capacity } = offerOf.get(agent) ?? {};
    if (terms.rule === 'one_each' && tasks > 1) problems.push(`${agent} does ${tasks} tasks`);
    const isFull = terms.rule === 'capacity' && capacity !== undefined && load > capacity;
    if (isFull) problems.push(`${agent} does ${load}, and has room for ${capacity}`);
  }
  const due = totalOf(offers, assigned, terms.rule);
  if (total !== due) problems.push(`the total is ${total}, though costs add up to ${due}`);
  if (certificate?.bound === undefined) problems.push('there is no bound');
  else if (terms.rule === 'makespan' && certificate.bound > Number(total)) {
    problems.push(`it ends at ${total}, before the bound ${certificate.bound}`);
  }
  if (terms.rule !== 'one_each' || status !== 'decided') return problems;
  return [...problems, ...priceProblems(result, certificate?.data)];
}

function priceProblems(
  { assigned, offers, tasks }: TaskAssignmentResult,
  data: unknown,
): readonly string[] {
  const { agentPrices, taskPrices } = isRecord(data) ? data : {};
  if (!isNumbers(agentPrices, offers.length) || !isNumbers(taskPrices, tasks.length)) {
    return ['there are no prices for a proof'];
  }
  const costs = offers.map(numbersOf);
  const penalty = penaltyOf(costs, Math.min(offers.length, tasks.length));
  const counted = (agent: number, task: number): number => {
    const cost = costs[agent]?.[task] ?? Infinity;
    return cost < Infinity ? cost : penalty;
  };
  // Of the larger side some are left over, at a price of 0 at most.
  const larger = offers.length > tasks.length ? agentPrices : taskPrices;
  if (larger.some((price) => price > 0)) return ['a price is above 0'];
  let bound = 0;
  for (const price of [...agentPrices, ...taskPrices]) bound += price;
  for (const agent of offers.keys()) {
    for (const task of tasks.keys()) {
      const price = (agentPrices[agent] ?? 0) + (taskPrices[task] ?? 0);
      if (price > counted(agent, task)) {
        return [`${offers[agent]?.agent} and ${shown(tasks[task])} are priced above their cost`];
      }
    }
  }
  const place = new Map(offers.map(({ agent }, at) => [agent, at]));
  let [total, idle] = [0, Math.min(offers.length, tasks.length)];
  for (const [task, agent] of assigned.entries()) {
    if (agent === null) continue;
    total += counted(place.get(agent) ?? -1, task);
    idle--;
  }
  const difference = total + idle * penalty - bound;
  return difference === 0 ? [] : [`${difference} could be saved, for all that is proven`];
}

function isNumbers(value: unknown, length: number): value is readonly number[] {
  return (
    Array.isArray(value) && value.length === length && value.every((each) => Number.isFinite(each))
  );
}

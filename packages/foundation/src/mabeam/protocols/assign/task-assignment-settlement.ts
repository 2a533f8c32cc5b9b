import type { AgentId } from '../../message.ts';
import type { Certificate, Decision, LossReason, PureEnv } from '../../protocol.ts';
import { inOrder } from '../ration.ts';
import { cheapestWithin } from './capacity-search.ts';
import { longestFirst } from './longest-first.ts';
import { oneEach, penaltyOf, type PairingProof } from './one-each.ts';
import type {
  TaskOffer,
  TaskAssignmentResult,
  TaskAssignmentTerms,
} from './task-assignment-spec.ts';

/** An assignment, as it is computed: agents and tasks by their places. */
export interface Assigned {
  /** -1 where nobody does it. */
  readonly agentOf: readonly number[];
  /** What no assignment of as many tasks costs less than. */
  readonly bound: number;
  readonly gap: number;
  /** Agents that could as well do something else, or were equal when one was chosen. */
  readonly equals: readonly number[];
  readonly proof?: PairingProof;
}

type Decided = Decision<TaskAssignmentResult>;

/** Who does what, by what it costs them. */
export function settleTasks(
  offers: readonly TaskOffer[],
  terms: TaskAssignmentTerms,
  env: PureEnv,
): Decided {
  const drawn = inOrder(
    offers.map(({ agent }) => agent),
    'who comes first',
    env,
  );
  const ids = drawn.order ?? offers.map(({ agent }) => agent).toSorted(byId);
  const offerOf = new Map(offers.map((offer) => [offer.agent, offer]));
  const order = ids.flatMap((id) => offerOf.get(id) ?? []);
  const assigned = assign(order, terms);
  if (assigned === undefined) return { status: 'limit_reached', reasons: {} };
  const { agentOf, equals } = assigned;
  const among = equals.flatMap((at) => ids[at] ?? []).toSorted(byId);
  const tie = among.length === 0 ? {} : { tie: { among, rule: env.tie } };
  const hasWork = new Set(agentOf.flatMap((at) => ids[at] ?? []));
  const reasons = Object.fromEntries(
    order.map(({ agent, costs }) => [agent, reasonOf({ agent, costs }, { hasWork, among })]),
  );
  if (hasWork.size === 0) return { status: 'no_deal', reasons };
  if (env.tie === 'report' && among.length > 0) return { status: 'tied', ...tie, reasons };
  const result = resultOf(offers, terms, (task) => ids[agentOf[task] ?? -1]);
  const isExact = terms.rule === 'makespan' || assigned.gap === 0;
  return {
    status: isExact ? 'decided' : 'limit_reached',
    result,
    ...tie,
    certificate: certificateOf(assigned, { offers, ids }),
    reasons,
  };
}

function byId(one: AgentId, other: AgentId): number {
  return one < other ? -1 : 1;
}

/** Costs as numbers: they are whole and small enough to be exact. */
export function numbersOf({ costs }: Pick<TaskOffer, 'costs'>): readonly number[] {
  return costs.map((cost) => (cost === null ? Infinity : Number(cost)));
}

function assign(offers: readonly TaskOffer[], terms: TaskAssignmentTerms): Assigned | undefined {
  const costs = offers.map(numbersOf);
  const tasks = terms.tasks.length;
  switch (terms.rule) {
    case 'one_each':
      return oneEach(costs, terms);
    case 'capacity': {
      const workers = offers.map(({ loads, capacity }, at) => ({
        costs: costs[at] ?? [],
        loads: terms.tasks.map((_, task) => Number(loads === undefined ? 1n : loads[task])),
        capacity: capacity === undefined ? Infinity : Number(capacity),
      }));
      const penalty = penaltyOf(costs, tasks);
      const found = cheapestWithin(workers, tasks, { nodesMax: terms.maxSteps, penalty });
      const { workerOf: agentOf, cost, bound } = found;
      const idle = agentOf.filter((worker) => worker < 0).length;
      return { agentOf, bound: bound - idle * penalty, gap: cost - bound, equals: [] };
    }
    case 'makespan': {
      const { workerOf: agentOf, makespan, bound, equals } = longestFirst(costs, tasks);
      return { agentOf, bound, gap: makespan - bound, equals };
    }
  }
}

function reasonOf(
  { agent, costs }: Pick<TaskOffer, 'agent' | 'costs'>,
  {
    hasWork,
    among,
  }: { readonly hasWork: ReadonlySet<AgentId>; readonly among: readonly AgentId[] },
): LossReason {
  if (hasWork.has(agent)) return 'won';
  if (costs.every((cost) => cost === null)) return 'not_eligible';
  return among.includes(agent) ? 'tie_lost' : 'outbid';
}

// oxlint-disable-next-line max-params -- by what, of what, who
function resultOf(
  offers: readonly TaskOffer[],
  { tasks, rule }: TaskAssignmentTerms,
  agentOf: (task: number) => AgentId | undefined,
): TaskAssignmentResult {
  const assigned = tasks.map((_, task) => agentOf(task) ?? null);
  return { tasks, assigned, total: totalOf(offers, assigned, rule), offers };
}

/** What an assignment costs, or when the last task is done. */
// oxlint-disable-next-line max-params -- by what, who does what, what counts
export function totalOf(
  offers: readonly TaskOffer[],
  assigned: readonly (AgentId | null)[],
  rule: TaskAssignmentTerms['rule'],
): bigint {
  const spent = new Map(offers.map(({ agent }) => [agent, 0n]));
  const offerOf = new Map(offers.map((offer) => [offer.agent, offer]));
  for (const [task, agent] of assigned.entries()) {
    if (agent === null) continue;
    spent.set(agent, (spent.get(agent) ?? 0n) + (offerOf.get(agent)?.costs[task] ?? 0n));
  }
  let [sum, most] = [0n, 0n];
  for (const own of spent.values()) {
    sum += own;
    if (own > most) most = own;
  }
  return rule === 'makespan' ? most : sum;
}

/** In the order of the roster, so that it does not tell the draw. */
function certificateOf(
  { bound, gap, proof }: Assigned,
  { offers, ids }: { readonly offers: readonly TaskOffer[]; readonly ids: readonly AgentId[] },
): Certificate {
  if (proof === undefined) return { kind: 'optimality', bound, gap };
  const place = new Map(ids.map((id, at) => [id, at]));
  const agentPrices = offers.map(({ agent }) => proof.agentPrices[place.get(agent) ?? 0] ?? 0);
  return {
    kind: 'optimality',
    bound,
    gap,
    data: { agentPrices, taskPrices: proof.taskPrices.map((price) => price + 0) },
  };
}

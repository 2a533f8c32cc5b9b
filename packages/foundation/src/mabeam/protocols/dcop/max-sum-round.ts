import type { AgentId } from '../../message.ts';
import type { Answer } from '../../protocol.ts';
import { worstOf } from './cost-table.ts';
import { costOf, type DcopResult } from './dcop-claim.ts';
import { type DcopConstraint, dcopCostMax } from './dcop-problem.ts';
import {
  type FactorGraph,
  factorTask,
  keeperOf,
  type Link,
  type MaxSumState,
  type Message,
  type Tasks,
  tasksOf,
} from './factor-graph.ts';
import { factorOf, type MessagesReply } from './max-sum-questions.ts';

/** Messages that differ by no more are alike. */
const tolerance = 1e-9;
/** Where there are cycles so much of each message is the one before. */
const damping = 0.5;

/** What everybody has said in a round, the silent ones held to the values that they have. */
// oxlint-disable-next-line max-params -- among whom, after what, and what was answered
export function afterRound(
  graph: FactorGraph,
  before: MaxSumState,
  answers: readonly Answer<MessagesReply>[],
): MaxSumState {
  const tasks = tasksOf(graph, before);
  const replies = new Map<AgentId, MessagesReply>();
  const gone = new Set(before.gone);
  const invalid = new Set(before.invalid);
  for (const answer of answers) {
    const asked = tasks.get(answer.from);
    if (answer.kind === 'ok' && asked !== undefined && fits(answer.body, asked)) {
      replies.set(answer.from, answer.body);
      continue;
    }
    gone.add(answer.from);
    if (answer.kind === 'ok') invalid.add(answer.from);
  }
  const said = { ...spoken(graph, before, { tasks, replies }), gone, invalid };
  const isSettled = gone.size === before.gone.size && isSame(before, said);
  // What was found with somebody who is gone now may move what is frozen.
  const best = gone.size > before.gone.size ? undefined : bestWith(graph, before, replies);
  return { ...said, isSettled, ...(best === undefined ? {} : { best }) };
}

/** The best assignment; if none was looked at yet, the one of now. */
export function bestIn(
  graph: FactorGraph,
  state: MaxSumState,
): Pick<DcopResult, 'assignment' | 'cost' | 'privateCost'> {
  return state.best ?? candidate(graph, state.values, 0);
}

interface Heard {
  readonly tasks: ReadonlyMap<AgentId, Tasks>;
  readonly replies: ReadonlyMap<AgentId, MessagesReply>;
}

// oxlint-disable-next-line max-params -- among whom, after what, and what was answered
function spoken(
  graph: FactorGraph,
  before: MaxSumState,
  { tasks, replies }: Heard,
): Pick<MaxSumState, 'links' | 'values'> {
  const values = new Map<string, string>();
  const toConstraint = new Map<string, ReadonlyMap<string, Message>>();
  for (const { name, owner, initial = '' } of graph.spec.variables) {
    const place = tasks.get(owner)?.beliefs.findIndex((task) => task.name === name) ?? -1;
    const belief = replies.get(owner)?.beliefs[place];
    values.set(name, belief?.value ?? initial);
    const own = graph.constraintsOf.get(name) ?? [];
    const messages = own.map((each, at): [string, Message] => [
      each.name,
      belief?.outgoing[at] ?? heldTo(graph, name),
    ]);
    toConstraint.set(name, new Map(messages));
  }
  const links = graph.spec.constraints.map((constraint): [string, readonly Link[]] => {
    const { name, over } = constraint;
    const said = saidBy(graph, before, { constraint, heard: { tasks, replies } });
    const old = before.links.get(name) ?? [];
    return [
      name,
      over.map((variable, at) => {
        const fresh = toConstraint.get(variable)?.get(name) ?? [];
        const last = old[at]?.toConstraint ?? [];
        return {
          toConstraint: graph.isCyclic
            ? fresh.map((cost, value) => damping * (last[value] ?? 0) + (1 - damping) * cost)
            : fresh,
          toVariable: said[at] ?? [],
        };
      }),
    ];
  });
  return { links: new Map(links), values };
}

/** What a constraint tells its variables. For one whose keeper is gone the coordinator speaks, if its costs are known. */
// oxlint-disable-next-line max-params -- among whom, after what, and who
function saidBy(
  graph: FactorGraph,
  before: MaxSumState,
  { constraint, heard }: { readonly constraint: DcopConstraint; readonly heard: Heard },
): readonly Message[] {
  const keeper = keeperOf(graph, constraint);
  const asked = heard.tasks.get(keeper)?.factors ?? [];
  const place = asked.findIndex((task) => task.constraint.name === constraint.name);
  const own = heard.replies.get(keeper)?.factors[place];
  if (own !== undefined) return own.outgoing;
  return factorOf(factorTask(graph, before, constraint), graph.spec.objective, () => []).outgoing;
}

/** The assignment of the round before, of which costs are known now, if it is better. */
// oxlint-disable-next-line max-params -- among whom, after what, and what was answered
function bestWith(
  graph: FactorGraph,
  { values, best, ...before }: MaxSumState,
  replies: ReadonlyMap<AgentId, MessagesReply>,
): MaxSumState['best'] {
  let privateCost = 0;
  for (const [owner, { factors }] of tasksOf(graph, { ...before, values })) {
    for (const [place, { constraint }] of factors.entries()) {
      if (constraint.costs !== undefined) continue;
      privateCost += replies.get(owner)?.factors[place]?.cost ?? 0;
    }
  }
  const found = candidate(graph, values, privateCost);
  const isBetter =
    best === undefined ||
    (graph.spec.objective === 'min' ? found.cost < best.cost : found.cost > best.cost);
  return isBetter ? found : best;
}

// oxlint-disable-next-line max-params -- among whom, which, and what only owners know
function candidate(
  { spec }: FactorGraph,
  values: ReadonlyMap<string, string>,
  privateCost: number,
): Pick<DcopResult, 'assignment' | 'cost' | 'privateCost'> {
  const cost = costOf(spec, values) + privateCost;
  return { assignment: Object.fromEntries(values), cost, privateCost };
}

/** What a frozen variable tells its constraints: anything but its value costs more than everything. */
function heldTo({ variables, spec }: FactorGraph, name: string): Message {
  const { values = [], initial } = variables.get(name) ?? {};
  const sign = worstOf(spec.objective) > 0 ? 1 : -1;
  return values.map((value) => (value === initial ? 0 : sign * 10_000 * dcopCostMax));
}

/** Whether there is an answer for each task, of its form. */
function fits({ beliefs, factors }: MessagesReply, asked: Tasks): boolean {
  return (
    beliefs.length === asked.beliefs.length &&
    factors.length === asked.factors.length &&
    asked.beliefs.every(({ values, incoming }, at) => {
      const { value = '', outgoing = [] } = beliefs[at] ?? {};
      return (
        values.includes(value) &&
        haveSizes(
          outgoing,
          incoming.map(() => values.length),
        )
      );
    }) &&
    asked.factors.every(({ variables }, at) =>
      haveSizes(
        factors[at]?.outgoing ?? [],
        variables.map(({ values }) => values.length),
      ),
    )
  );
}

function isSame(
  before: Pick<MaxSumState, 'links' | 'values'>,
  after: Pick<MaxSumState, 'links' | 'values'>,
): boolean {
  return (
    [...after.values].every(([name, value]) => before.values.get(name) === value) &&
    [...after.links].every(([name, links]) =>
      links.every(({ toConstraint, toVariable }, at) => {
        const old = before.links.get(name)?.[at];
        return (
          old !== undefined &&
          isLike(toConstraint, old.toConstraint) &&
          isLike(toVariable, old.toVariable)
        );
      }),
    )
  );
}

function haveSizes(messages: readonly Message[], sizes: readonly number[]): boolean {
  return (
    messages.length === sizes.length && messages.every((each, at) => each.length === sizes[at])
  );
}

function isLike(left: Message, right: Message): boolean {
  return left.every((cost, at) => Math.abs(cost - (right[at] ?? Infinity)) <= tolerance);
}

import { drawn } from '../../digest.ts';
import type { AgentId } from '../../message.ts';
import type { PureEnv } from '../../protocol.ts';
import type { DcopResult } from './dcop-claim.ts';
import type { DcopConstraint, DcopVariable, ReadDcop } from './dcop-problem.ts';
import type { NamedValues } from './dpop-questions.ts';
import type { BeliefTask, FactorTask, MessagesQuestion } from './max-sum-questions.ts';

/** Variables and constraints as they hang together. */
export interface FactorGraph {
  readonly spec: ReadDcop;
  readonly variables: ReadonlyMap<string, DcopVariable>;
  readonly constraintsOf: ReadonlyMap<string, readonly DcopConstraint[]>;
  /** Next to nothing for each value of a variable. */
  readonly noise: ReadonlyMap<string, Message>;
  readonly isCyclic: boolean;
}

/** What each value of a variable costs. */
export type Message = readonly number[];

/** What goes both ways between a constraint and one of its variables. */
export interface Link {
  readonly toConstraint: Message;
  readonly toVariable: Message;
}

/** What has been said so far. */
export interface MaxSumState {
  /** Of each constraint, in the order of its variables. */
  readonly links: ReadonlyMap<string, readonly Link[]>;
  readonly values: ReadonlyMap<string, string>;
  /** The best assignment so far. */
  readonly best?: Pick<DcopResult, 'assignment' | 'cost' | 'privateCost'>;
  /** Whether the last round has changed nothing. */
  readonly isSettled: boolean;
  /** Agents that are not asked any more, and those whose answer made no sense. */
  readonly gone: ReadonlySet<AgentId>;
  readonly invalid: ReadonlySet<AgentId>;
}

/** All noise together: less than any difference of costs. */
const noiseMax = 0.4;

/** How the variables of a problem hang together. */
export function factorGraph(spec: ReadDcop, env: PureEnv): FactorGraph {
  const { variables, constraints } = spec;
  const constraintsOf = new Map<string, DcopConstraint[]>(variables.map(({ name }) => [name, []]));
  for (const each of constraints) for (const name of each.over) constraintsOf.get(name)?.push(each);
  const noise = variables.map(({ name, values }): [string, Message] => [
    name,
    values.map((value) => (drawn(env.seed, 'noise', name, value) * noiseMax) / variables.length),
  ]);
  return {
    spec,
    variables: new Map(variables.map((each) => [each.name, each])),
    constraintsOf,
    noise: new Map(noise),
    isCyclic: isCyclic(constraints),
  };
}

/** Before anybody has said anything. */
export function silentState({ spec, variables }: FactorGraph): MaxSumState {
  const nothing = (name: string): Message => variables.get(name)?.values.map(() => 0) ?? [];
  return {
    links: new Map(
      spec.constraints.map(({ name, over }) => [
        name,
        over.map((each) => ({ toConstraint: nothing(each), toVariable: nothing(each) })),
      ]),
    ),
    values: new Map(spec.variables.map(({ name, initial = '' }) => [name, initial])),
    isSettled: false,
    gone: new Set(),
    invalid: new Set(),
  };
}

/** What one agent is asked. */
export type Tasks = Pick<MessagesQuestion, 'beliefs' | 'factors'>;

/** What each agent is asked: for its variables, and for the constraints of which it owns the first one. */
export function tasksOf(graph: FactorGraph, state: MaxSumState): ReadonlyMap<AgentId, Tasks> {
  const owners = new Set(graph.spec.variables.map(({ owner }) => owner));
  const beliefs = Map.groupBy(graph.spec.variables, ({ owner }) => owner);
  const factors = Map.groupBy(graph.spec.constraints, (each) => keeperOf(graph, each));
  const asked = [...owners].filter((owner) => !state.gone.has(owner));
  return new Map(
    asked.map((owner) => [
      owner,
      {
        beliefs: (beliefs.get(owner) ?? []).map((each) => beliefTask(graph, state, each)),
        factors: (factors.get(owner) ?? []).map((each) => factorTask(graph, state, each)),
      },
    ]),
  );
}

// oxlint-disable-next-line max-params -- among whom, after what, and for which
function beliefTask(
  graph: FactorGraph,
  { links }: MaxSumState,
  { name, values }: DcopVariable,
): BeliefTask {
  const incoming = (graph.constraintsOf.get(name) ?? []).map(
    (each) => links.get(each.name)?.[each.over.indexOf(name)]?.toVariable ?? [],
  );
  return { name, values, noise: graph.noise.get(name) ?? [], incoming };
}

/** What the keeper of a constraint is asked. */
// oxlint-disable-next-line max-params -- among whom, after what, and for which
export function factorTask(
  { variables }: FactorGraph,
  { links, values }: MaxSumState,
  constraint: DcopConstraint,
): FactorTask {
  return {
    constraint,
    variables: constraint.over.map((name): NamedValues => ({
      name,
      values: variables.get(name)?.values ?? [],
    })),
    incoming: links.get(constraint.name)?.map(({ toConstraint }) => toConstraint) ?? [],
    at: constraint.over.map((name) => values.get(name) ?? ''),
  };
}

/** Who speaks for a constraint. */
export function keeperOf({ variables }: FactorGraph, { over }: DcopConstraint): AgentId {
  return variables.get(over[0] ?? '')?.owner ?? '';
}

/** Whether one can come back to a variable without going over a link twice. */
function isCyclic(constraints: readonly DcopConstraint[]): boolean {
  const heads = new Map<string, string>();
  const headOf = (name: string): string => {
    let head = name;
    for (let next = heads.get(head); next !== undefined; next = heads.get(head)) head = next;
    return head;
  };
  for (const { over } of constraints) {
    const [first = '', ...others] = over;
    for (const other of others) {
      const [left, right] = [headOf(first), headOf(other)];
      if (left === right) return true;
      heads.set(left, right);
    }
  }
  return false;
}

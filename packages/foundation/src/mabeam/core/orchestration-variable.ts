import { FoundationError } from '../../errors.ts';
import { isName } from '../../process/definition-check.ts';
import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import { isOneOf, isRecord, shown, unknownField } from '../parse.ts';
import type { Protocol } from '../protocol.ts';
import type { SessionOptions } from '../session-options.ts';
import type { AgentActions } from './agent-actions.ts';
import type { HysteresisRule } from './hysteresis-state.ts';
import { problemOfForm } from './variable-rules.ts';

const types = [
  'agent_selection',
  'resource_allocation',
  'communication_topology',
  'custom',
] as const;

/**
 * What a variable is about, and so what its value is and what becomes of it:
 *
 * - `agent_selection`: ids of the agents that are to run; the others of the variable are stopped;
 * - `resource_allocation`: whole units by agent; each is configured with `{ allocation }`;
 * - `communication_topology`: pairs `[from, to]`; each agent is configured with `{ peers }`;
 * - `custom`: anything; what becomes of it says `apply`.
 */
export type OrchestrationType = (typeof types)[number];

/** The value of a variable by its type. */
export interface OrchestrationValues {
  readonly agent_selection: readonly AgentId[];
  readonly resource_allocation: Readonly<Record<AgentId, Amount>>;
  readonly communication_topology: readonly (readonly [from: AgentId, to: AgentId])[];
  readonly custom: unknown;
}

/** Something about a group of agents that is decided again and again, and applied to them. */
export interface OrchestrationVariable<
  Type extends OrchestrationType = OrchestrationType,
  Value = OrchestrationValues[Type],
> {
  readonly id: string;
  readonly type: Type;
  /**
   * `local`: of this node. `cluster`: its value, history and lock are in the store of the cluster and any node that has
   * registered its functions may coordinate it; then functions are given by name.
   *
   * @defaultValue 'local'
   */
  readonly scope?: 'local' | 'cluster';
  /** Whom it is about. They need not run, but are registered in the AgentRegistry when it is applied. */
  readonly agents: readonly AgentId[];
  readonly initial: Value;
  /** Decides anew. Undefined leaves the value as it is. */
  readonly coordinate: Named<CoordinateFunction<Value>>;
  /** What becomes of a new value. @defaultValue by type; `custom`: nothing */
  readonly apply?: Named<ApplyFunction<Value>>;
  readonly adapt?: Adaptation<Value>;
  readonly constraints?: OrchestrationConstraints<Value>;
  readonly access?: OrchestrationAccess;
  /** Milliseconds that deciding and applying may take together. @defaultValue 5000 */
  readonly deadlineMs?: number;
  /** Milliseconds between two coordinations that this node does by itself. @defaultValue none */
  readonly everyMs?: number;
}

/** A variable of whose values nothing is known. */
export type AnyVariable = OrchestrationVariable<OrchestrationType, unknown>;

/** A function, or the name under which it was registered. */
export type Named<Fn> = Fn | string;

export type CoordinateFunction<Value> = (
  context: CoordinateContext<Value>,
) => Value | undefined | Promise<Value | undefined>;

/** What is to be done to go from one value to another. `before` is undefined where nobody knows how agents are. */
export type ApplyFunction<Value> = (
  value: Value,
  before: Value | undefined,
  agents: readonly AgentId[],
) => AgentActions;

/** Says what is wrong with a value. */
export type ConstraintFunction<Value> = (value: Value) => string | undefined;

/** What a function decides on. */
export interface CoordinateContext<Value> {
  readonly id: string;
  readonly value: Value;
  readonly version: number;
  readonly agents: readonly AgentId[];
  /** What `coordinateSystem` was given. */
  readonly context: unknown;
  /** As they were reported last. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly load: SystemLoad;
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
  readonly remainingMs: number;
  /** Holds a session among the agents of the variable, within the time that is left, or less. */
  readonly decide: <Spec, Out>(
    protocol: Protocol<Spec, unknown, unknown, Out>,
    spec: NoInfer<Spec>,
    options?: Partial<Omit<SessionOptions, 'signal'>>,
  ) => Promise<Outcome<Out>>;
}

/** How busy this node is. */
export interface SystemLoad {
  /** Members of the cluster that are up, this one included. */
  readonly nodes: number;
  /** Processes of this node. */
  readonly processes: number;
  /** Bytes of V8's heap in use. */
  readonly heapBytes: number;
}

/** Changes the value when a metric leaves a band. Between `low` and `high` nothing happens. */
export interface Adaptation<Value> extends HysteresisRule {
  /** A metric of `core.report`. */
  readonly metric: string;
  /** Runs once when it is above `high`, and not again before it was below `low`. */
  readonly onHigh: Named<CoordinateFunction<Value>>;
  /** The same below `low`. @defaultValue nothing happens */
  readonly onLow?: Named<CoordinateFunction<Value>>;
}

/** What any new value must keep, however it came about. */
export interface OrchestrationConstraints<Value> {
  /** Agents of the variable that run once the value is applied. */
  readonly agentsMin?: number;
  readonly agentsMax?: number;
  /** `resource_allocation`: the most that all get together. */
  readonly total?: Amount;
  readonly check?: readonly Named<ConstraintFunction<Value>>[];
}

/** Who may read or set a variable in the name of an agent. Code of the node itself says no name and may do both. */
export interface OrchestrationAccess {
  /** @defaultValue everybody */
  readonly read?: readonly AgentId[];
  /** @defaultValue everybody */
  readonly write?: readonly AgentId[];
}

/** What holds where a variable says nothing. */
export const orchestrationDefaults = { scope: 'local', deadlineMs: 5_000 } as const;

/** Most characters of the id of a variable. */
export const orchestrationIdMax = 150;

/** Most agents of one variable. */
export const orchestrationAgentsMax = 10_000;

const fields = [
  'id',
  'type',
  'scope',
  'agents',
  'initial',
  'coordinate',
  'apply',
  'adapt',
  'constraints',
  'access',
  'deadlineMs',
  'everyMs',
];

/** @throws FoundationError `INVALID_OPTION` that names all that is wrong. */
export function checkVariable(variable: unknown): void {
  const problems = isRecord(variable)
    ? problemsOf(variable)
    : [`expected a variable, got ${shown(variable)}`];
  if (problems.length === 0) return;
  const id = isRecord(variable) ? shown(variable['id']) : '';
  throw new FoundationError('INVALID_OPTION', `variable ${id}: ${problems.join('; ')}`, {
    hint: 'Nothing was registered. Correct the fields that are named.',
    details: { problems },
  });
}

function problemsOf(variable: Readonly<Record<string, unknown>>): string[] {
  const { id, type, scope = 'local', agents, deadlineMs = 1, everyMs = 1 } = variable;
  const { initial } = variable;
  const extra = unknownField(variable, fields);
  const canHold = isOneOf(types, type) && isRoster(agents);
  const initialProblem =
    initial === undefined
      ? 'expected a value'
      : canHold && problemOfForm({ type, value: initial, agents });
  return [
    extra !== undefined && `unknown field ${shown(extra)}`,
    !(isName(id) && id.length <= orchestrationIdMax) &&
      `expected \`id\` to be a name of at most ${orchestrationIdMax} characters`,
    !isOneOf(types, type) &&
      `expected \`type\` to be one of ${types.join(', ')}, got ${shown(type)}`,
    !isOneOf(['local', 'cluster'], scope) &&
      `expected \`scope\` to be local or cluster, got ${shown(scope)}`,
    !isRoster(agents) &&
      `expected \`agents\` to be at most ${orchestrationAgentsMax} ids, each once`,
    typeof initialProblem === 'string' && `initial: ${initialProblem}`,
    !isDuration(deadlineMs) && `expected \`deadlineMs\` to be above 0, got ${shown(deadlineMs)}`,
    !isDuration(everyMs) && `expected \`everyMs\` to be above 0, got ${shown(everyMs)}`,
    ...problemsOfFunctions(variable, scope === 'cluster'),
    ...problemsOfAdaptation(variable['adapt']),
    ...problemsOfConstraints(orEmpty(variable['constraints']), type),
    ...problemsOfAccess(orEmpty(variable['access'])),
  ].filter((problem) => problem !== false);
}

/** What is left out is empty; null is not left out. */
function orEmpty(value: unknown): unknown {
  return value === undefined ? {} : value;
}

function problemsOfFunctions(
  { coordinate, apply, adapt, constraints }: Readonly<Record<string, unknown>>,
  isNamed: boolean,
): string[] {
  const { onHigh, onLow } = Object(adapt);
  const { check = [] } = Object(constraints);
  const optional = { apply, 'adapt.onHigh': onHigh, 'adapt.onLow': onLow };
  const given = Object.entries(optional).filter(([, fn]) => fn !== undefined);
  const checks = Array.isArray(check) ? check : [check];
  const all = [['coordinate', coordinate], ...given, ...checks.map((fn) => ['check', fn])] as const;
  const expected = isNamed
    ? 'the name of a registered function, as the variable is of the whole cluster'
    : 'a function, or the name of a registered one';
  return all.flatMap(([field, fn]) =>
    typeof fn === 'string' || (!isNamed && typeof fn === 'function')
      ? []
      : [`expected \`${String(field)}\` to be ${expected}, got ${shown(fn)}`],
  );
}

function problemsOfAdaptation(adapt: unknown): string[] {
  if (adapt === undefined) return [];
  if (!isRecord(adapt)) return [`expected \`adapt\` to be an object, got ${shown(adapt)}`];
  const { metric, high, low, cooldownMs = 0, onHigh } = adapt;
  const extra = unknownField(adapt, ['metric', 'high', 'low', 'cooldownMs', 'onHigh', 'onLow']);
  const isBand = Number.isFinite(high) && Number.isFinite(low) && Number(low) < Number(high);
  return [
    extra !== undefined && `unknown field ${shown(`adapt.${extra}`)}`,
    typeof metric !== 'string' && `expected \`adapt.metric\` to be a text, got ${shown(metric)}`,
    !isBand && `expected \`adapt.low\` below \`adapt.high\`, got ${shown(low)} and ${shown(high)}`,
    !(Number.isFinite(cooldownMs) && Number(cooldownMs) >= 0) &&
      `expected \`adapt.cooldownMs\` to be milliseconds from 0, got ${shown(cooldownMs)}`,
    onHigh === undefined && 'expected `adapt.onHigh`',
  ].filter((problem) => problem !== false);
}

function problemsOfConstraints(constraints: unknown, type: unknown): string[] {
  if (!isRecord(constraints)) return [`expected \`constraints\`, got ${shown(constraints)}`];
  const { agentsMin = 0, agentsMax = Number(agentsMin), total, check = [] } = constraints;
  const extra = unknownField(constraints, ['agentsMin', 'agentsMax', 'total', 'check']);
  return [
    extra !== undefined && `unknown field ${shown(`constraints.${extra}`)}`,
    !isCount(agentsMin) && `expected \`constraints.agentsMin\` from 0, got ${shown(agentsMin)}`,
    !isCount(agentsMax) && `expected \`constraints.agentsMax\` from 0, got ${shown(agentsMax)}`,
    Number(agentsMin) > Number(agentsMax) &&
      `expected \`constraints.agentsMin\` of at most \`agentsMax\`, got ${shown(agentsMin)}`,
    total !== undefined &&
      !(typeof total === 'bigint' && total >= 0n) &&
      `expected \`constraints.total\` to be a bigint from 0, got ${shown(total)}`,
    total !== undefined &&
      type !== 'resource_allocation' &&
      '`constraints.total` is for the type resource_allocation',
    !Array.isArray(check) && `expected \`constraints.check\` to be a list, got ${shown(check)}`,
  ].filter((problem) => problem !== false);
}

function problemsOfAccess(access: unknown): string[] {
  if (!isRecord(access)) return [`expected \`access\` to be an object, got ${shown(access)}`];
  const { read = [], write = [] } = access;
  const extra = unknownField(access, ['read', 'write']);
  return [
    extra !== undefined && `unknown field ${shown(`access.${extra}`)}`,
    !isRoster(read) && 'expected `access.read` to be ids, each once',
    !isRoster(write) && 'expected `access.write` to be ids, each once',
  ].filter((problem) => problem !== false);
}

function isRoster(value: unknown): value is readonly AgentId[] {
  return (
    Array.isArray(value) &&
    value.length <= orchestrationAgentsMax &&
    value.every(isName) &&
    new Set(value).size === value.length
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isDuration(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) > 0 && Number(value) < 2 ** 31;
}

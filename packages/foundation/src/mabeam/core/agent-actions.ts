import { messageOf } from '../../errors.ts';
import { isPlainRecord } from '../../plain.ts';
import type { AgentId } from '../message.ts';
import { isRecord, shown, unknownField } from '../parse.ts';
import type { OrchestrationType, OrchestrationValues } from './orchestration-variable.ts';

/** Fields of an agent's `init`. */
export type Configuration = Readonly<Record<string, unknown>>;

/** What is to be done with agents. Done in this order: configure, start, stop. */
export interface AgentActions {
  /** Fields of its `init` that get another value, by agent. */
  readonly configure?: Readonly<Record<AgentId, Configuration>>;
  readonly start?: readonly AgentId[];
  readonly stop?: readonly AgentId[];
}

/** What agents are started, stopped and configured by. */
export interface AgentControl {
  /** Which of them run, or will without anybody's doing, by the nodes that they are on. */
  running(ids: readonly AgentId[]): Promise<ReadonlySet<AgentId>>;
  start(id: AgentId): Promise<void>;
  stop(id: AgentId): Promise<void>;
  configure(id: AgentId, configuration: Configuration): Promise<void>;
}

/**
 * By the type of a variable, what its value means for its agents. Where nothing is known of how they were before, all
 * are told.
 */
export const actionsByType: {
  readonly [Type in OrchestrationType]: (
    value: OrchestrationValues[Type],
    before: OrchestrationValues[Type] | undefined,
    agents: readonly AgentId[],
  ) => AgentActions;
} = {
  agent_selection(value, _before, agents) {
    const chosen = new Set(value);
    return { start: [...chosen], stop: agents.filter((id) => !chosen.has(id)) };
  },
  resource_allocation: (value, before, agents) => ({
    configure: Object.fromEntries(
      agents
        .filter((id) => before === undefined || unitsOf(value, id) !== unitsOf(before, id))
        .map((id) => [id, { allocation: unitsOf(value, id) }]),
    ),
  }),
  communication_topology: (value, before, agents) => ({
    configure: Object.fromEntries(
      agents
        .filter((id) => before === undefined || hasOtherPeers(value, before, id))
        .map((id) => [id, { peers: peersOf(value, id) }]),
    ),
  }),
  custom: () => ({}),
};

function unitsOf(value: OrchestrationValues['resource_allocation'], id: AgentId): bigint {
  return Object.hasOwn(value, id) ? (value[id] ?? 0n) : 0n;
}

type Topology = OrchestrationValues['communication_topology'];

function peersOf(topology: Topology, id: AgentId): readonly AgentId[] {
  return topology.filter(([from]) => from === id).map(([, to]) => to);
}

function hasOtherPeers(one: Topology, other: Topology, id: AgentId): boolean {
  return JSON.stringify(peersOf(one, id)) !== JSON.stringify(peersOf(other, id));
}

/** What is wrong with actions: they must be known, and about agents of the variable. */
export function problemOfActions(actions: unknown, agents: readonly AgentId[]): string | undefined {
  if (!isPlain(actions)) return `expected \`apply\` to give actions, got ${shown(actions)}`;
  const extra = unknownField(actions, ['configure', 'start', 'stop']);
  if (extra !== undefined) return `\`apply\` gave an unknown action ${shown(extra)}`;
  const { configure = {}, start = [], stop = [] } = actions;
  if (!isRecord(configure) || !Object.values(configure).every(isPlain)) {
    return `expected configurations by agent, got ${shown(configure)}`;
  }
  if (!Array.isArray(start) || !Array.isArray(stop)) {
    return 'expected `start` and `stop` to be lists of ids';
  }
  const known = new Set<unknown>(agents);
  const stranger: unknown = [...Object.keys(configure), ...start, ...stop].find(
    (id) => !known.has(id),
  );
  return stranger === undefined ? undefined : `${shown(stranger)} is none of its agents`;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && isPlainRecord(value);
}

/** Whose number is wanted, and where it begins to matter. */
export interface Count {
  readonly agents: readonly AgentId[];
  readonly control: Pick<AgentControl, 'running'>;
  readonly agentsMin?: number | undefined;
  readonly agentsMax?: number | undefined;
}

/**
 * How many agents of a variable would run after some actions, or at least so many where even all would be within the
 * limits. Only those are asked for of whom the actions do not say it, and only if it matters.
 */
export async function countAfter(
  { start = [], stop = [] }: AgentActions,
  { agents, control, agentsMin = 0, agentsMax = Infinity }: Count,
): Promise<number> {
  const [started, stopped] = [new Set(start), new Set(stop)];
  const left = agents.filter((id) => !stopped.has(id));
  const asked = left.filter((id) => !started.has(id));
  const least = left.length - asked.length;
  if (least >= agentsMin && left.length <= agentsMax) return least;
  return asked.length === 0 ? least : least + (await control.running(asked)).size;
}

/** What undoes one thing that was done. */
interface Undo {
  readonly what: string;
  readonly undo: () => Promise<void>;
}

/** Actions that were done, and can be taken back. */
export interface Applied {
  /** @returns what could not be taken back */
  takeBack(): Promise<readonly string[]>;
}

/** How long actions may take. */
export interface ActionLimits {
  /** Aborted when they are not wanted any more. */
  readonly signal: AbortSignal;
  /** Gives up on something that is taken back, when it takes too long. */
  readonly grace: (work: Promise<void>) => Promise<void>;
}

/**
 * Does all, or nothing: after the first action that fails, and once `signal` is aborted, what was done is taken back, the
 * last first. What was under way when it was aborted counts as done.
 *
 * @param back - What leads back: the configurations of before are taken from it.
 * @throws Error that names the action that failed, and those that could not be taken back.
 */
// oxlint-disable-next-line max-params -- there, back, by whom, until when
export async function carryOut(
  actions: AgentActions,
  back: AgentActions,
  control: AgentControl,
  limits: ActionLimits,
): Promise<Applied> {
  const done: Undo[] = [];
  const { signal } = limits;
  for (const { what, isDone, act, undo } of stepsOf(actions, back, control)) {
    try {
      signal.throwIfAborted();
      if (await unlessAborted(signal, isDone)) continue;
      const acting = act();
      acting.catch(() => undefined);
      try {
        await unlessAborted(signal, () => acting);
        done.push({ what, undo });
      } catch (error) {
        if (signal.aborted) done.push({ what, undo });
        throw error;
      }
    } catch (error) {
      const lost = await takeBack(done, limits);
      const rest = lost.length === 0 ? '' : `; could not be taken back: ${lost.join(', ')}`;
      throw new Error(`${what}: ${messageOf(error)}${rest}`, { cause: error });
    }
  }
  return { takeBack: () => takeBack(done, limits) };
}

async function takeBack(done: Undo[], { grace }: ActionLimits): Promise<readonly string[]> {
  const lost: string[] = [];
  for (let last = done.pop(); last !== undefined; last = done.pop()) {
    const { what, undo } = last;
    await grace(undo()).catch((error: unknown) => lost.push(`${what} (${messageOf(error)})`));
  }
  return lost;
}

/** What `work` comes to, unless it is not wanted any more. */
export async function unlessAborted<T>(
  signal: AbortSignal,
  work: () => T | Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, (async () => work())()]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Action extends Undo {
  /** Whether it was so before. */
  readonly isDone: () => Promise<boolean>;
  readonly act: () => Promise<void>;
}

function stepsOf(
  { configure = {}, start = [], stop = [] }: AgentActions,
  { configure: before = {} }: AgentActions,
  control: AgentControl,
): readonly Action[] {
  const isUp = async (id: AgentId): Promise<boolean> => (await control.running([id])).has(id);
  return [
    ...Object.entries(configure).map(([id, configuration]) => ({
      what: `configure ${id}`,
      isDone: () => Promise.resolve(false),
      act: () => control.configure(id, configuration),
      async undo() {
        const back = Object.hasOwn(before, id) ? before[id] : undefined;
        if (back === undefined) throw new Error('what it was before is not known');
        await control.configure(id, back);
      },
    })),
    ...start.map((id) => ({
      what: `start ${id}`,
      isDone: () => isUp(id),
      act: () => control.start(id),
      undo: () => control.stop(id),
    })),
    ...stop.map((id) => ({
      what: `stop ${id}`,
      isDone: async () => !(await isUp(id)),
      act: () => control.stop(id),
      undo: () => control.start(id),
    })),
  ];
}

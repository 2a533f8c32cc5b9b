import { messageOf } from '../../errors.ts';
import type { AgentId } from '../message.ts';
import type { OrchestrationType, OrchestrationValues } from './orchestration-variable.ts';

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
  isActive(id: AgentId): boolean;
  start(id: AgentId): Promise<void>;
  stop(id: AgentId): Promise<void>;
  configure(id: AgentId, configuration: Configuration): Promise<void>;
}

/** By the type of a variable, what its value means for its agents. */
export const actionsByType: {
  readonly [Type in OrchestrationType]: (
    value: OrchestrationValues[Type],
    before: OrchestrationValues[Type],
    agents: readonly AgentId[],
  ) => AgentActions;
} = {
  agent_selection: (value, _before, agents) => ({
    start: value,
    stop: agents.filter((id) => !value.includes(id)),
  }),
  resource_allocation: (value, before, agents) => ({
    configure: Object.fromEntries(
      agents
        .filter((id) => value[id] !== before[id])
        .map((id) => [id, { allocation: value[id] ?? 0n }]),
    ),
  }),
  communication_topology: (value, before, agents) => ({
    configure: Object.fromEntries(
      agents
        .filter((id) => peersOf(value, id).join() !== peersOf(before, id).join())
        .map((id) => [id, { peers: peersOf(value, id) }]),
    ),
  }),
  custom: () => ({}),
};

type Topology = OrchestrationValues['communication_topology'];

function peersOf(topology: Topology, id: AgentId): readonly AgentId[] {
  return topology.filter(([from]) => from === id).map(([, to]) => to);
}

/** What undoes one thing that was done. */
interface Undo {
  readonly what: string;
  readonly undo: () => Promise<void>;
}

/** Agents after a change, as they would be. */
export function activeAfter(
  { start = [], stop = [] }: AgentActions,
  agents: readonly AgentId[],
  control: Pick<AgentControl, 'isActive'>,
): readonly AgentId[] {
  const [started, stopped] = [new Set(start), new Set(stop)];
  return agents.filter((id) => !stopped.has(id) && (started.has(id) || control.isActive(id)));
}

/** Actions that were done, and can be taken back. */
export interface Applied {
  /** @returns what could not be taken back */
  takeBack(): Promise<readonly string[]>;
}

/**
 * Does all, or nothing: after the first action that fails, and once `signal` is aborted, what was done is taken back, the
 * last first.
 *
 * @param back - What leads back: the configurations of before are taken from it.
 * @throws Error that names the action that failed, and those that could not be taken back.
 */
// oxlint-disable-next-line max-params -- there, back, by whom, until when
export async function carryOut(
  actions: AgentActions,
  back: AgentActions,
  control: AgentControl,
  signal: AbortSignal,
): Promise<Applied> {
  const done: Undo[] = [];
  for (const { what, act } of stepsOf(actions, back, control)) {
    try {
      signal.throwIfAborted();
      const undo = await act();
      if (undo !== undefined) done.push({ what, undo });
    } catch (error) {
      const lost = await takeBack(done);
      const rest = lost.length === 0 ? '' : `; could not be taken back: ${lost.join(', ')}`;
      throw new Error(`${what}: ${messageOf(error)}${rest}`, { cause: error });
    }
  }
  return { takeBack: () => takeBack(done) };
}

async function takeBack(done: Undo[]): Promise<readonly string[]> {
  const lost: string[] = [];
  for (let last = done.pop(); last !== undefined; last = done.pop()) {
    const { what } = last;
    await last.undo().catch((error: unknown) => lost.push(`${what} (${messageOf(error)})`));
  }
  return lost;
}

interface Action {
  readonly what: string;
  /** Gives what undoes it; undefined when it was so before. */
  readonly act: () => Promise<Undo['undo'] | undefined>;
}

function stepsOf(
  { configure = {}, start = [], stop = [] }: AgentActions,
  { configure: before = {} }: AgentActions,
  control: AgentControl,
): readonly Action[] {
  return [
    ...Object.entries(configure).map(([id, configuration]) => ({
      what: `configure ${id}`,
      act: async () => {
        await control.configure(id, configuration);
        return async () => {
          const back = before[id];
          if (back === undefined) throw new Error('what it was before is not known');
          await control.configure(id, back);
        };
      },
    })),
    ...start.map((id) => ({
      what: `start ${id}`,
      act: async () => {
        if (control.isActive(id)) return undefined;
        await control.start(id);
        return () => control.stop(id);
      },
    })),
    ...stop.map((id) => ({
      what: `stop ${id}`,
      act: async () => {
        if (!control.isActive(id)) return undefined;
        await control.stop(id);
        return () => control.start(id);
      },
    })),
  ];
}

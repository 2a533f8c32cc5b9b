import type { StandardSchemaV1 } from '@standard-schema/spec';

import { FoundationError } from '../errors.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import type { ProcessManager } from '../placement/process-manager.ts';
import type { Definition } from '../process/definition.ts';
import { complaint } from '../process/process-errors.ts';
import type { Client } from '../process/ref-types.ts';
import type { AgentDirectory, AgentEvent } from './agent-directory.ts';
import { nameTaken, unknownAgent } from './agent-host.ts';
import { isUsage, type AgentInfo, type AgentUsage } from './agent-info.ts';
import type { AgentOrder, OrderToAgent } from './agent-order.ts';
import { checkCriteria, meets, type AgentCriteria } from './agent-query.ts';
import {
  checkChanges,
  resolveAgentRegistration,
  type AgentChanges,
  type AgentRegistration,
} from './agent-registration.ts';
import { isUp } from './agent-state.ts';
import type { AgentId } from './message.ts';

/** How a change is made. */
export interface UpdateOptions {
  /** Checks the new `init` before anything happens; what it makes of it is what the agent gets. */
  readonly schema?: StandardSchemaV1;
  /** The call of the agent's process that takes a new `init`; it must be one. @defaultValue 'configure', if it is one */
  readonly call?: string;
  /** Milliseconds that this call may take. @defaultValue 5000 */
  readonly timeoutMs?: number;
}

/** How many are started. */
export interface StartAllOptions {
  /** Starts that are under way at a time. @defaultValue 16 */
  readonly concurrency?: number;
}

/** What became of many starts. */
export interface StartedAgents {
  readonly started: readonly AgentId[];
  readonly failed: readonly { readonly id: AgentId; readonly error: unknown }[];
}

export interface AgentRegistryParts {
  readonly node: string;
  readonly processes: Pick<ProcessManager, 'named'>;
  readonly directory: AgentDirectory;
  /** Address of a process of that name, in whatever layer it was started. */
  readonly holder: (name: string) => { readonly node: string } | undefined;
  /** Has a node carry out an order, perhaps this one. @throws FoundationError `NODE_UNREACHABLE` */
  readonly send: (node: string, order: AgentOrder) => Promise<unknown>;
  /** The nodes of now. */
  readonly nodes: () => readonly string[];
}

/** `node.mabeam.agents`: processes registered as agents, on whatever node, each with a supervisor of its own. */
export class AgentRegistry {
  readonly #parts: AgentRegistryParts;

  constructor(parts: AgentRegistryParts) {
    this.#parts = parts;
  }

  // ── to have agents ─────────────────────────────────────────────────────────

  /**
   * Registers an agent on a node, known to all others, and starts it there under the name `id` unless `start` is false.
   * Its supervisor keeps it alive as `restart` says. An agent that does not start is not registered.
   *
   * @throws FoundationError `INVALID_OPTION` naming every bad field, `NAME_TAKEN`, `REFUSED` or `START_FAILED`; of
   * another node also `NODE_UNREACHABLE`, `UNKNOWN_DEFINITION`, `NOT_SERIALIZABLE`
   */
  async register<I, A>(
    id: AgentId,
    registration: AgentRegistration<Definition<I, A>, I>,
  ): Promise<Client<A>> {
    const { process, node = this.#parts.node } = resolveAgentRegistration(id, registration);
    // A singleton may be registered by every node: the first one starts it.
    const holder = registration.strategy === 'singleton' ? undefined : this.#holder(id);
    if (holder !== undefined) throw nameTaken(id, holder);
    await this.#parts.send(node, { kind: 'register', id, registration });
    return this.#parts.processes.named(process, id);
  }

  #holder(id: AgentId): string | undefined {
    const known = this.#parts.directory.get(id);
    const isThere = known !== undefined && known.status !== 'lost';
    return isThere ? known.node : this.#parts.holder(id)?.node;
  }

  /**
   * Starts an agent that is registered, or has failed; one that is up is left alone.
   *
   * @throws FoundationError `UNKNOWN_AGENT`, `REFUSED`, `START_FAILED`, `NODE_UNREACHABLE`
   */
  async start(id: AgentId): Promise<void> {
    await this.#order({ kind: 'start', id });
  }

  /** Starts agents side by side, by default all that are registered and not up; what fails is told for each. */
  async startAll(
    ids: readonly AgentId[] = this.#waiting(),
    options: StartAllOptions = {},
  ): Promise<StartedAgents> {
    refuseUnknown('agents.startAll', options, ['concurrency']);
    const { concurrency = 16 } = options;
    checkNumber('agents.startAll', { concurrency }, { min: 1, integer: true });
    const started: AgentId[] = [];
    const failed: { id: AgentId; error: unknown }[] = [];
    const entries = ids.values();
    const work = async (): Promise<void> => {
      for (const id of entries) {
        try {
          await this.start(id);
          started.push(id);
        } catch (error) {
          failed.push({ id, error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, ids.length) }, work));
    return { started, failed };
  }

  #waiting(): readonly AgentId[] {
    return this.find({ status: 'registered' }).map(({ id }) => id);
  }

  /** Ends an agent, which stays registered. @throws FoundationError `UNKNOWN_AGENT`, `NODE_UNREACHABLE` */
  async stop(id: AgentId): Promise<void> {
    await this.#order({ kind: 'stop', id });
  }

  /**
   * Ends an agent, if it is up, and starts it; restarts of the past do not count any more.
   *
   * @throws FoundationError `UNKNOWN_AGENT`, `REFUSED`, `START_FAILED`, `NODE_UNREACHABLE`
   */
  async restart(id: AgentId): Promise<void> {
    await this.#order({ kind: 'restart', id });
  }

  /**
   * Ends an agent for good, and forgets it. Of one that was lost the nodes of now let go.
   *
   * @throws FoundationError `UNKNOWN_AGENT`, `NODE_UNREACHABLE`
   */
  async deregister(id: AgentId): Promise<void> {
    if (this.#known(id).status !== 'lost')
      return void (await this.#order({ kind: 'deregister', id }));
    const told = this.#parts.nodes().map((node) => this.#parts.send(node, { kind: 'forget', id }));
    // One that does not hear of it remembers no more than a name.
    await Promise.allSettled(told);
  }

  /**
   * Changes an agent while it runs. A new `init` is checked by `schema`, then given to its process by the call `configure`,
   * which may have a schema of its own and may refuse; without such a call, where none is named, the agent is restarted
   * with it. When that goes wrong in any way the agent goes on as it was, if it crashed after a restart.
   *
   * @throws FoundationError `UPDATE_REJECTED` with the reason as its cause, `INVALID_OPTION`, `UNKNOWN_AGENT`,
   * `NODE_UNREACHABLE`
   */
  async update(id: AgentId, changes: AgentChanges, options: UpdateOptions = {}): Promise<void> {
    refuseUnknown('agents.update', options, ['schema', 'call', 'timeoutMs']);
    const { schema, call, timeoutMs = 5_000 } = options;
    checkNumber('agents.update', { timeoutMs }, { above: 0 });
    if (call !== undefined && typeof call !== 'string') {
      throw invalidOption('agents.update', { call }, 'the name of a call');
    }
    checkChanges(id, changes);
    if (schema !== undefined && changes.configuration !== undefined) {
      throw invalidOption(
        'agents.update',
        { schema: 'a schema' },
        'none with `configuration`, as it checks a whole `init`',
      );
    }
    const isChecked = schema !== undefined && 'init' in changes;
    const init = isChecked ? await validated(id, schema, changes.init) : changes.init;
    const checked = 'init' in changes ? { ...changes, init } : changes;
    const terms = call === undefined ? { timeoutMs } : { call, timeoutMs };
    await this.#order({ kind: 'update', id, changes: checked, ...terms });
  }

  // ── to look at them ────────────────────────────────────────────────────────

  /** What this node knows of an agent, wherever it is. */
  get(id: AgentId): AgentInfo | undefined {
    return this.#parts.directory.get(id);
  }

  /**
   * The agents of the cluster of which all holds that is given, by id. Lost ones are among them.
   *
   * @throws FoundationError `INVALID_OPTION` for a criterion that is none
   */
  find(criteria: AgentCriteria = {}): readonly AgentInfo[] {
    checkCriteria(criteria);
    return this.#parts.directory.all().filter((agent) => meets(agent, criteria));
  }

  /** What an agent uses; undefined while it does not run. @throws FoundationError `UNKNOWN_AGENT`, `UNRESPONSIVE` */
  async usage(id: AgentId): Promise<AgentUsage | undefined> {
    const usage = await this.#order({ kind: 'usage', id });
    if (usage === undefined || isUsage(usage)) return usage;
    throw new FoundationError('MALFORMED', `a node told of no usage of "${id}"`);
  }

  /**
   * Which of some agents run, or will without anybody's doing, by the nodes that they are on: each of these is asked once.
   * Of a node that gives no answer it is what this one knows.
   */
  async running(ids: readonly AgentId[]): Promise<ReadonlySet<AgentId>> {
    const known = ids.flatMap((id) => this.#parts.directory.get(id) ?? []);
    const there = known.filter(({ status }) => status !== 'lost');
    const byNode = Map.groupBy(there, ({ node }) => node);
    const told = [...byNode].map(async ([node, agents]) => {
      const asked = agents.map(({ id }) => id);
      const up = agents.filter(({ status }) => isUp(status)).map(({ id }) => id);
      const answer = await this.#parts.send(node, { kind: 'running', ids: asked }).catch(() => up);
      if (!Array.isArray(answer)) return up;
      const running = new Set<unknown>(answer);
      return asked.filter((id) => running.has(id));
    });
    return new Set((await Promise.all(told)).flat());
  }

  /** Runs when something has happened to an agent, wherever it is. */
  onEvent(listener: (event: AgentEvent) => void): Disposable {
    return this.#parts.directory.onEvent(listener);
  }

  #known(id: AgentId): AgentInfo {
    const agent = this.#parts.directory.get(id);
    if (agent === undefined) throw unknownAgent(id);
    return agent;
  }

  async #order(
    order: OrderToAgent | { readonly kind: 'usage'; readonly id: AgentId },
  ): Promise<unknown> {
    const { node, status } = this.#known(order.id);
    if (status === 'lost') throw gone(order.id, node);
    return this.#parts.send(node, order);
  }
}

async function validated(id: AgentId, schema: StandardSchemaV1, init: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(init);
  if (result.issues === undefined) return result.value;
  const { why, plain } = complaint(result.issues);
  throw new FoundationError('UPDATE_REJECTED', `"${id}": its schema refuses the change: ${why}`, {
    hint: 'Give what the schema asks for. Nothing has changed.',
    details: { id, issues: plain },
  });
}

function gone(id: AgentId, node: string): FoundationError {
  return new FoundationError('NODE_UNREACHABLE', `"${id}" was lost with its node ${node}`, {
    hint: 'Register it again, on this node or another one. Nothing was done.',
    details: { id, node },
  });
}

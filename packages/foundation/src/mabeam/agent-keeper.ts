import type { Behaviour } from '../process/behaviour.ts';
import type { ChildInfo, ChildSpec } from '../process/child.ts';
import type { AnyDefinition } from '../process/definition.ts';
import type { Process } from '../process/process.ts';
import { RefCore } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import type { ResolvedAgentRegistration } from './agent-registration.ts';
import type { AgentId } from './message.ts';

export interface KeeperParts {
  readonly runtime: Runtime;
  readonly processes: {
    keepHere(
      spec: ChildSpec,
      how: { readonly rules: object; readonly onChange: (child: ChildInfo) => void },
    ): Promise<Process>;
  };
}

/** Whom to keep. */
export interface KeptAgent {
  readonly id: AgentId;
  readonly behaviour: Behaviour;
  /** What holds now: each life begins with what is registered then. */
  readonly registered: () => ResolvedAgentRegistration<AnyDefinition>;
  readonly onChange: (child: ChildInfo) => void;
}

/** The longest that a call may wait: what a process does at its start may have no limit. */
const longestMs = 2 ** 31 - 1;

/** The supervisor of one agent, which stays when the agent has ended, or has failed too often. */
export class AgentKeeper {
  readonly #runtime: Runtime;
  readonly #id: AgentId;
  readonly #process: Process;

  private constructor(runtime: Runtime, id: AgentId, process: Process) {
    this.#runtime = runtime;
    this.#id = id;
    this.#process = process;
  }

  /** Makes it; the agent itself is not started yet. */
  static async make({ runtime, processes }: KeeperParts, agent: KeptAgent): Promise<AgentKeeper> {
    const { restartsMax, restartWindowMs, type } = agent.registered().restart;
    const rules = {
      // Whoever is never started again has failed with the first crash.
      restartsMax: type === 'temporary' ? 0 : restartsMax,
      restartWindowMs,
      onExceeded: 'quarantine',
    };
    const { onChange } = agent;
    const process = await processes.keepHere(specOf(agent), { rules, onChange });
    return new AgentKeeper(runtime, agent.id, process);
  }

  get isAlive(): boolean {
    return this.#process.isAlive;
  }

  /** Its place in the registry. */
  get serial(): number {
    return this.#process.pid.serial;
  }

  onEnded(action: () => void): void {
    this.#process.onEnded(action);
  }

  /** @throws FoundationError `START_FAILED`, `REFUSED`, `NAME_TAKEN` */
  async restart(): Promise<void> {
    await this.#ask('restart');
  }

  async stop(): Promise<void> {
    await this.#ask('stop');
  }

  /** Ends it with its agent. */
  async end(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process.onEnded(resolve);
    this.#runtime.signal(this.#process.pid, { kind: 'stop', exit: { reason: 'normal' } });
    await promise;
  }

  #ask(what: 'restart' | 'stop'): Promise<unknown> {
    const { behaviour, pid } = this.#process;
    const how = { pid, timeoutMs: longestMs };
    return new RefCore(this.#runtime, behaviour, how).call(what, [this.#id], undefined);
  }
}

function specOf({ id, behaviour, registered }: KeptAgent): ChildSpec {
  const { type } = registered().restart;
  const options = {
    name: id,
    restart: type === 'temporary' ? 'transient' : type,
    get init() {
      return registered().init;
    },
    get capabilities() {
      return registered().capabilities;
    },
    get metadata() {
      return registered().metadata;
    },
  } as const;
  return { definition: behaviour, options };
}

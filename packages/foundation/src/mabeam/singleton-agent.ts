import type { Clock } from '../clock.ts';
import { runForNobody } from '../context/scope.ts';
import { isFoundationError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import type { ProcessManager } from '../placement/process-manager.ts';
import type { Singletons } from '../placement/singletons.ts';
import type { Behaviour } from '../process/behaviour.ts';
import { checkMetadata } from '../process/listing-check.ts';
import type { Pid } from '../process/pid.ts';
import { RefCore } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Registry } from '../registry/registry.ts';
import { unknownAgent, type OrderedAgent } from './agent-host.ts';
import { aboutSingleton, agentOfSingleton, type AgentInfo } from './agent-info.ts';
import {
  refuseProblems,
  resolveAgentRegistration,
  type AgentChanges,
  type ResolvedAgentRegistration,
} from './agent-registration.ts';
import type { AgentStatus } from './agent-state.ts';
import type { AgentId } from './message.ts';

export interface SingletonAgentParts {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly processes: Pick<ProcessManager, 'end'>;
  readonly singletons: Pick<Singletons, 'stop' | 'restart' | 'end'>;
}

type Registration = ResolvedAgentRegistration<Behaviour>;

/** What of a record changes when something is done with its agent. */
type Facts = Pick<
  AgentInfo,
  'type' | 'capabilities' | 'protocols' | 'resources' | 'metadata' | 'version' | 'since'
>;

/** Milliseconds that one has to end for good. */
const endMs = 10_000;

/**
 * A singleton of this node as an agent. All that is known of it stands in its record, which every node has: an heir goes
 * on with that, or leaves it stopped.
 */
export class SingletonAgent implements OrderedAgent {
  readonly id: AgentId;
  readonly behaviour: Behaviour;
  readonly #parts: SingletonAgentParts;
  #last: Promise<unknown> = Promise.resolve();
  #turns = 0;

  /** @throws FoundationError `UNKNOWN_AGENT` where it is none of this node */
  constructor(id: AgentId, parts: SingletonAgentParts) {
    this.id = id;
    this.#parts = parts;
    const behaviour = parts.runtime.definition(this.#record.process);
    if (behaviour === undefined) throw unknownAgent(id);
    this.behaviour = behaviour;
  }

  get #record(): SingletonRecord {
    const { runtime, registry } = this.#parts;
    const record = registry.singletons(runtime.name).find(({ name }) => name === this.id);
    if (record === undefined) throw unknownAgent(this.id);
    return record;
  }

  get #info(): AgentInfo {
    const info = agentOfSingleton(this.#parts.runtime.name, this.#record);
    if (info === undefined) throw unknownAgent(this.id);
    return info;
  }

  /** Address of its process, where that runs here. */
  get pid(): Pid | undefined {
    const { runtime, registry } = this.#parts;
    const holder = registry.lookup(this.id);
    return holder?.node === runtime.name ? holder : undefined;
  }

  get registration(): Registration {
    const { type, capabilities, protocols, resources, metadata } = this.#info;
    const { behaviour: process, id } = this;
    const { init } = this.#record;
    const facts = { type, capabilities, protocols, resources, metadata };
    return resolveAgentRegistration(id, { process, init, strategy: 'singleton', ...facts });
  }

  // ── its life ───────────────────────────────────────────────────────────────

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#turns++;
    const done = this.#last.then(() => runForNobody(work)).finally(() => this.#turns--);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Whether nothing is asked of it. */
  get isIdle(): boolean {
    return this.#turns === 0;
  }

  async start(): Promise<void> {
    if (this.#record.isStopped === true) await this.restart();
  }

  async stop(): Promise<void> {
    if (this.#record.isStopped !== true) await this.#parts.singletons.stop(this.#from(this.#now()));
  }

  restart(): Promise<void> {
    return this.#parts.singletons.restart(this.#from(this.#now()));
  }

  async end(): Promise<void> {
    const { processes, singletons } = this.#parts;
    const ending = { reason: 'normal', timeoutMs: endMs } as const;
    await singletons.end(this.id, async () => {
      try {
        await processes.end({ pid: undefined, name: this.id }, ending);
      } catch (error) {
        // One that was stopped, or is between two lives, has none.
        if (!(isFoundationError(error) && error.code === 'NO_PROCESS')) throw error;
      }
    });
  }

  async settled(limitMs: number): Promise<AgentStatus> {
    if (this.#record.isStopped === true) return 'registered';
    const { registry, clock } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(limitMs, resolve);
    using _watch = registry.onChange(() => void (this.pid !== undefined && resolve()));
    if (this.pid === undefined) await promise;
    timer.cancel();
    return this.pid === undefined ? 'restarting' : 'active';
  }

  call(name: string, args: readonly unknown[], timeoutMs: number): Promise<unknown> {
    const how = { pid: this.pid, timeoutMs };
    return new RefCore(this.#parts.runtime, this.behaviour, how).call(name, args, undefined);
  }

  // ── its configuration ──────────────────────────────────────────────────────

  /** @throws FoundationError `INVALID_OPTION`, `NOT_SERIALIZABLE` */
  check(registration: Registration): void {
    const { codec } = this.#parts.runtime;
    const { about, listing } = this.#from(registration);
    checkMetadata(codec, { metadata: about });
    checkMetadata(codec, listing);
  }

  changedBy({ init: _init, health, ...facts }: AgentChanges): Registration {
    refuseProblems(
      this.id,
      health === undefined ? [] : ['expected no `health`: a singleton has none'],
    );
    return withDefaults<Registration>(this.registration, facts);
  }

  set init(init: unknown) {
    this.#parts.registry.keepSingleton({ ...this.#record, init });
  }

  change(changes: AgentChanges): void {
    const { registry } = this.#parts;
    const { version } = this.#info;
    const record = this.#from({ ...this.changedBy(changes), version: version + 1 });
    registry.keepSingleton(record);
    const { pid, behaviour, id: name } = this;
    const isListed = changes.capabilities !== undefined || changes.metadata !== undefined;
    // Who is entered anew may lose its name after a split: no more often than needed.
    if (pid !== undefined && isListed) {
      registry.register(pid.serial, behaviour.name, { name, ...record.listing });
    }
  }

  #now(): Pick<Facts, 'since'> {
    return { since: this.#parts.clock.wallNow() };
  }

  /** Its record with other facts. */
  #from(changed: Partial<Facts>): SingletonRecord {
    const { node: _node, pid: _pid, strategy: _strategy, ...entry } = this.#info;
    const { type, capabilities, protocols, resources, metadata, version, since } = {
      ...entry,
      ...changed,
    };
    const facts = { type, protocols, resources, version, since };
    const about = aboutSingleton({ ...entry, ...facts, status: 'active' });
    return { ...this.#record, about, listing: { capabilities, metadata } };
  }
}

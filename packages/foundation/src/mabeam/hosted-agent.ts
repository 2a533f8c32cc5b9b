import { runForNobody } from '../context/scope.ts';
import { withDefaults } from '../options.ts';
import { withOwnLimits, type Behaviour } from '../process/behaviour.ts';
import type { ChildInfo } from '../process/child.ts';
import type { AnyDefinition } from '../process/definition.ts';
import { checkMetadata } from '../process/listing-check.ts';
import type { Pid } from '../process/pid.ts';
import { RefCore } from '../process/ref.ts';
import type { Registry } from '../registry/registry.ts';
import { checkFit } from './agent-fit.ts';
import { unknownHealth, type HealthState } from './agent-health-state.ts';
import { agentEntry, factsOf, type AgentEntry, type AgentUsage } from './agent-info.ts';
import { AgentKeeper, type KeeperParts } from './agent-keeper.ts';
import type { MeterParts } from './agent-meter.ts';
import type { AgentChanges, ResolvedAgentRegistration } from './agent-registration.ts';
import { agentStatusAfter, isUp, type AgentStatus, type AgentStep } from './agent-state.ts';
import { AgentWatch } from './agent-watch.ts';
import type { AgentId } from './message.ts';

export interface HostParts extends MeterParts, Pick<KeeperParts, 'runtime'> {
  readonly processes: MeterParts['processes'] &
    KeeperParts['processes'] & {
      kill(pid: Pid): void;
    };
  readonly registry: Pick<Registry, 'register'>;
}

type Registration = ResolvedAgentRegistration<AnyDefinition>;

/** An agent of this node: a supervisor of its own, and what is known of it. */
export class HostedAgent {
  readonly id: AgentId;
  readonly behaviour: Behaviour;
  readonly #parts: HostParts;
  #registration: Registration;
  #keeper: AgentKeeper | undefined;
  #child: ChildInfo | undefined;
  #status: AgentStatus = 'registered';
  #since: number;
  #version = 0;
  #health = unknownHealth;
  /** Those that its supervisor has seen to, not those by hand. */
  #restarts = 0;
  /** For what the life before was ended, until another one is there. */
  #fault: string | undefined;
  /** Of the life at hand. */
  #watch: AgentWatch | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  constructor(parts: HostParts, id: AgentId, registration: Registration) {
    this.id = id;
    this.#parts = parts;
    this.#registration = registration;
    this.#since = parts.clock.wallNow();
    const { memoryMb, mailboxMax, messagesPerSecond } = registration.limits;
    const behaviour = parts.runtime.define(registration.process);
    const threadMemoryMb = behaviour.spec.isolation === 'thread' ? memoryMb : undefined;
    const own = { mailboxMax, messagesPerSecond, threadMemoryMb };
    const isPlain = Object.values(own).every((each) => each === undefined);
    this.behaviour = isPlain ? behaviour : withOwnLimits(behaviour, own);
  }

  get status(): AgentStatus {
    return this.#status;
  }

  get registration(): Registration {
    return this.#registration;
  }

  /** Address of its process, where that runs. */
  get pid(): Pid | undefined {
    return this.#child?.pid;
  }

  #entryOf(registration: Registration): AgentEntry {
    const { health, problem = this.#fault } = this.#health;
    const { lastExit } = this.#child ?? {};
    return {
      id: this.id,
      ...factsOf(registration),
      status: this.#status,
      health,
      ...(problem === undefined ? {} : { problem }),
      restarts: this.#restarts,
      ...(lastExit === undefined ? {} : { lastExit }),
      version: this.#version,
      since: this.#since,
    };
  }

  /**
   * Checks what it is registered as, or would be.
   *
   * @throws FoundationError `INVALID_OPTION`, `NOT_SERIALIZABLE`
   */
  check(registration: Registration = this.#registration): void {
    checkFit(this, registration);
    const metadata = { ...this.#entryOf(registration) };
    checkMetadata(this.#parts.runtime.codec, { metadata });
  }

  // ── its life ───────────────────────────────────────────────────────────────

  /** Makes its supervisor; the agent itself is not started yet. */
  async keep(onEnded: () => void): Promise<void> {
    this.#keeper = await AgentKeeper.make(this.#parts, {
      id: this.id,
      behaviour: this.behaviour,
      registered: () => this.#registration,
      onChange: (child) => this.#onChange(child),
    });
    this.#keeper.onEnded(() => {
      this.#endLife();
      this.#wake();
      onEnded();
    });
    this.#publish();
  }

  /** Does one thing after the other: what is asked of an agent at the same time waits. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => runForNobody(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** @throws FoundationError `START_FAILED`, `REFUSED`, `NAME_TAKEN` */
  async start(): Promise<void> {
    if (isUp(this.#status)) return;
    this.#take('start');
    await this.#keeper?.restart();
  }

  async stop(): Promise<void> {
    if (!isUp(this.#status)) return;
    this.#take('stop');
    await this.#keeper?.stop();
  }

  /** Ends it, if it runs, and starts it. @throws what {@link start} throws */
  async restart(): Promise<void> {
    this.#take(isUp(this.#status) ? 'stop' : 'start');
    await this.#keeper?.restart();
  }

  /** Ends it for good, with its supervisor. */
  async end(): Promise<void> {
    const keeper = this.#keeper;
    if (keeper?.isAlive !== true) return;
    if (isUp(this.#status)) this.#take('stop');
    await keeper.end();
  }

  /** Ends the life at hand at once; its restart policy decides what comes next. */
  kill(): void {
    if (this.pid !== undefined) this.#parts.processes.kill(this.pid);
  }

  /** Resolves when it is on its way to nothing else, at the latest after `limitMs`. */
  async settled(limitMs: number): Promise<AgentStatus> {
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(limitMs, resolve);
    let isOver = false;
    void limit.then(() => (isOver = true));
    while (!isOver && isUp(this.#status) && this.#status !== 'active') {
      const changed = new Promise<void>((wake) => this.#waiting.add(wake));
      await Promise.race([changed, limit]);
    }
    timer.cancel();
    return this.#status;
  }

  /** Makes a call to its process. */
  call(name: string, args: readonly unknown[], timeoutMs: number): Promise<unknown> {
    const how = { pid: this.pid, timeoutMs };
    return new RefCore(this.#parts.runtime, this.behaviour, how).call(name, args, undefined);
  }

  #onChange(child: ChildInfo): void {
    this.#child = child;
    if (child.status === 'starting' && this.#status === 'restarting') this.#restarts++;
    const wasActive = this.#status === 'active';
    this.#take(this.#stepTo(child));
    if (this.#status === 'active' && !wasActive) this.#beginLife();
  }

  #stepTo({ status }: ChildInfo): AgentStep {
    switch (status) {
      case 'starting':
        return 'start';
      case 'running':
        return 'started';
      case 'waiting':
        return 'crashed';
      case 'quarantined':
        return this.#registration.restart.type === 'temporary' ? 'broke' : 'gave-up';
      case 'stopped':
        if (this.#status === 'stopping') return 'stopped';
        return this.#status === 'active' ? 'ended' : 'start-failed';
    }
  }

  #take(step: AgentStep): void {
    const before = this.#status;
    this.#status = agentStatusAfter(before, step);
    if (this.#status !== before) this.#since = this.#parts.clock.wallNow();
    if (this.#status !== 'active') this.#endLife();
    if (!hasFailed(this.#status)) this.#fault = undefined;
    this.#publish();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Tells every node. */
  #publish(): void {
    if (this.#keeper?.isAlive !== true) return;
    const { serial } = this.#keeper;
    this.#parts.registry.register(serial, agentEntry, {
      metadata: { ...this.#entryOf(this.#registration) },
    });
  }

  // ── its configuration ──────────────────────────────────────────────────────

  /** What the next life begins with. */
  set init(init: unknown) {
    this.#registration = { ...this.#registration, init };
  }

  /** What it would be registered as, but for its `init`. */
  changedBy({ init: _init, health, ...facts }: AgentChanges): Registration {
    const before = this.#registration;
    const call = health?.call ?? before.health.call;
    const rules = withDefaults(before.health, health ?? {});
    return {
      ...withDefaults<Registration>(before, facts),
      health: { ...rules, ...(call === undefined ? {} : { call }) },
    };
  }

  /** Takes what others know of it, at once. */
  change(changes: AgentChanges): void {
    const { health } = changes;
    this.#registration = this.changedBy(changes);
    this.#version++;
    const { pid } = this;
    const { capabilities, metadata } = this.#registration;
    const listing = { name: this.id, capabilities, metadata };
    if (pid !== undefined) this.#parts.registry.register(pid.serial, this.behaviour.name, listing);
    if (health !== undefined) this.#watch?.schedule();
    this.#publish();
  }

  // ── its health ─────────────────────────────────────────────────────────────

  /** What it uses; undefined while it does not run. @throws FoundationError `UNRESPONSIVE` */
  async usage(): Promise<AgentUsage | undefined> {
    const usage = await this.#watch?.usage();
    return usage && { ...usage, restarts: this.#restarts };
  }

  #beginLife(): void {
    const { pid } = this;
    if (pid === undefined) return;
    this.#watch = new AgentWatch(this.#parts, {
      pid,
      rules: () => this.#registration,
      call: (name, timeoutMs) => this.call(name, [], timeoutMs),
      onChange: (health) => this.#onHealth(health),
    });
  }

  #endLife(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#health = unknownHealth;
  }

  #onHealth(health: HealthState): void {
    this.#health = health;
    this.#publish();
    const isBad = health.health === 'unhealthy';
    if (!isBad || this.#registration.health.onUnhealthy !== 'restart') return;
    this.#fault = health.problem;
    this.kill();
  }
}

function hasFailed(status: AgentStatus): boolean {
  return status === 'restarting' || status === 'failed' || status === 'given_up';
}

import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { LeaseProblem, Leases } from '../lease/leases.ts';
import type { Pid } from '../process/pid.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Change, Registry } from '../registry/registry.ts';
import type { Orphan } from './orphans.ts';
import { Tenure, type FailedStart, type TenureParts } from './tenure.ts';

export interface StrongParts {
  readonly self: string;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly events: Events;
  readonly leases: Leases;
  /** Whether this node says that it can run a process. */
  readonly isCandidate: (process: string) => boolean;
  /** Singletons whose node is gone, until somebody runs them again. */
  readonly orphans: () => Iterable<Orphan>;
  /** Asks a process whether it is there. */
  readonly isRunning: (pid: Pid) => Promise<boolean>;
  readonly start: TenureParts['start'];
  readonly stop: TenureParts['stop'];
}

/** Milliseconds for a singleton to start, here or elsewhere. */
const startMs = 120_000;

/**
 * Singletons that run only where their lease is held. The node that runs one keeps its record in the registry;
 * all that can run it see that, and ask for the lease as well: whoever gets it is next.
 */
export class StrongSingletons {
  readonly #parts: StrongParts;
  readonly #tenures = new Map<string, Tenure>();
  /** Those who wait for a start to fail. */
  readonly #waiting = new Map<string, Set<(error: unknown) => void>>();
  #isRetired = false;

  constructor(parts: StrongParts) {
    this.#parts = parts;
    parts.registry.onChange((change) => this.#onChange(change));
  }

  /** Resolves when it runs, here or elsewhere. */
  async start(record: SingletonRecord): Promise<void> {
    const { registry, clock, isRunning } = this.#parts;
    const { name } = record;
    // It may have ended, and this node not have heard of that yet.
    const known = registry.holder(name)?.pid;
    if (known !== undefined && (await isRunning(known))) return;
    if (this.#isRetired) throw retired(this.#parts.self);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = clock.after(startMs, () => reject(notStarted(name)));
    using _watch = registry.onChange(() => {
      const holder = registry.holder(name)?.pid;
      if (holder !== undefined && known?.equals(holder) !== true) resolve();
    });
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(reject));
    this.#begin(record, true);
    try {
      await promise;
    } finally {
      timer.cancel();
      waiting.delete(reject);
      if (waiting.size === 0) this.#waiting.delete(name);
    }
  }

  /** Whoever waits for a start is told; one that nobody has run yet is given up, the others go on waiting. */
  onLeaseProblem({ what, error, lease = '' }: LeaseProblem): void {
    const tenure = this.#tenures.get(lease);
    const isAwaited = tenure?.isServing === false && this.#rejectWaiting(lease, error);
    if (isAwaited && tenure.isNew) {
      tenure.quit();
      this.#forget(lease);
    }
    if (!isAwaited) this.#parts.events.emit('problem', { what, error });
  }

  /** Returns whether anybody waited. */
  #rejectWaiting(name: string, error: unknown): boolean {
    const waiting = [...(this.#waiting.get(name) ?? [])];
    for (const reject of waiting) reject(error);
    return waiting.length > 0;
  }

  /** Leaves one that runs here to the others, as soon as it ends. */
  handOver(name: string): void {
    this.#tenures.get(name)?.handOver();
  }

  /** Asks for no lease any more, and tells whoever waits for one; what runs here goes on until it is ended. */
  retire(): void {
    this.#isRetired = true;
    for (const tenure of this.#tenures.values()) tenure.quit();
    for (const name of this.#waiting.keys()) {
      // One that has its lease already still starts, or fails to.
      const isServing = this.#tenures.get(name)?.isServing === true;
      if (!isServing) this.#rejectWaiting(name, retired(this.#parts.self));
    }
  }

  /** Gives all leases up. */
  release(): Promise<void> {
    return this.#parts.leases.stop();
  }

  #begin(record: SingletonRecord, isNew: boolean): void {
    const { name } = record;
    if (this.#isRetired || this.#tenures.has(name)) return;
    const tenure = new Tenure(record, isNew, this.#tenureParts());
    this.#tenures.set(name, tenure);
    void tenure.run().finally(() => {
      if (this.#tenures.get(name) === tenure) this.#tenures.delete(name);
    });
  }

  #tenureParts(): TenureParts {
    const { leases, clock, start, stop } = this.#parts;
    return {
      leases,
      clock,
      start,
      stop,
      onGranted: (record) => this.#onGranted(record),
      onFailed: (failed) => this.#onFailed(failed),
      onOver: ({ name }) => this.#forget(name),
    };
  }

  #onGranted(record: SingletonRecord): void {
    const { self, registry, events } = this.#parts;
    const { name } = record;
    const from = this.#holders(name)[0];
    // The others must know the record before there is anything to inherit.
    registry.keepSingleton(record);
    if (from !== undefined && from !== self) events.emit('failover', { name, from, to: self });
  }

  /** It is over; whoever starts it again begins anew, and waits until its lease is free. */
  #forget(name: string): void {
    this.#tenures.delete(name);
    this.#parts.registry.forgetSingleton(name);
  }

  #onFailed({ record, error, isTriedAgain }: FailedStart): void {
    const { name } = record;
    if (!isTriedAgain) this.#forget(name);
    if (this.#rejectWaiting(name, error) || this.#isRetired) return;
    this.#parts.events.emit('problem', { what: `start of "${name}"`, error });
  }

  // ── standing by ────────────────────────────────────────────────────────────

  #onChange(change: Change): void {
    if (change.kind !== 'delta') return this.#look();
    const { set, setSingleton, removedSingleton } = change.delta;
    const isOfOne = set?.fencingToken !== undefined;
    if (isOfOne || setSingleton !== undefined || removedSingleton !== undefined) this.#look();
  }

  /** Stands by for what others run, and no more for what is over. */
  #look(): void {
    const known = this.#known();
    for (const record of known.values()) {
      if (this.#parts.isCandidate(record.process)) this.#begin(record, false);
    }
    for (const [name, tenure] of this.#tenures) {
      if (tenure.isServing) continue;
      // Whoever has run it after this node keeps its record.
      const newest = this.#parts.registry.holder(name)?.fencingToken ?? 0;
      if (newest > tenure.token) this.#parts.registry.forgetSingleton(name);
      if (known.has(name) || this.#waiting.has(name)) continue;
      tenure.quit();
      this.#tenures.delete(name);
    }
  }

  /** By their names, those that somebody runs, or has run and is gone. */
  #known(): ReadonlyMap<string, SingletonRecord> {
    const { registry, orphans } = this.#parts;
    const kept = registry.nodes().flatMap((node) => registry.singletons(node));
    const strong = [...kept, ...orphans()].filter(({ consistency }) => consistency === 'strong');
    return new Map(strong.map((record) => [record.name, record]));
  }

  /** Nodes that keep the record of a singleton: living ones first. */
  #holders(name: string): readonly string[] {
    const { registry, orphans } = this.#parts;
    const living = registry
      .nodes()
      .filter((node) => registry.singletons(node).some((record) => record.name === name));
    const gone = [...orphans()].filter((orphan) => orphan.name === name).map(({ from }) => from);
    return [...living, ...gone];
  }
}

function retired(node: string): FoundationError {
  const message = `the node "${node}" takes no strong singleton any more: it drains or stops`;
  return new FoundationError('NODE_STOPPED', message, {
    hint: 'Start it on another node.',
    details: { node },
  });
}

function notStarted(name: string): FoundationError {
  const message = `"${name}" did not start within ${startMs} ms: another node holds its lease`;
  return new FoundationError('CALL_TIMEOUT', message, {
    hint: 'A node that this one does not see may run it. It starts here when that is gone.',
    details: { name, timeoutMs: startMs },
  });
}

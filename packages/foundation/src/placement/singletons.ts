import type { Clock } from '../clock.ts';
import type { Quorum } from '../cluster/quorum.ts';
import { FoundationError } from '../errors.ts';
import type { Events, NodeEvents } from '../events.ts';
import type { Lease } from '../lease/lease.ts';
import type { LeaseProblem, Leases } from '../lease/leases.ts';
import type { ExitReason } from '../process/exit.ts';
import type { Pid } from '../process/pid.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Registry } from '../registry/registry.ts';
import { chooseNode } from './rendezvous-hash.ts';
import { StrongSingletons, type Orphan } from './strong-singletons.ts';

export interface SingletonHandlers {
  /** Nodes that can run a process, this one among them if it can. */
  candidates(process: string): readonly string[];
  /** Whether this node could, though it may not say so. */
  canRun(process: string): boolean;
  /** Starts it here, a strong one under its lease; `onEnded` runs when it is over for good. */
  startHere(
    record: SingletonRecord,
    onEnded: (reason: ExitReason) => void,
    lease?: Lease,
  ): Promise<void>;
  /** Ends one that runs here. Resolves when it has ended, or has not in time. */
  stopHere(name: string, reason: 'shutdown' | 'killed', timeoutMs: number): Promise<void>;
  /** Asks a process, wherever it is, whether it is there. */
  isRunning(pid: Pid): Promise<boolean>;
  /** Asks another node to start it. */
  startThere(node: string, record: SingletonRecord): Promise<void>;
}

export interface SingletonParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly leases: Leases;
  /** Where nothing that must be so once only may run, no singleton does. */
  readonly quorum: Quorum;
  readonly handlers: SingletonHandlers;
}

/** Milliseconds until a start that failed is tried again. */
const retryMs = 500;
/** Milliseconds that one has to end on the smaller side of a split. */
const endMs = 5_000;

/**
 * One process a name in the whole cluster, as long as any node lives that can run it. The node that
 * hosts it keeps a record of it in the registry; when that node goes, the others all choose the same
 * heir for the record and the heir starts it again, with its last durable state.
 */
export class Singletons {
  readonly #self: string;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #handlers: SingletonHandlers;
  readonly #quorum: Quorum;
  readonly #strong: StrongSingletons;
  /** Records whose node is gone, until somebody has started them again. */
  readonly #orphans = new Map<string, Orphan>();
  /** Orphans that are being started. */
  readonly #bequests = new Set<string>();
  readonly #starting = new Map<string, Promise<void>>();
  #isRetired = false;

  constructor(self: string, registry: Registry, parts: SingletonParts) {
    this.#self = self;
    this.#registry = registry;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#handlers = parts.handlers;
    this.#quorum = parts.quorum;
    const { clock, events, leases, handlers } = parts;
    this.#strong = new StrongSingletons({
      self,
      registry,
      clock,
      events,
      leases,
      isCandidate: (process) => handlers.candidates(process).includes(self),
      orphans: () => this.#orphans.values(),
      isRunning: (pid) => handlers.isRunning(pid),
      start: (record, lease, onEnded) => handlers.startHere(record, onEnded, lease),
      stop: (name, reason, timeoutMs) => handlers.stopHere(name, reason, timeoutMs),
    });
    registry.onChange(() => this.#prune());
    parts.quorum.onChange(() => this.#onQuorum(parts.quorum));
  }

  /** Makes sure that it runs somewhere: on the preferred node if that can run it and it runs nowhere yet. */
  async start(record: SingletonRecord, preferNode?: string): Promise<void> {
    const isStrong = record.consistency === 'strong';
    // Whoever is to run a strong one asks whether it runs.
    if (!isStrong && this.#registry.lookup(record.name) !== undefined) return;
    const candidates = this.#handlers.candidates(record.process);
    const host =
      candidates.find((node) => node === preferNode) ??
      chooseNode(record.name, candidates) ??
      (this.#handlers.canRun(record.process) ? this.#self : undefined);
    if (host === undefined) throw nobodyCanRun(record);
    if (!candidates.includes(host)) this.#events.emit('problem', noHeir(record));
    if (host === this.#self) await this.startHere(record);
    else await this.#handlers.startThere(host, record);
  }

  /** Runs it on this node, once. */
  startHere(record: SingletonRecord): Promise<void> {
    const running = this.#starting.get(record.name);
    if (running !== undefined) return running;
    const isStrong = record.consistency === 'strong';
    if (!isStrong && this.#registry.lookup(record.name) !== undefined) return Promise.resolve();
    const start = (isStrong ? this.#strong.start(record) : this.#host(record)).finally(() =>
      this.#starting.delete(record.name),
    );
    this.#starting.set(record.name, start);
    return start;
  }

  async #host(record: SingletonRecord): Promise<void> {
    const { name } = record;
    this.#quorum.check(`the singleton "${name}"`);
    // The others must know the record before there is anything to inherit.
    this.#registry.keepSingleton(record);
    try {
      await this.#handlers.startHere(record, (reason) => this.#onEnded(record, reason));
    } catch (error) {
      this.#registry.forgetSingleton(name);
      throw error;
    }
  }

  /**
   * Gives those that run here to other nodes, before this one stops. One that nobody else can run goes on here until
   * then; one that could not be started elsewhere is started by the others when this node has gone.
   */
  async handOver(timeoutMs: number): Promise<void> {
    this.retire();
    await Promise.all(this.#own().map((record) => this.#give(record, timeoutMs)));
  }

  async #give(record: SingletonRecord, timeoutMs: number): Promise<void> {
    const { name, process, consistency } = record;
    const heir = chooseNode(name, this.#handlers.candidates(process));
    if (heir === undefined) return;
    // A strong one is started by whoever gets its lease.
    if (consistency === 'strong') this.#strong.handOver(name);
    await this.#handlers.stopHere(name, 'shutdown', timeoutMs);
    if (consistency === 'strong') return;
    await this.#handlers.startThere(heir, record);
    this.#registry.forgetSingleton(name);
  }

  /** This node has come to the smaller side of a split, or is with the majority again. */
  #onQuorum({ isAllowed }: Quorum): void {
    if (isAllowed) this.settle();
    for (const record of this.#own()) {
      // A strong one depends on its lease.
      if (record.consistency === 'strong') continue;
      if (isAllowed) this.#ensure(record);
      else void this.#handlers.stopHere(record.name, 'shutdown', endMs);
    }
  }

  #own(): readonly SingletonRecord[] {
    return this.#registry.singletons(this.#self);
  }

  /** The node stops, and leaves its singletons to the others: they must keep the records. */
  retire(): void {
    this.#isRetired = true;
    this.#strong.retire();
  }

  /** Gives the leases of the strong ones up, which have ended here. */
  release(): Promise<void> {
    return this.#strong.release();
  }

  /** The lease of a strong one cannot be asked for at the moment. */
  onLeaseProblem(problem: LeaseProblem): void {
    this.#strong.onLeaseProblem(problem);
  }

  #onEnded(record: SingletonRecord, reason: ExitReason): void {
    if (this.#isRetired) return;
    if (reason === 'normal' || reason === 'name_conflict')
      this.#registry.forgetSingleton(record.name);
    if (reason === 'normal') return;
    // Its name is another's, or its supervisor has given up for now: somebody must run it in any case.
    this.#later(() => this.#ensure(record));
  }

  #ensure(record: SingletonRecord): void {
    if (this.#isRetired || !this.#quorum.isAllowed) return; // until the quorum is back
    const holder = this.#registry.lookup(record.name);
    if (holder !== undefined && holder.node !== this.#self)
      this.#registry.forgetSingleton(record.name);
    const isKept = this.#own().some(({ name }) => name === record.name);
    const started = isKept ? this.startHere(record) : this.start(record);
    started.catch((error: unknown) => {
      this.#events.emit('problem', { what: `start of "${record.name}"`, error });
      this.#later(() => this.#ensure(record));
    });
  }

  #later(action: () => void): void {
    this.#clock.after(retryMs, action, 'background');
  }

  /** A node is gone; call it before the registry forgets the node. */
  onNodeDown(node: string): void {
    for (const record of this.#registry.singletons(node)) {
      this.#orphans.set(record.name, { ...record, from: node });
    }
  }

  /**
   * Gives the orphans to their heirs; call it when members have changed and the registry knows. An heir
   * that has joined only now does not know them: so whoever does asks it.
   */
  settle(): void {
    this.#prune();
    if (!this.#quorum.isAllowed) return;
    for (const orphan of this.#orphans.values()) {
      const heir = chooseNode(orphan.name, this.#handlers.candidates(orphan.process));
      if (heir !== undefined && !this.#bequests.has(orphan.name)) void this.#bequeath(orphan, heir);
    }
  }

  /** Somebody runs them again. */
  #prune(): void {
    for (const name of this.#orphans.keys()) {
      if (this.#registry.lookup(name) !== undefined) this.#orphans.delete(name);
    }
  }

  async #bequeath({ from, ...record }: Orphan, heir: string): Promise<void> {
    this.#bequests.add(record.name);
    try {
      if (heir === this.#self) {
        await this.startHere(record);
        const isTold = record.consistency === 'strong';
        if (!isTold) this.#events.emit('failover', { name: record.name, from, to: this.#self });
      } else {
        await this.#handlers.startThere(heir, record);
      }
      this.#orphans.delete(record.name);
    } catch (error) {
      this.#events.emit('problem', { what: `failover of "${record.name}" to ${heir}`, error });
      this.#later(() => this.settle());
    } finally {
      this.#bequests.delete(record.name);
    }
  }
}

function noHeir({ name, process }: SingletonRecord): NodeEvents['problem'] {
  const error = new FoundationError('UNKNOWN_DEFINITION', `no node lists "${process}"`, {
    hint: `List it in \`processes\` of \`startNode\` on every node that may take "${name}" over.`,
  });
  return { what: `nobody can take "${name}" over`, error };
}

function nobodyCanRun(record: SingletonRecord): FoundationError {
  return new FoundationError(
    'UNKNOWN_DEFINITION',
    `no node of the cluster can run "${record.process}", which "${record.name}" is`,
    { hint: 'List the definition in `processes` of `startNode` on at least one node.' },
  );
}

import type { Clock, Timer } from '../clock.ts';
import type { Quorum } from '../cluster/quorum.ts';
import type { Events } from '../events.ts';
import type { Lease } from '../lease/lease.ts';
import type { LeaseProblem, Leases } from '../lease/leases.ts';
import { noProcess, type ExitReason } from '../process/exit.ts';
import type { Pid } from '../process/pid.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Registry } from '../registry/registry.ts';
import { Bequests } from './bequests.ts';
import { Orphans } from './orphans.ts';
import { chooseNode } from './rendezvous-hash.ts';
import { leaving, nobodyCanRun, noHeir } from './singleton-errors.ts';
import { StrongSingletons } from './strong-singletons.ts';

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
/** Milliseconds that one has to end when it is told to: it is left behind earlier. */
const handMs = 10_000;
/** Milliseconds for which there must be a quorum again: by then those who are back have told what they run. */
const quorumMs = 500;

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
  readonly #orphans: Orphans;
  readonly #bequests: Bequests;
  readonly #starting = new Map<string, Promise<void>>();
  /** Those of this node that it has ended as it had no quorum, or was told to, until it starts them again. */
  readonly #suspended = new Set<string>();
  /** When those are tried again that have ended or did not start. */
  readonly #retries = new Map<string, Timer>();
  /** Runs from the moment when there is a quorum again. */
  #resuming: Timer | undefined = undefined;
  #isRetired = false;

  constructor(self: string, registry: Registry, parts: SingletonParts) {
    this.#self = self;
    this.#registry = registry;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#handlers = parts.handlers;
    this.#quorum = parts.quorum;
    this.#orphans = new Orphans(self, registry);
    const { clock, events, leases, handlers } = parts;
    this.#bequests = new Bequests({
      self,
      clock,
      events,
      orphans: this.#orphans,
      candidates: (process) => handlers.candidates(process),
      startHere: (record) => this.startHere(record),
      startThere: (node, record) => handlers.startThere(node, record),
      again: () => this.settle(),
    });
    this.#strong = new StrongSingletons({
      self,
      registry,
      clock,
      events,
      leases,
      isCandidate: (process) => handlers.candidates(process).includes(self),
      orphans: () => this.#orphans,
      isRunning: (pid) => handlers.isRunning(pid),
      start: (record, lease, onEnded) => handlers.startHere(record, onEnded, lease),
      stop: (name, reason, timeoutMs) => handlers.stopHere(name, reason, timeoutMs),
    });
    registry.onChange(() => this.#leaveToOthers());
    parts.quorum.onChange(() => this.#onQuorum());
  }

  /** Makes sure that it runs somewhere: on the preferred node if that can run it and it runs nowhere yet. */
  async start(record: SingletonRecord, preferNode?: string): Promise<void> {
    const isStrong = record.consistency === 'strong';
    // Whoever is to run a strong one asks whether it runs.
    if (!isStrong && this.#registry.lookup(record.name) !== undefined) return;
    if (this.#isStopped(record.name)) return;
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
    // Whoever asks late does not know what has become of it here.
    if (this.#ownOf(record.name)?.isStopped === true) return Promise.resolve();
    return this.#starts(record.name, () =>
      isStrong ? this.#strong.start(record) : this.#host(record),
    );
  }

  #starts(name: string, start: () => Promise<void>): Promise<void> {
    const starting = start().finally(() => this.#starting.delete(name));
    this.#starting.set(name, starting);
    return starting;
  }

  async #host(record: SingletonRecord): Promise<void> {
    const { name } = record;
    this.#quorum.check(`the singleton "${name}"`);
    const before = this.#ownOf(name);
    // The others must know the record before there is anything to inherit.
    this.#registry.keepSingleton(record);
    if (record.isStopped === true) return void this.#suspended.add(name);
    const wasSuspended = this.#suspended.delete(name);
    try {
      await this.#handlers.startHere(this.#live(record), (reason) => this.#onEnded(record, reason));
    } catch (error) {
      if (wasSuspended && before !== undefined) {
        // Somebody may have changed it meanwhile.
        if (this.#ownOf(name) === record) this.#registry.keepSingleton(before);
        this.#suspended.add(name);
      } else this.#registry.forgetSingleton(name);
      throw error;
    }
    if (!this.#quorum.isAllowed) this.#suspend(record);
  }

  /** The record with what the next life of it begins with, which may be changed. */
  #live(record: SingletonRecord): SingletonRecord {
    const now = (): SingletonRecord => this.#ownOf(record.name) ?? record;
    return {
      ...record,
      get init() {
        return now().init;
      },
      get listing() {
        return now().listing;
      },
    };
  }

  // ── by hand ────────────────────────────────────────────────────────────────

  /**
   * Ends one of this node. Its record stays, and says that nobody is to start it.
   *
   * @throws FoundationError `NODE_STOPPED` while the node gives its singletons away, `NO_PROCESS` when it is none of them
   */
  async stop(record: SingletonRecord): Promise<void> {
    const { name } = record;
    await this.#settled(name);
    this.#registry.keepSingleton({ ...record, isStopped: true });
    this.#suspended.add(name);
    await this.#handlers.stopHere(name, 'shutdown', handMs);
  }

  /**
   * Ends one of this node, if it runs, and starts it as the record says.
   *
   * @throws FoundationError `NODE_STOPPED` while the node gives its singletons away, `NO_PROCESS` when it is none of
   * them; or why it did not start: then its record is as before, and unless it was stopped it is tried again.
   */
  async restart({ isStopped: _is, ...record }: SingletonRecord): Promise<void> {
    const { name } = record;
    await this.#settled(name);
    return this.#starts(name, async () => {
      this.#suspended.add(name);
      await this.#handlers.stopHere(name, 'shutdown', handMs);
      // Else it is given away by now, as it is.
      if (this.#isRetired) throw leaving(this.#self);
      await this.#host(record);
    });
  }

  /**
   * Ends one of this node for good, and forgets it.
   *
   * @param end - ends its process, if there is one
   * @throws FoundationError `NODE_STOPPED` while the node gives its singletons away, `NO_PROCESS` when it is none of
   * them; and what `end` throws: then it is kept
   */
  async end(name: string, end: () => Promise<void>): Promise<void> {
    await this.#settled(name);
    this.#retries.get(name)?.cancel();
    this.#suspended.delete(name);
    await end();
    this.#forget(name);
  }

  /** Waits for a start that is under way. */
  async #settled(name: string): Promise<void> {
    await this.#starting.get(name)?.catch(() => undefined);
    if (this.#isRetired) throw leaving(this.#self);
    if (this.#ownOf(name) === undefined) throw noProcess(`singleton "${name}" on ${this.#self}`);
  }

  /** Whether somebody has stopped it, as far as this node knows. */
  #isStopped(name: string): boolean {
    const kept = this.#registry.nodes().flatMap((node) => this.#registry.singletons(node));
    return [...kept, ...this.#orphans].some(
      (each) => each.name === name && each.isStopped === true,
    );
  }

  // ── to leave ───────────────────────────────────────────────────────────────

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
    else await this.#starting.get(name)?.catch(() => undefined);
    await this.#handlers.stopHere(name, 'shutdown', timeoutMs);
    if (consistency === 'strong') return;
    // It may have been changed meanwhile, or be another's.
    const kept = this.#ownOf(name);
    if (kept === undefined) return;
    await this.#handlers.startThere(heir, kept);
    this.#registry.forgetSingleton(name);
  }

  // ── quorum ─────────────────────────────────────────────────────────────────

  /** This node has come to the smaller side of a split, or is with the majority again. */
  #onQuorum(): void {
    this.#resuming?.cancel();
    this.#resuming = undefined;
    if (!this.#quorum.isAllowed) for (const record of this.#ownAvailable()) this.#suspend(record);
    else this.#resuming = this.#clock.after(quorumMs, () => this.#resume(), 'background');
  }

  /** Its record stays: while it runs nowhere this node has to start it again. */
  #suspend({ name }: SingletonRecord): void {
    this.#suspended.add(name);
    void this.#handlers.stopHere(name, 'shutdown', endMs);
  }

  #resume(): void {
    this.#resuming = undefined;
    this.settle();
    for (const record of this.#ownAvailable()) this.#ensure(record);
  }

  /** This life of the node was declared over: what it has suspended is the heir's now, as the others see it, too. */
  onRejoin(): void {
    for (const record of this.#own()) {
      if (!this.#suspended.has(record.name)) continue;
      this.#orphans.add({ ...record, from: this.#self });
      this.#forget(record.name);
    }
  }

  /** What others run in the meantime is theirs. */
  #leaveToOthers(): void {
    for (const name of this.#suspended) {
      const holder = this.#registry.lookup(name);
      if (holder !== undefined && holder.node !== this.#self) this.#forget(name);
    }
  }

  /** Whether one that has ended may be started. */
  get #mayStart(): boolean {
    return this.#quorum.isAllowed && this.#resuming === undefined;
  }

  #own(): readonly SingletonRecord[] {
    return this.#registry.singletons(this.#self);
  }

  #ownOf(name: string): SingletonRecord | undefined {
    return this.#own().find((each) => each.name === name);
  }

  /** A strong one depends on its lease alone. */
  #ownAvailable(): readonly SingletonRecord[] {
    return this.#own().filter(({ consistency }) => consistency !== 'strong');
  }

  #forget(name: string): void {
    this.#retries.get(name)?.cancel();
    this.#retries.delete(name);
    this.#suspended.delete(name);
    this.#registry.forgetSingleton(name);
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
    const isWanted = reason !== 'normal' || this.#suspended.has(record.name);
    if (!isWanted || reason === 'name_conflict') this.#forget(record.name);
    if (!isWanted) return;
    // Its name is another's, or its supervisor has given up for now: somebody must run it in any case.
    this.#ensureLater(record);
  }

  #ensureLater(record: SingletonRecord): void {
    const { name } = record;
    this.#retries.get(name)?.cancel();
    const retry = (): void => {
      this.#retries.delete(name);
      this.#ensure(record);
    };
    this.#retries.set(name, this.#clock.after(retryMs, retry, 'background'));
  }

  #ensure(record: SingletonRecord): void {
    if (this.#isRetired || !this.#mayStart) return; // until the quorum is back
    const holder = this.#registry.lookup(record.name);
    if (holder !== undefined && holder.node !== this.#self) this.#forget(record.name);
    const kept = this.#ownOf(record.name);
    const started = kept === undefined ? this.start(record) : this.startHere(kept);
    started.catch((error: unknown) => {
      this.#events.emit('problem', { what: `start of "${record.name}"`, error });
      // As it is by now; another node may be able to.
      this.#ensureLater(kept ?? record);
    });
  }

  /** A node is gone; call it before the registry forgets the node. */
  onNodeDown(node: string): void {
    for (const record of this.#registry.singletons(node)) {
      this.#orphans.add({ ...record, from: node });
    }
  }

  /** Gives the orphans to their heirs; call it when members have changed and the registry knows. */
  settle(): void {
    if (this.#mayStart) this.#bequests.settle();
  }
}

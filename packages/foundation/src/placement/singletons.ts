import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { ExitReason } from '../process/exit.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Registry } from '../registry/registry.ts';
import { chooseNode } from './rendezvous-hash.ts';

export interface SingletonHandlers {
  /** Nodes that can run a process, this one among them if it can. */
  candidates(process: string): readonly string[];
  /** Starts it here; `onEnded` runs when it is over for good. */
  startHere(record: SingletonRecord, onEnded: (reason: ExitReason) => void): Promise<void>;
  /** Asks another node to start it. */
  startThere(node: string, record: SingletonRecord): Promise<void>;
}

/** Milliseconds until a start that failed is tried again. */
const retryMs = 500;

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
  /** Records whose node is gone, until somebody has started them again. */
  readonly #orphans = new Map<string, SingletonRecord & { readonly from: string }>();
  readonly #starting = new Map<string, Promise<void>>();

  constructor(
    self: string,
    registry: Registry,
    parts: { clock: Clock; events: Events; handlers: SingletonHandlers },
  ) {
    this.#self = self;
    this.#registry = registry;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#handlers = parts.handlers;
    registry.onChange(() => this.#prune());
  }

  /** Makes sure that it runs somewhere: on the preferred node if that can run it and it runs nowhere yet. */
  async start(record: SingletonRecord, preferNode?: string): Promise<void> {
    if (this.#registry.lookup(record.name) !== undefined) return;
    const candidates = this.#handlers.candidates(record.process);
    const host =
      candidates.find((node) => node === preferNode) ?? chooseNode(record.name, candidates);
    if (host === undefined) throw nobodyCanRun(record);
    if (host === this.#self) await this.startHere(record);
    else await this.#handlers.startThere(host, record);
  }

  /** Runs it on this node, once. */
  startHere(record: SingletonRecord): Promise<void> {
    const running = this.#starting.get(record.name);
    if (running !== undefined) return running;
    if (this.#registry.lookup(record.name) !== undefined) return Promise.resolve();
    const start = this.#host(record).finally(() => this.#starting.delete(record.name));
    this.#starting.set(record.name, start);
    return start;
  }

  async #host(record: SingletonRecord): Promise<void> {
    const { name } = record;
    await this.#handlers.startHere(record, (reason) => {
      this.#registry.forgetSingleton(name);
      // Its name is another's. Should that one be gone as well, somebody must run it again.
      if (reason === 'name_conflict') this.#later(() => this.#ensure(record));
    });
    this.#registry.keepSingleton(record);
  }

  #ensure(record: SingletonRecord): void {
    this.start(record).catch((error: unknown) => {
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

  /** Looks for heirs; call it when members have changed and the registry knows. */
  settle(): void {
    this.#prune();
    for (const orphan of this.#orphans.values()) {
      const heir = chooseNode(orphan.name, this.#handlers.candidates(orphan.process));
      if (heir === this.#self) this.#inherit(orphan);
    }
  }

  /** Somebody runs them again. */
  #prune(): void {
    for (const name of this.#orphans.keys()) {
      if (this.#registry.lookup(name) !== undefined) this.#orphans.delete(name);
    }
  }

  #inherit(orphan: SingletonRecord & { readonly from: string }): void {
    const { from, ...record } = orphan;
    this.#orphans.delete(orphan.name);
    this.startHere(record).then(
      () => this.#events.emit('failover', { name: record.name, from, to: this.#self }),
      (error: unknown) => {
        this.#events.emit('problem', { what: `failover of "${record.name}"`, error });
        this.#orphans.set(orphan.name, orphan);
        this.#later(() => this.settle());
      },
    );
  }
}

function nobodyCanRun(record: SingletonRecord): FoundationError {
  return new FoundationError(
    'UNKNOWN_DEFINITION',
    `no node of the cluster can run "${record.process}", which "${record.name}" is`,
    { hint: 'List the definition in `processes` of `startNode` on at least one node.' },
  );
}

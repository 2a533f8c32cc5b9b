import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Registry } from '../registry/registry.ts';

/** A record whose node is gone. */
export type Orphan = SingletonRecord & { readonly from: string };

/** Records whose node is gone, until somebody has started them again. */
export class Orphans {
  readonly #self: string;
  readonly #registry: Registry;
  readonly #orphans = new Map<string, Orphan>();

  constructor(self: string, registry: Registry) {
    this.#self = self;
    this.#registry = registry;
    registry.onChange(() => this.prune());
  }

  [Symbol.iterator](): IterableIterator<Orphan> {
    return this.#orphans.values();
  }

  add(orphan: Orphan): void {
    this.#orphans.set(orphan.name, orphan);
  }

  delete(name: string): void {
    this.#orphans.delete(name);
  }

  /** Leaves out whom somebody runs again, and of those that were stopped whom somebody keeps. */
  prune(): void {
    for (const orphan of this.#orphans.values()) {
      const isRun = this.#registry.lookup(orphan.name) !== undefined;
      if (isRun || this.#isKept(orphan)) this.#orphans.delete(orphan.name);
    }
  }

  /** Nobody will ever run one that was stopped: it is enough that another node than the one that is gone has it. */
  #isKept({ name, from, isStopped }: Orphan): boolean {
    if (isStopped !== true) return false;
    const others = this.#registry.nodes().filter((node) => node !== from);
    const records = others.flatMap((node) => this.#registry.singletons(node));
    return records.some((each) => each.name === name);
  }

  /** Those that no other node has to start. One that was taken for dead, and is not, has its own. */
  waiting(): readonly Orphan[] {
    this.prune();
    if (this.#orphans.size === 0) return [];
    const others = this.#registry.nodes().filter((node) => node !== this.#self);
    const records = others.flatMap((node) => this.#registry.singletons(node));
    const kept = new Set(records.map(({ name }) => name));
    return [...this.#orphans.values()].filter(({ name }) => !kept.has(name));
  }
}

import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Orphan, Orphans } from './orphans.ts';
import { chooseNode } from './rendezvous-hash.ts';

export interface BequestParts {
  readonly self: string;
  readonly clock: Clock;
  readonly events: Events;
  readonly orphans: Orphans;
  /** Nodes that can run a process. */
  readonly candidates: (process: string) => readonly string[];
  readonly startHere: (record: SingletonRecord) => Promise<void>;
  readonly startThere: (node: string, record: SingletonRecord) => Promise<void>;
  /** Called when an heir could not start one: it is tried again, if it may be. */
  readonly again: () => void;
}

/** Milliseconds until a start that failed is tried again. */
const retryMs = 500;

/** Gives singletons whose node is gone to their heirs. */
export class Bequests {
  readonly #parts: BequestParts;
  /** Names of those that are being started. */
  readonly #running = new Set<string>();

  constructor(parts: BequestParts) {
    this.#parts = parts;
  }

  /** An heir that has joined only now does not know the orphans: so whoever does asks it. */
  settle(): void {
    for (const orphan of this.#parts.orphans.waiting()) {
      const heir = chooseNode(orphan.name, this.#parts.candidates(orphan.process));
      if (heir !== undefined && !this.#running.has(orphan.name)) void this.#bequeath(orphan, heir);
    }
  }

  async #bequeath({ from, ...record }: Orphan, heir: string): Promise<void> {
    const { self, clock, events, orphans, startHere, startThere, again } = this.#parts;
    this.#running.add(record.name);
    try {
      if (heir === self) {
        await startHere(record);
        const isTold = record.consistency === 'strong' || record.isStopped === true;
        if (!isTold) events.emit('failover', { name: record.name, from, to: self });
      } else {
        await startThere(heir, record);
      }
      orphans.delete(record.name);
    } catch (error) {
      events.emit('problem', { what: `failover of "${record.name}" to ${heir}`, error });
      clock.after(retryMs, again, 'background');
    } finally {
      this.#running.delete(record.name);
    }
  }
}

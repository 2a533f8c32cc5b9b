import type { Clock } from '../clock.ts';
import type { MissingNode } from './health.ts';

interface Entry {
  /** Who was there last. */
  readonly node?: string;
  /** Why nobody is there now, and since when. */
  readonly absence?: { readonly sinceMs: number; readonly reason: string };
}

/** Who should be at the addresses that were written down, and why that one is not there. */
export class Absences {
  readonly #clock: Clock;
  /** By address. */
  #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** These addresses are written down now, and no others. */
  expect(addresses: Iterable<string>): void {
    this.#entries = new Map(
      [...addresses].map((address) => [address, this.#entries.get(address) ?? {}]),
    );
  }

  here(address: string, node: string): void {
    this.#put(address, { node });
  }

  /** A dial has come to nothing. */
  failed(address: string, reason: string): void {
    const entry = this.#entries.get(address);
    const sinceMs = entry?.absence?.sinceMs ?? this.#clock.now();
    this.#put(address, { ...entry, absence: { sinceMs, reason } });
  }

  /** A node is over, wherever it was. */
  gone(node: string, reason: string): void {
    const addresses = [...this.#entries].filter(([, entry]) => entry.node === node);
    for (const [address] of addresses) this.failed(address, reason);
  }

  list(): readonly MissingNode[] {
    const nowMs = this.#clock.now();
    return [...this.#entries].flatMap(([address, { node, absence }]) => {
      if (absence === undefined) return [];
      const forMs = nowMs - absence.sinceMs;
      const wasSeen = node !== undefined;
      return [{ address, node, wasSeen, isVoter: false, forMs, reason: absence.reason }];
    });
  }

  #put(address: string, entry: Entry): void {
    if (this.#entries.has(address)) this.#entries.set(address, entry);
  }
}

import type { Random } from '@foundation/core';

/** The disk of one machine. What was written is there after a crash of the program; after one of the machine only what was synced. */
export class SimDisk {
  readonly #synced = new Map<string, string>();
  readonly #unsynced = new Map<string, string>();

  read(file: string): string | undefined {
    return this.#unsynced.get(file) ?? this.#synced.get(file);
  }

  write(file: string, content: string): void {
    this.#unsynced.set(file, content);
  }

  /** What was written so far outlives the machine's power. */
  sync(): void {
    for (const [file, content] of this.#unsynced) this.#synced.set(file, content);
    this.#unsynced.clear();
  }

  /** The power fails: of each file, what was not synced is there or not. */
  losePower(random: Random): void {
    for (const [file, content] of this.#unsynced) {
      if (random.int(2) === 0) this.#synced.set(file, content);
    }
    this.#unsynced.clear();
  }
}

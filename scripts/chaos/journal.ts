import { closeSync, globSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { StoreOperation } from '@foundation/testing/history';

/**
 * What a client does, in a file: what it was about to do is known, too, when it is killed. What is written is
 * in the system's hands at once.
 */
export class Journal implements Disposable {
  readonly #file: number;

  /** @param path - ends with `.journal` */
  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  begin(operation: StoreOperation): void {
    this.#write(operation);
  }

  push(operation: StoreOperation): void {
    this.#write(operation);
  }

  #write(operation: StoreOperation): void {
    // JSON has no `undefined`; nothing that is read here is `null`.
    writeSync(
      this.#file,
      `${JSON.stringify(operation, (_key, value: unknown) => value ?? null)}\n`,
    );
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** What all clients of a directory have done: what has begun and not ended has an unknown outcome. */
export function readJournals(directory: string): readonly StoreOperation[] {
  return globSync('*.journal', { cwd: directory }).flatMap((name) => {
    const operations = new Map<string, StoreOperation>();
    for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
      const operation = parseLine(line);
      if (operation === undefined) continue;
      // The end of an operation takes the place of its beginning.
      operations.set(`${operation.client} ${operation.calledAt}`, operation);
    }
    return [...operations.values()];
  });
}

/** The last line of a client that was killed may be half of one: what it was about to begin has not begun. */
function parseLine(line: string): StoreOperation | undefined {
  try {
    return JSON.parse(line, (_key, value: unknown) => value ?? undefined) as StoreOperation;
  } catch {
    return undefined;
  }
}

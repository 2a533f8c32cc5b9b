import { isFoundationError, type Random } from '@foundation/core';

import type { KeyValues } from './store-history.ts';

export interface WorkloadOptions {
  /** Tells its values from those of others. */
  readonly client: string;
  readonly operations: number;
  readonly keys: readonly string[];
  readonly random: Random;
}

/**
 * One client that reads, writes and deletes, one operation at a time, each value its own. It writes over what it
 * has seen last, so that clients get into each other's way. An operation that fails is left behind.
 */
export async function exercise(
  store: KeyValues,
  { client, operations, keys, random }: WorkloadOptions,
): Promise<void> {
  const seen = new Map<string, number>();
  for (let index = 0; index < operations; index++) {
    const key = keys[random.int(keys.length)] ?? '';
    try {
      await step(store, { key, seen, value: `${client}:${index}`, chance: random.int(10) });
    } catch (error) {
      if (!isFoundationError(error)) throw error;
    }
  }
}

interface Step {
  readonly key: string;
  /** The version of each key that was seen last. */
  readonly seen: Map<string, number>;
  readonly value: string;
  readonly chance: number;
}

async function step(store: KeyValues, { key, seen, value, chance }: Step): Promise<void> {
  const version = seen.get(key) ?? 0;
  if (chance < 4) {
    seen.set(key, (await store.get(key))?.version ?? 0);
  } else if (chance < 9) {
    const written = await store.compareAndSet(key, version, Buffer.from(value));
    if (written !== undefined) seen.set(key, written);
  } else if (await store.delete(key, version)) {
    seen.set(key, 0);
  }
}

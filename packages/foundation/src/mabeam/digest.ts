import { hash } from 'node:crypto';

/**
 * A number anyone can recompute: SHA-256 of the parts as one JSON array, in hexadecimal.
 * Deterministic and without I/O, so that the pure `*-state.ts` files may use it.
 */
export function digest(...parts: readonly (string | number)[]): string {
  return hash('sha256', JSON.stringify(parts));
}

/** A number from 0 to almost 1 that anyone can recompute. */
export function drawn(...parts: readonly (string | number)[]): number {
  return Number.parseInt(digest(...parts).slice(0, 13), 16) / 2 ** 52;
}

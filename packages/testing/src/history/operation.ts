/** What a client asks of a register. `undefined` as a value: there is none. */
export type Request =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: string | undefined }
  | {
      readonly kind: 'compare-and-set';
      readonly expected: string | undefined;
      readonly value: string | undefined;
    };

/**
 * One operation of a client on one register. Times are of one clock that never goes back, in whatever unit.
 * A read answers the value, a compare-and-set whether it has set it.
 */
export interface Operation {
  readonly client: string;
  /** Of the register. */
  readonly key: string;
  readonly request: Request;
  readonly calledAt: number;
  /** `unknown`: it failed in a way that leaves open whether and when it takes effect. */
  readonly reply:
    | { readonly at: number; readonly output: string | boolean | undefined }
    | 'unknown';
}

/** Groups what was done to one key each. */
export function byKey<T extends { readonly key: string }>(
  operations: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(operations, ({ key }) => key);
}

/** A band of a number, and how soon it may be left again. */
export interface HysteresisRule {
  readonly high: number;
  /** Less than `high`. */
  readonly low: number;
  /** Milliseconds after a crossing in which another one does not count. @defaultValue 0 */
  readonly cooldownMs?: number;
}

/** On which side of the band it was last, and since when. */
export interface HysteresisState {
  readonly side: 'inside' | 'high' | 'low';
  readonly crossedAtMs: number;
}

export const insideBand: HysteresisState = { side: 'inside', crossedAtMs: -Infinity };

/**
 * Looks at a number. A crossing counts once: after one above `high` the next is one below `low`, so that a number that
 * swings around a limit sets nothing off.
 *
 * @returns the state from now on, and the side that it has crossed to, if it has
 */
export function cross(
  state: HysteresisState,
  rule: HysteresisRule,
  { value, nowMs }: { readonly value: number; readonly nowMs: number },
): { readonly state: HysteresisState; readonly crossed?: 'high' | 'low' } {
  const side = sideOf(value, rule);
  if (side === undefined || side === state.side) return { state };
  if (nowMs - state.crossedAtMs < (rule.cooldownMs ?? 0)) return { state };
  return { state: { side, crossedAtMs: nowMs }, crossed: side };
}

function sideOf(value: number, { high, low }: HysteresisRule): 'high' | 'low' | undefined {
  if (value > high) return 'high';
  return value < low ? 'low' : undefined;
}

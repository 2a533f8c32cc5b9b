/** When a metric is worth a warning. */
export interface AlertRule {
  /** Unique among the rules of a node. */
  readonly name: string;
  readonly metric: string;
  /** Worth it above this. */
  readonly above?: number;
  /** Worth it below this. One of both, not both. */
  readonly below?: number;
  /** Milliseconds for which it must be so, whether or not further numbers come. @defaultValue 0 */
  readonly forMs?: number;
  /**
   * It is over when the metric has come back past this: below it, for `above`.
   *
   * @defaultValue the limit itself
   */
  readonly until?: number;
}

/** Something that is told once: that an alert has begun, or that it is over. */
export interface Alert {
  readonly name: string;
  readonly metric: string;
  readonly kind: 'raised' | 'resolved';
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What is known of one rule. */
export interface AlertState {
  readonly isRaised: boolean;
  /** Since when the limit has been broken without a break. */
  readonly brokenSinceMs?: number;
}

export const quiet: AlertState = { isRaised: false };

/** Looks at a number. @returns the state from now on, and what is to be told, if anything */
export function alertOn(
  state: AlertState,
  rule: AlertRule,
  { value, nowMs }: { readonly value: number; readonly nowMs: number },
): { readonly state: AlertState; readonly tell?: Alert['kind'] } {
  if (state.isRaised) {
    return isOver(value, rule) ? { state: quiet, tell: 'resolved' } : { state };
  }
  if (!isBroken(value, rule)) return { state: quiet };
  const brokenSinceMs = state.brokenSinceMs ?? nowMs;
  return nowMs - brokenSinceMs >= (rule.forMs ?? 0)
    ? { state: { isRaised: true }, tell: 'raised' }
    : { state: { isRaised: false, brokenSinceMs } };
}

/** Milliseconds until the limit will have been broken for long enough; undefined while nothing is to come. */
export function dueInMs(
  { isRaised, brokenSinceMs }: AlertState,
  { forMs = 0 }: AlertRule,
  nowMs: number,
): number | undefined {
  if (isRaised || brokenSinceMs === undefined) return undefined;
  return Math.max(0, brokenSinceMs + forMs - nowMs);
}

function isBroken(value: number, { above, below }: AlertRule): boolean {
  return (above !== undefined && value > above) || (below !== undefined && value < below);
}

function isOver(value: number, { above, below, until }: AlertRule): boolean {
  if (above !== undefined) return value <= above && value <= (until ?? above);
  return below === undefined || (value >= below && value >= (until ?? below));
}

/** What is left to spend of a rate. */
export interface Allowance {
  readonly left: number;
  /** When that was so, in milliseconds. */
  readonly at: number;
}

/** A whole second's worth. */
export function fullAllowance(perSecond: number, now: number): Allowance {
  return { left: Math.max(1, perSecond), at: now };
}

/**
 * What is left after one more, or undefined when there is nothing left to spend. Source: token bucket, which holds what a
 * second gives (at least one).
 */
export function spendOne(
  { left, at }: Allowance,
  now: number,
  perSecond: number,
): Allowance | undefined {
  const filled = Math.min(Math.max(1, perSecond), left + ((now - at) * perSecond) / 1_000);
  return filled < 1 ? undefined : { left: filled - 1, at: now };
}

/**
 * A right that one holder in the cluster has at a time, for as long as it can renew it. Made by
 * `node.leases.acquire`; `await using` releases it.
 *
 * A program may stand still between looking at `isHeld` and acting upon it: what must not be done twice
 * is done by a resource that checks `token`, see `fenced`.
 */
export interface Lease extends AsyncDisposable {
  readonly name: string;
  /** Fencing token: a number that is higher each time the lease is granted, to whomever. */
  readonly token: number;
  /** Milliseconds after which others take it over when it is not renewed. */
  readonly ttlMs: number;
  /** Whether it is held at this moment, by the clocks of this machine. Once false, it stays so. */
  readonly isHeld: boolean;
  /** Milliseconds for which it is held if it is not renewed any more. */
  readonly remainingMs: number;
  /** Aborts when it is not held any more, with a `LEASE_LOST` whose `details.why` is `expired`, `taken`, `stalled` or `released`. */
  readonly signal: AbortSignal;
  /**
   * Gives it up, so that whoever waits has it at once. Say so as well after it was lost, when its work has ended. Resolves when
   * the store knows, or could not be told: then others wait until its time is over.
   */
  release(): Promise<void>;
}

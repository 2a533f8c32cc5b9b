import type { StoreCut, StoreOutage } from './sim-store.ts';

/** What can happen to those who ask for one lease. Nodes are numbers from 0. */
export type LeaseFault =
  /** The program stands still, as after SIGSTOP; its clocks go on. */
  | { readonly kind: 'pause'; readonly node: number; readonly durationMs: number }
  /** The machine sleeps: its wall clock goes on, its monotonic one does not. */
  | { readonly kind: 'sleep'; readonly node: number; readonly durationMs: number }
  | { readonly kind: 'crash' | 'restart'; readonly node: number }
  /** The node and the store do not hear each other any more, or one of them does. */
  | { readonly kind: 'cut'; readonly node: number; readonly cut: StoreCut }
  | { readonly kind: 'outage'; readonly how: StoreOutage; readonly durationMs: number }
  | { readonly kind: 'lose'; readonly share: number }
  | { readonly kind: 'slow'; readonly byMs: number }
  | { readonly kind: 'heal' }
  /** The wall clock is set. */
  | { readonly kind: 'step'; readonly node: number; readonly byMs: number };

/** Faults, each some time after the one before. */
export type LeaseFaultPlan = readonly { readonly afterMs: number; readonly fault: LeaseFault }[];

/**
 * A bug to plant, to see that the checks find it.
 *
 * - `counts-from-the-reply`: a holder's time begins when the store has answered
 * - `no-margin`: a holder gives nothing away for clocks that run apart
 * - `wall-clock`: others wait by their wall clocks
 * - `any-nonce`: after an unknown outcome a record is taken for one's own whoever wrote it
 * - `no-waiting`: others take a lease over as soon as they have seen it
 * - `sleeps-on`: a holder counts by a clock that stands still while its machine sleeps
 * - `no-fence`: the resource takes whatever comes
 */
export type LeaseFlaw = (typeof leaseFlaws)[number];

export const leaseFlaws = [
  'counts-from-the-reply',
  'no-margin',
  'wall-clock',
  'any-nonce',
  'no-waiting',
  'sleeps-on',
  'no-fence',
] as const;

import type { CrashKind } from './sim-host.ts';
import type { CutKind } from './sim-network.ts';

/** What can happen to a simulated cluster. Nodes are numbers from 0. */
export type Fault =
  | { readonly kind: 'crash'; readonly node: number; readonly how: CrashKind }
  | { readonly kind: 'stop'; readonly node: number }
  | { readonly kind: 'restart'; readonly node: number }
  /** The program stands still, as after SIGSTOP; its clocks go on. */
  | { readonly kind: 'freeze'; readonly node: number; readonly durationMs: number }
  /** The machine sleeps: its monotonic clock stands still. */
  | { readonly kind: 'sleep'; readonly node: number; readonly durationMs: number }
  /** The wall clock is set. */
  | { readonly kind: 'step'; readonly node: number; readonly byMs: number }
  | { readonly kind: 'cut'; readonly a: number; readonly b: number; readonly how: CutKind }
  /** `left`: one bit a node. */
  | { readonly kind: 'split'; readonly left: number; readonly how: CutKind }
  /** Nothing passes from `a` to `b`. */
  | { readonly kind: 'cut-one-way'; readonly a: number; readonly b: number }
  /** Each datagram is lost with this probability, from now on. */
  | { readonly kind: 'lose'; readonly share: number }
  | { readonly kind: 'heal' }
  /** A connection breaks; the network is well. */
  | { readonly kind: 'break'; readonly a: number; readonly b: number }
  | { readonly kind: 'slow'; readonly a: number; readonly b: number; readonly extraMs: number }
  | { readonly kind: 'register'; readonly node: number; readonly name: string }
  | { readonly kind: 'unregister'; readonly node: number; readonly name: string };

/** Faults, each some time after the one before. */
export type FaultPlan = readonly { readonly afterMs: number; readonly fault: Fault }[];

/**
 * A bug to plant into every node, to see that the checks find it.
 *
 * - `keeps-shares-of-the-dead`: entries of a dead node stay in the registry
 * - `keeps-its-life`: a node that was declared over goes on with the same incarnation
 * - `reuses-incarnations`: so does a node that is started again
 * - `does-not-sync`: one that is started again after a power loss may have forgotten which life was its last
 * - `keeps-both-holders`: nobody ends the process that has lost its name
 * - `tells-shares-once`: a node that is linked again is not told what it has missed
 * - `loses-changes`: one change of the registry in four is not sent
 */
export type Flaw = (typeof flaws)[number];

export const flaws = [
  'keeps-shares-of-the-dead',
  'keeps-its-life',
  'reuses-incarnations',
  'does-not-sync',
  'keeps-both-holders',
  'tells-shares-once',
  'loses-changes',
] as const;

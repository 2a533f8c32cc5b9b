import type { DetectorSettings } from './detector-options.ts';

/** A node was found silent, and has until the deadline to say that it is alive. */
export interface Suspicion {
  readonly sinceMs: number;
  readonly deadlineMs: number;
  /** Nodes that have found it silent themselves. */
  readonly accusers: ReadonlySet<string>;
}

/** Where nobody is there to join in, a suspicion lasts so many times `suspicionMs`. */
const unconfirmableFactor = 1.75;

/**
 * Milliseconds that a suspicion lasts: long while one node alone suspects, as that one may be the sick
 * one; with each that joins in it gets shorter (LHA-Suspicion; Lifeguard §IV-B). In clusters of more than
 * ten it takes longer for word to get around.
 *
 * @param nodes - How many are in the cluster.
 */
export function suspicionLastsMs(
  settings: DetectorSettings,
  nodes: number,
  accusers: number,
): number {
  const shortestMs = settings.suspicionMs * Math.max(1, Math.log10(nodes));
  // All but the suspect and its first accuser could join in.
  const wanted = Math.min(settings.confirmations, nodes - 2);
  if (wanted <= 0) return shortestMs * unconfirmableFactor;
  const joined = Math.min(accusers - 1, wanted);
  const longestMs = shortestMs * settings.doubtFactor;
  return longestMs - (longestMs - shortestMs) * (Math.log(joined + 1) / Math.log(wanted + 1));
}

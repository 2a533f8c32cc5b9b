import {
  asRegisters,
  checkLinearizable,
  checkVersions,
  type StoreOperation,
} from '@foundation/testing/history';

import type { FaultSpan } from './nemesis.ts';

/** What a history under faults has shown. */
export interface HistoryVerdict {
  /** Operations. */
  readonly count: number;
  /** Those of unknown outcome. */
  readonly unknown: number;
  /** What cannot have happened and has, or could not be decided, in words. */
  readonly problems: readonly string[];
  /** Kinds of faults that nobody has felt: as if there had been none. */
  readonly unfelt: readonly string[];
}

/** Within which a signal takes effect, in milliseconds. */
const strikesMs = 100;
/** An operation that takes longer was held up, in milliseconds. */
const heldUpMs = 200;

export function judgeHistory(
  history: readonly StoreOperation[],
  spans: readonly FaultSpan[],
): HistoryVerdict {
  const versions = checkVersions(history).map(({ what, key }) => `${key}: ${what}`);
  const found = checkLinearizable(asRegisters(history));
  const linear = found.verdict === 'linearizable' ? [] : [`${found.key}: ${found.verdict}`];
  const kinds = new Set(spans.map(({ kind }) => kind));
  for (const span of spans) if (isFelt(history, span)) kinds.delete(span.kind);
  return {
    count: history.length,
    unknown: history.filter(({ reply }) => reply === 'unknown').length,
    problems: [...versions, ...linear],
    unfelt: [...kinds],
  };
}

/**
 * Whether a fault has struck. Whom it silences has been at work, and did not begin anything meanwhile; others are
 * counted, or have held up some operation.
 */
function isFelt(
  history: readonly StoreOperation[],
  { silences, hits, from, to }: FaultSpan,
): boolean {
  if (hits !== undefined) return hits > 0;
  if (silences === undefined) {
    return history.some(({ calledAt, reply }) => {
      if (reply === 'unknown') return calledAt > from - heldUpMs && calledAt < to;
      return calledAt < to && reply.at > from && reply.at - calledAt > heldUpMs;
    });
  }
  const begun = history.filter(({ client }) => client.startsWith(silences));
  return (
    begun.some(({ calledAt }) => calledAt < from) &&
    !begun.some(({ calledAt }) => calledAt > from + strikesMs && calledAt < to)
  );
}

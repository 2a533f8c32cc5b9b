import type { AgentId } from '../../message.ts';
import type { Answer } from '../../protocol.ts';

/** Rounds in a row after which somebody who gives no answer that counts takes no part any more. */
export const silentRoundsMax = 3;

/** Who takes part in a market, and for how many rounds in a row it has given no answer that counts. */
export type Attendance = ReadonlyMap<AgentId, number>;

/** Everybody, before the first round. */
export function allPresent(roster: readonly AgentId[]): Attendance {
  return new Map(roster.map((id) => [id, 0]));
}

/**
 * Who takes part after a round: not those who have declined, nor those who have been silent too often.
 *
 * @param counts - whether somebody has given an answer that counts
 */
export function attendanceAfter(
  before: Attendance,
  answers: readonly Answer<unknown>[],
  counts: (id: AgentId) => boolean,
): Attendance {
  const after = new Map<AgentId, number>();
  for (const { kind, from } of answers) {
    const silences = counts(from) ? 0 : (before.get(from) ?? 0) + 1;
    if (kind !== 'declined' && silences < silentRoundsMax) after.set(from, silences);
  }
  return after;
}

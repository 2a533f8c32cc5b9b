import { FoundationError } from '../errors.ts';
import type { AgentId } from './message.ts';
import { isOneOf, isRecord, shown, unknownField } from './parse.ts';
import type { TieRule } from './protocol.ts';
import type { ParticipantRef } from './session.ts';

/** How a session is held. */
export interface SessionOptions {
  /** Time for the whole session, in milliseconds: more than 0, at most 2,147,483,647 (24 days). */
  readonly deadlineMs: number;
  /**
   * Source of chance: same spec, roster, answers and seed, same outcome.
   *
   * @defaultValue the session's id, which is random
   */
  readonly seed?: string;
  /** How equal offers are told apart. @defaultValue `seeded` */
  readonly tie?: TieRule;
  /** Fewest `ok` answers of a round; with fewer the session ends as `no_quorum`. @defaultValue 0 */
  readonly minReplies?: number;
}

/** A roster names its members by id, or says where they live. */
export type Roster = readonly (AgentId | ParticipantRef)[];

/** Most members of a roster. */
export const participantsMax = 100_000;

const tieRules = ['seeded', 'lexicographic', 'report'] as const satisfies readonly TieRule[];

/** @throws FoundationError `INVALID_OPTION` that names every bad option at once. */
export function checkSessionOptions(options: SessionOptions): void {
  if (!isRecord(options)) {
    throw new FoundationError('INVALID_OPTION', `expected options, got ${shown(options)}`, {
      hint: 'A session needs at least `deadlineMs`.',
    });
  }
  const { deadlineMs, seed, tie, minReplies = 0 } = options;
  const problems: string[] = [];
  if (!(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs < 2 ** 31)) {
    problems.push(`expected \`deadlineMs\` from 0 to 2147483647, got ${shown(deadlineMs)}`);
  }
  if (seed !== undefined && (typeof seed !== 'string' || seed.length > 1_024)) {
    problems.push(`expected \`seed\` to be a text of at most 1024, got ${shown(seed)}`);
  }
  if (tie !== undefined && !isOneOf(tieRules, tie)) {
    problems.push(`expected \`tie\` to be one of ${tieRules.join(', ')}, got ${shown(tie)}`);
  }
  if (!Number.isSafeInteger(minReplies) || minReplies < 0) {
    problems.push(`expected \`minReplies\` to be a whole number from 0, got ${shown(minReplies)}`);
  }
  const extra = unknownField({ ...options }, ['deadlineMs', 'seed', 'tie', 'minReplies']);
  if (extra !== undefined) problems.push(`unknown option ${shown(extra)}`);
  if (problems.length > 0) throw new FoundationError('INVALID_OPTION', problems.join('; '));
}

/** @throws FoundationError `INVALID_OPTION` for the first bad member. */
export function participantsOf(roster: Roster): ReadonlyMap<AgentId, ParticipantRef> {
  if (!Array.isArray(roster)) {
    throw new FoundationError('INVALID_OPTION', `expected a roster, got ${shown(roster)}`, {
      hint: 'A roster is a list of ids, or of ids with where they live.',
    });
  }
  if (roster.length > participantsMax) {
    throw new FoundationError(
      'INVALID_OPTION',
      `expected a roster of at most ${participantsMax}, got ${roster.length}`,
    );
  }
  const participants = new Map<AgentId, ParticipantRef>();
  for (const member of roster) {
    const participant = typeof member === 'string' ? { id: member } : member;
    const id: unknown = isRecord(participant) ? participant.id : undefined;
    if (typeof id !== 'string' || id.length === 0 || id.length > 256) {
      throw new FoundationError('INVALID_OPTION', `the roster holds ${shown(member)}, not an id`, {
        hint: 'Ids are texts of 1 to 256 characters.',
      });
    }
    if (participants.has(id)) {
      throw new FoundationError('INVALID_OPTION', `the roster names ${shown(id)} twice`);
    }
    participants.set(id, participant);
  }
  return participants;
}

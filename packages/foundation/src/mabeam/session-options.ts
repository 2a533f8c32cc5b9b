import { FoundationError } from '../errors.ts';
import type { AgentId } from './message.ts';
import { isOneOf, isRecord, meant, shown } from './parse.ts';
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
  /**
   * Fewest `ok` answers of a round that asks the whole roster; with fewer the session ends as `no_quorum`. A number,
   * or a part of the roster such as `2/3`.
   *
   * @defaultValue 0
   */
  readonly quorum?: number | `${number}/${number}`;
  /** Cancels the session when it is aborted. */
  readonly signal?: AbortSignal;
  /** A second start with the same key gives the session that the first has started, while it is remembered: see `sessionsRemembered`. */
  readonly idempotencyKey?: string;
  /**
   * Writes the record into the node's store before each step, so that another node can go on with
   * {@link Coordination.resume} when this one goes. Costs a write a round.
   *
   * @defaultValue false
   */
  readonly durable?: boolean;
}

/** A roster names its members by id, or says where they live. */
export type Roster = readonly (AgentId | ParticipantRef)[];

/** Most members of a roster. */
export const participantsMax = 100_000;

const known = ['deadlineMs', 'seed', 'tie', 'quorum', 'signal', 'idempotencyKey', 'durable'];

/** Least number of `members` that is a quorum; undefined when the rule makes no sense. */
export function fewest(quorum: unknown, members: number): number | undefined {
  if (typeof quorum !== 'string') {
    return Number.isSafeInteger(quorum) && Number(quorum) >= 0 ? Number(quorum) : undefined;
  }
  const [, part = '', whole = ''] = /^(\d{1,9})\/(\d{1,9})$/.exec(quorum) ?? [];
  if (part === '' || Number(whole) === 0 || Number(part) > Number(whole)) return undefined;
  // Whole numbers below 2 ** 53: exact.
  return Math.ceil((Number(part) * members) / Number(whole));
}

const tieRules = ['seeded', 'lexicographic', 'report'] as const satisfies readonly TieRule[];

/** @throws FoundationError `INVALID_OPTION` that names every bad option at once. */
export function checkSessionOptions(options: SessionOptions): void {
  if (!isRecord(options)) {
    throw new FoundationError('INVALID_OPTION', `expected options, got ${shown(options)}`, {
      hint: 'A session needs at least `deadlineMs`.',
    });
  }
  const { deadlineMs, seed, tie, quorum = 0, signal, idempotencyKey, durable } = options;
  const problems: string[] = [];
  if (!(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs < 2 ** 31)) {
    problems.push(`expected \`deadlineMs\` from 0 to 2147483647, got ${shown(deadlineMs)}`);
  }
  for (const [name, text] of Object.entries({ seed, idempotencyKey })) {
    if (text !== undefined && (typeof text !== 'string' || text.length > 1_024)) {
      problems.push(`expected \`${name}\` to be a text of at most 1024, got ${shown(text)}`);
    }
  }
  if (tie !== undefined && !isOneOf(tieRules, tie)) {
    const expected = `expected \`tie\` to be one of ${tieRules.join(', ')}`;
    problems.push(`${expected}, got ${shown(tie)}${meant(tie, tieRules)}`);
  }
  if (fewest(quorum, 1) === undefined) {
    problems.push(
      `expected \`quorum\` to be a whole number from 0, or a part from 0/1 to 1/1, got ${shown(quorum)}`,
    );
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    problems.push(`expected \`signal\` to be an AbortSignal, got ${shown(signal)}`);
  }
  if (durable !== undefined && typeof durable !== 'boolean') {
    problems.push(`expected \`durable\` to be true or false, got ${shown(durable)}`);
  }
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    problems.push(`unknown option ${shown(option)}${meant(option, known)}`);
  }
  if (problems.length === 0) return;
  throw new FoundationError('INVALID_OPTION', problems.join('; '), {
    hint:
      deadlineMs === undefined
        ? 'A session needs at least `deadlineMs`, such as `{ deadlineMs: 1_000 }`. Nobody was asked.'
        : `Nobody was asked. Options are: ${known.join(', ')}.`,
  });
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
      throw new FoundationError('INVALID_OPTION', `the roster names ${shown(id)} twice`, {
        hint: 'Each takes part once: a roster is a set. `[...new Set(ids)]` makes one of a list.',
        details: { id },
      });
    }
    participants.set(id, participant);
  }
  return participants;
}

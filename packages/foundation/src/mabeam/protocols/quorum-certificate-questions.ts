import { type KeyObject, sign } from 'node:crypto';

import { canonical } from '../canonical.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';

/** Body of a `sign_vote` request. */
export interface BallotRequest {
  /** Name of what is decided. An honest voter signs one value for it and never a second. */
  readonly ballot: string;
  /** The session's seed: a vote for another one does not count. */
  readonly instance: string;
  /** Values that count. Absent when every text does. */
  readonly values?: readonly string[];
}

/** What a voter is asked. */
export interface BallotQuestion extends BallotRequest {
  /** The name to vote under. */
  readonly voter: AgentId;
}

/** Body of its answer. */
export interface SignedVote {
  /** Text of at most 256 characters. */
  readonly value: string;
  /** With Ed25519 over {@link voteStatement}, in base64. */
  readonly signature: string;
}

/** Asks a voter for a value that it stands for. */
export const ballotQuestion: Question<BallotQuestion, SignedVote> = {
  type: 'sign_vote',
  parse: parseQuestion,
  reply: parseSignedVote,
};

/** The text that a vote signs: it counts for this voter, ballot, instance and value, and for nothing else. */
export function voteStatement(
  { ballot, instance, voter }: Pick<BallotQuestion, 'ballot' | 'instance' | 'voter'>,
  value: string,
): string {
  return canonical({ protocol: 'consensus.quorum_certificate', ballot, instance, voter, value });
}

/**
 * Signs a vote.
 *
 * @param key - The voter's private Ed25519 key.
 */
// oxlint-disable-next-line max-params -- on what, for what, by whom
export function signedVote(question: BallotQuestion, value: string, key: KeyObject): SignedVote {
  const statement = Buffer.from(voteStatement(question, value));
  return { value, signature: sign(null, statement, key).toString('base64') };
}

/** Reads a vote. Whether its signature holds is another question. */
export function parseSignedVote(body: unknown): Parsed<SignedVote> {
  if (!isRecord(body)) return unparsed(`body: expected { value, signature }, got ${shown(body)}`);
  const extra = unknownField(body, ['value', 'signature']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { value, signature } = body;
  if (!isValue(value)) {
    return unparsed(`body.value: expected a text of 1 to 256 characters, got ${shown(value)}`);
  }
  // 64 bytes: in one spelling only, so that nobody can repeat a vote that looks different.
  return typeof signature === 'string' && /^[A-Za-z0-9+/]{85}[AQgw]==$/.test(signature)
    ? parsed({ value, signature })
    : unparsed(`body.signature: expected 64 bytes in base64, got ${shown(signature)}`);
}

/** Whether something can be voted for. */
export function isValue(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function parseQuestion({ body, to: voter }: CoordinationRequest): Parsed<BallotQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { ballot, instance }, got ${shown(body)}`);
  const { ballot, instance, values } = body;
  if (typeof ballot !== 'string') {
    return unparsed(`body.ballot: expected a text, got ${shown(ballot)}`);
  }
  if (typeof instance !== 'string') {
    return unparsed(`body.instance: expected a text, got ${shown(instance)}`);
  }
  if (values === undefined) return parsed({ ballot, instance, voter });
  return Array.isArray(values) && values.every(isValue)
    ? parsed({ ballot, instance, voter, values })
    : unparsed(`body.values: expected texts, got ${shown(values)}`);
}

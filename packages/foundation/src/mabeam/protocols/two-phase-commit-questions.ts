import type { CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';

const votes = ['yes', 'no'] as const;

/** `yes` is a promise to commit whenever it is asked for, also after a crash. */
export type CommitVote = (typeof votes)[number];

/** What a participant of a two-phase commit is asked about. Body of each request, too. */
export interface TransactionQuestion {
  /** Name of the transaction. */
  readonly transaction: string;
}

/** Body of the answer to `prepare`. */
export interface VoteReply {
  readonly vote: CommitVote;
}

/** Asks a participant whether it can commit. */
export const prepareQuestion: Question<TransactionQuestion, CommitVote> = {
  type: 'prepare',
  parse: parseQuestion,
  reply: (vote) => parseVote({ vote }),
};

/** Tells a participant to commit. That it answers is its acknowledgement. */
export const commitQuestion: Question<TransactionQuestion, void> = decided('commit');

/** Tells a participant to abort. That it answers is its acknowledgement. */
export const abortQuestion: Question<TransactionQuestion, void> = decided('abort');

function decided(type: 'commit' | 'abort'): Question<TransactionQuestion, void> {
  return { type, parse: parseQuestion, reply: () => parsed({}) };
}

/** Reads the answer to `prepare`. */
export function parseVote(body: unknown): Parsed<VoteReply> {
  if (!isRecord(body)) return unparsed(`body: expected { vote }, got ${shown(body)}`);
  const extra = unknownField(body, ['vote']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { vote } = body;
  return isOneOf(votes, vote)
    ? parsed({ vote })
    : unparsed(`body.vote: expected yes or no, got ${shown(vote)}`);
}

function parseQuestion({ body }: CoordinationRequest): Parsed<TransactionQuestion> {
  const transaction = isRecord(body) ? body['transaction'] : undefined;
  return typeof transaction === 'string'
    ? parsed({ transaction })
    : unparsed(`body.transaction: expected a text, got ${shown(transaction)}`);
}

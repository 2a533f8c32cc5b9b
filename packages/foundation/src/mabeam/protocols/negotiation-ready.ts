import { FoundationError } from '../../errors.ts';
import { moveAtTurn, moveInRound } from '../negotiators.ts';
import { isRecord, shown } from '../parse.ts';
import { type NegotiationMove, offerQuestion } from './alternating-offers-questions.ts';
import { type ConcessionMove, concedeQuestion } from './monotonic-concession-questions.ts';
import { type ReadyReply, readyAmount, understood } from './ready-reply.ts';

/** Scripted negotiators, by name. */
export const readyReplies = {
  /** `offer` and `concede`: goes evenly from one amount to another, as time goes by: `{ "from": "100", "to": "60" }`. */
  concede: (argument: unknown): ReadyReply<NegotiationMove | ConcessionMove> => {
    if (!isRecord(argument)) {
      const expected = 'concede: expected { from, to }';
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    const from = readyAmount('concede.from', argument['from']);
    const to = readyAmount('concede.to', argument['to']);
    return (request) =>
      request.type === concedeQuestion.type
        ? moveInRound(understood(concedeQuestion, request), request.to, { from, to })
        : moveAtTurn(understood(offerQuestion, request), { from, to });
  },
} as const;

import { FoundationError } from '../../errors.ts';
import { moveAtTurn, moveInRound } from '../negotiators.ts';
import { isRecord, shown } from '../parse.ts';
import { type NegotiationMove, offerQuestion } from './alternating-offers-questions.ts';
import { type ConcessionMove, concedeQuestion } from './monotonic-concession-questions.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';

const asked = [offerQuestion, concedeQuestion];

/** Scripted negotiators, by name. */
export const readyReplies = {
  /** `offer` and `concede`: goes evenly from one amount to another, as time goes by: `{ "from": "100", "to": "60" }`. */
  concede: answering<NegotiationMove | ConcessionMove>(asked, (argument) => {
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
  }),
} as const;

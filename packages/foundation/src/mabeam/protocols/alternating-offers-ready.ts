import { FoundationError } from '../../errors.ts';
import { concede } from '../negotiators.ts';
import { isRecord, shown } from '../parse.ts';
import { type NegotiationMove, offerQuestion } from './alternating-offers-questions.ts';
import { type ReadyReply, readyAmount, understood } from './ready-reply.ts';

/** Scripted negotiators, by name. */
export const readyReplies = {
  /** `offer`: goes evenly from one amount to another, as turns go by: `{ "from": "100", "to": "60" }`. */
  concede: (argument: unknown): ReadyReply<NegotiationMove> => {
    if (!isRecord(argument)) {
      const expected = 'concede: expected { from, to }';
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    const from = readyAmount('concede.from', argument['from']);
    const to = readyAmount('concede.to', argument['to']);
    return (request) => concede(understood(offerQuestion, request), { from, to });
  },
} as const;

import { FoundationError } from '../../errors.ts';
import { type Amount, parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import type { Question } from '../question.ts';

/** Makes the body of a reply to a request: a participant without a process, for what-if studies. */
export type ReadyReply<B = unknown> = (request: CoordinationRequest) => B;

/** @throws FoundationError `INVALID_OPTION` for what is no amount. */
export function readyAmount(name: string, argument: unknown): Amount {
  const amount = parseAmount(name, argument);
  if (amount.ok) return amount.value;
  throw new FoundationError('INVALID_OPTION', amount.reason);
}

/** @throws FoundationError `INVALID_OPTION` for a request that it is no answer to. */
export function understood<Q>(question: Question<Q, never>, request: CoordinationRequest): Q {
  const asked = question.parse(request);
  if (request.type === question.type && asked.ok) return asked.value;
  throw new FoundationError(
    'INVALID_OPTION',
    `expected a request of type ${question.type}, got ${request.type}`,
  );
}

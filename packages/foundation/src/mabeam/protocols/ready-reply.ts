import { FoundationError } from '../../errors.ts';
import { type Amount, parseAmount } from '../amount.ts';
import type { CoordinationRequest } from '../message.ts';
import { type Parsed, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';

/** Makes the body of a reply to a request: a participant without a process, for what-if studies. Undefined: no answer. */
export type ReadyReply<B = unknown> = (request: CoordinationRequest) => B;

/** Makes a scripted participant from what the script says about it. */
export interface ReadyReplyMaker<B = unknown> {
  /** @throws Error that says what is wrong with the argument. */
  (argument: unknown): ReadyReply<B>;
  /** Types of the requests that it answers. */
  readonly answers: readonly string[];
}

/** A scripted participant that answers some questions. */
export function answering<B>(
  questions: readonly { readonly type: string }[],
  make: (argument: unknown) => ReadyReply<B>,
): ReadyReplyMaker<B> {
  const maker = (argument: unknown): ReadyReply<B> => make(argument);
  return Object.assign(maker, { answers: questions.map(({ type }) => type) });
}

/** @throws FoundationError `INVALID_OPTION` for what is no amount. */
export function readyAmount(name: string, argument: unknown): Amount {
  const amount = parseAmount(name, argument);
  if (amount.ok) return amount.value;
  throw new FoundationError('INVALID_OPTION', amount.reason);
}

/** @throws FoundationError `INVALID_OPTION` for a request that it is no answer to. */
export function understood<Q>(question: Question<Q, never>, request: CoordinationRequest): Q {
  const { type } = question;
  const asked: Parsed<Q> =
    request.type === type
      ? question.parse(request)
      : unparsed(`expected a request of type ${type}, got ${request.type}`);
  if (asked.ok) return asked.value;
  throw new FoundationError('INVALID_OPTION', asked.reason);
}

import type { CoordinationRequest } from './message.ts';
import type { Parsed } from './parse.ts';

/** Why there is no answer. */
export interface Decline {
  readonly decline: string;
}

/**
 * Answers one kind of request. `C` is the context of its process, `Q` what it is asked, `A` what it answers.
 * An error it throws is the process's own crash.
 */
export type Asked<C, Q, A> = (
  ctx: C,
  question: Q,
  request: CoordinationRequest,
) => A | Decline | Promise<A | Decline>;

/** One kind of request, between the wire and who answers it. */
export interface Question<Q, A> {
  /** Of the request: `get_bid`, `get_vote`, … */
  readonly type: string;
  /** Reads what is asked. */
  parse(request: CoordinationRequest): Parsed<Q>;
  /** Body of the reply. Not ok: what was answered makes no sense. */
  reply(answer: A): Parsed<unknown>;
}

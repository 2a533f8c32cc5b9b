import { isDeepStrictEqual } from 'node:util';

import type { AgentId, CoordinationReply, CoordinationRequest, SessionId } from './message.ts';
import type { Answer } from './protocol.ts';

/**
 * What became of an answer. `accepted` and `declined` count; `repeat` changes nothing; all others
 * are rejections. Conditions are tried in the order of this list, `malformed` replies first.
 */
export type Verdict =
  | 'wrong_session'
  | 'wrong_nonce'
  | 'not_in_roster'
  | 'wrong_sender'
  | 'wrong_round'
  | 'late'
  | 'repeat'
  | 'equivocation'
  | 'malformed'
  | 'not_understood'
  | 'error'
  | 'declined'
  | 'accepted';

/** A request and what is known of its answer. */
export interface Ask {
  /** As it was sent last. */
  request: CoordinationRequest;
  /** The reply that was admitted. */
  reply: CoordinationReply | undefined;
  /** What counts when the round closes. */
  answer: Answer<unknown> | undefined;
}

/** An answer as it was read: a reply, unless `unreadable` says why there is none or no body. */
export interface Reading {
  readonly reply?: CoordinationReply;
  readonly unreadable?: string;
}

/** What admission looks at besides the answer. */
export interface AdmissionContext {
  readonly session: SessionId;
  /** Whether the sender is in the roster. */
  readonly isMember: boolean;
  /** The request whose nonce the reply quotes. */
  readonly ask: Ask | undefined;
  /** Who sent the answer. */
  readonly from: AgentId;
  /** Whether the round of that request still takes answers. */
  readonly isOpen: boolean;
}

/**
 * Decides about one answer: right session and nonce, sender in the roster, round open, first answer
 * of this sender, well-formed. It never throws.
 */
export function admit({ reply, unreadable }: Reading, context: AdmissionContext): Verdict {
  const { ask, from } = context;
  if (reply === undefined) return 'malformed';
  if (reply.session !== context.session) return 'wrong_session';
  if (ask === undefined) return 'wrong_nonce';
  if (!context.isMember) return 'not_in_roster';
  if (reply.from !== from || ask.request.to !== from) return 'wrong_sender';
  if (reply.round !== ask.request.round) return 'wrong_round';
  if (!context.isOpen) return 'late';
  if (ask.reply !== undefined) {
    return unreadable === undefined && isDeepStrictEqual(reply, ask.reply)
      ? 'repeat'
      : 'equivocation';
  }
  if (ask.answer !== undefined) return 'late';
  if (unreadable !== undefined) return 'malformed';
  return verdictOf(reply);
}

function verdictOf(reply: CoordinationReply): Verdict {
  switch (reply.status) {
    case 'ok':
      return 'accepted';
    case 'decline':
      return 'declined';
    case 'not_understood':
    case 'error':
      return reply.status;
  }
}

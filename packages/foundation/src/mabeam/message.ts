import { clipped, isOneOf, isRecord, type Parsed, parsed, shown, unparsed } from './parse.ts';

/** Name under which an agent takes part. Unique in a roster. */
export type AgentId = string;
/** 128-bit random name of one session, in hexadecimal. */
export type SessionId = string;

/** The one message that every participant of every protocol answers. */
export interface CoordinationRequest<T extends string = string, B = unknown> {
  readonly kind: 'mabeam.coordination.request';
  readonly v: 1;
  readonly session: SessionId;
  /** Such as `auction.vickrey`. */
  readonly protocol: string;
  /** Frozen for the life of the session. */
  readonly protocolVersion: string;
  /** What is asked: `get_bid`, `get_vote`, … */
  readonly type: T;
  /** Whom the request is for: the name to answer under. */
  readonly to: AgentId;
  /** Counts from 1. */
  readonly round: number;
  /** Strictly increasing within a session. */
  readonly seq: number;
  /** Term of the coordinator: grows when another one takes over. A fencing token. */
  readonly epoch: number;
  /** 128 bits that bind a reply to this request. */
  readonly nonce: string;
  /**
   * Time left to answer, in milliseconds from the receipt: clocks of other machines are not trusted. 0 for a
   * notice: nobody waits for an answer.
   */
  readonly budgetMs: number;
  /** `session|round|type|recipient`. */
  readonly idempotencyKey: string;
  readonly body: B;
  /** W3C trace context. */
  readonly traceparent?: string;
}

const replyStatuses = ['ok', 'decline', 'not_understood', 'error'] as const;

/** Whether a participant answers, and if not why. */
export type ReplyStatus = (typeof replyStatuses)[number];

/** What a participant answers. */
export interface CoordinationReply<B = unknown> {
  readonly kind: 'mabeam.coordination.reply';
  readonly v: 1;
  readonly session: SessionId;
  readonly round: number;
  readonly nonce: string;
  readonly from: AgentId;
  readonly status: ReplyStatus;
  /** Present when `status` is `ok`. */
  readonly body?: B;
  /** Why not, when `status` is something else. */
  readonly reason?: string;
  /** Signature over the canonical JSON. Carried, not checked yet. */
  readonly sig?: string;
}

/** Longest text field of a message, in characters. */
const textMax = 1_024;

interface Check {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}
const text: Check = {
  expected: `a text of at most ${textMax} characters`,
  holds: (value) => typeof value === 'string' && value.length <= textMax,
};
const count: Check = {
  expected: 'a whole number from 0',
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const optional = ({ expected, holds }: Check): Check => ({
  expected,
  holds: (value) => value === undefined || holds(value),
});
const exactly = (wanted: string | number): Check => ({
  expected: JSON.stringify(wanted),
  holds: (value) => value === wanted,
});

type Checks = readonly (readonly [field: string, check: Check])[];

const requestFields: Checks = Object.entries({
  kind: exactly('mabeam.coordination.request'),
  v: exactly(1),
  session: text,
  protocol: text,
  protocolVersion: text,
  type: text,
  to: text,
  round: count,
  seq: count,
  epoch: count,
  nonce: text,
  budgetMs: {
    expected: 'a number of milliseconds from 0',
    holds: (value) => Number.isFinite(value) && Number(value) >= 0,
  },
  idempotencyKey: { ...text, holds: (value) => typeof value === 'string' },
  traceparent: optional(text),
});

const replyFields: Checks = Object.entries({
  kind: exactly('mabeam.coordination.reply'),
  v: exactly(1),
  session: text,
  round: count,
  nonce: text,
  from: text,
  status: {
    expected: `one of ${replyStatuses.join(', ')}`,
    holds: (value) => isOneOf(replyStatuses, value),
  },
  reason: optional({ expected: 'a text', holds: (value) => typeof value === 'string' }),
  sig: optional(text),
});

function complaint(value: unknown, fields: Checks, name: string): string | undefined {
  if (!isRecord(value)) return `expected a ${name}, got ${shown(value)}`;
  for (const [field, check] of fields) {
    if (!check.holds(value[field])) {
      return `${field}: expected ${check.expected}, got ${shown(value[field])}`;
    }
  }
  return undefined;
}

function isRequest(value: unknown): value is CoordinationRequest {
  return complaint(value, requestFields, 'request') === undefined;
}

function isReply(value: unknown): value is CoordinationReply {
  return complaint(value, replyFields, 'reply') === undefined;
}

/** Reads a request. Its `body` is not looked at: the protocol's participant does that. */
export function parseRequest(value: unknown): Parsed<CoordinationRequest> {
  return isRequest(value)
    ? parsed(value)
    : unparsed(complaint(value, requestFields, 'request') ?? 'unreadable');
}

/** Reads a reply. Fields that are not a reply's are dropped; `body` is left for the protocol. */
export function parseReply(value: unknown): Parsed<CoordinationReply> {
  if (!isReply(value)) return unparsed(complaint(value, replyFields, 'reply') ?? 'unreadable');
  const { kind, v, session, round, nonce, from, status, body, reason, sig } = value;
  // In the order of canonical JSON, which costs the audit log less; in one shape for nearly all, which costs memory less.
  if (body !== undefined && reason === undefined && sig === undefined) {
    return parsed({ body, from, kind, nonce, round, session, status, v });
  }
  return parsed({
    ...(body === undefined ? {} : { body }),
    from,
    kind,
    nonce,
    ...(reason === undefined ? {} : { reason: clipped(reason, textMax) }),
    round,
    session,
    ...(sig === undefined ? {} : { sig }),
    status,
    v,
  });
}

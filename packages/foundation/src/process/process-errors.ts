import type { StandardSchemaV1 } from '@standard-schema/spec';

import { FoundationError, messageOf } from '../errors.ts';
import type { Refused } from './answer.ts';
import type { Envelope } from './envelope.ts';

export function overloaded(who: string, mailboxMax: number): FoundationError {
  return new FoundationError(
    'OVERLOADED',
    `the mailbox of ${who} is full (${mailboxMax} messages)`,
    {
      hint: 'Send less, start more processes, or raise `mailboxMax`. Nothing was executed.',
      details: { mailboxMax },
    },
  );
}

export function overRate(who: string, messagesPerSecond: number): FoundationError {
  return new FoundationError(
    'OVERLOADED',
    `${who} takes no more than ${messagesPerSecond} messages a second`,
    {
      hint: 'Send less, or raise `messagesPerSecond` of its limits. Nothing was executed.',
      details: { messagesPerSecond },
    },
  );
}

/** What is wrong with a value, for people and for programs. */
export function complaint(issues: readonly StandardSchemaV1.Issue[]): {
  readonly why: string;
  readonly plain: readonly { readonly message: string; readonly path: readonly string[] }[];
} {
  const plain = issues.map(({ message, path = [] }) => ({
    message,
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)),
  }));
  const why = plain.map((each) => [each.path.join('.'), each.message].filter(Boolean).join(': '));
  return { why: why.join('; '), plain };
}

export function invalidMessage(
  who: string,
  message: string,
  issues: readonly StandardSchemaV1.Issue[],
): FoundationError {
  const { why, plain } = complaint(issues);
  return new FoundationError('INVALID_MESSAGE', `"${message}" to ${who} is not valid: ${why}`, {
    hint: 'Give what its schema asks for. Nothing was executed.',
    details: { message, issues: plain },
  });
}

/** What a caller gets whose reply the schema of the call refuses. */
export function unfitReply(
  who: string,
  message: string,
  issues: readonly StandardSchemaV1.Issue[],
): FoundationError {
  const { why, plain } = complaint(issues);
  return new FoundationError(
    'INVALID_REPLY',
    `the reply of ${who} to "${message}" is not valid: ${why}`,
    {
      hint: 'The handler ran, and its process lives on. Mend what it returns, or the schema.',
      details: { message, issues: plain },
    },
  );
}

/** @param more - What to do instead. */
export function nodeStopped(node: string, more: string): FoundationError {
  return new FoundationError('NODE_STOPPED', `the node "${node}" has stopped`, { hint: more });
}

export function overloadedLoop(who: string): FoundationError {
  return new FoundationError('OVERLOADED', `the event loop of the node of ${who} is late`, {
    hint: 'Nothing was executed. Give the node less to do, or raise `lagMaxMs` of `startNode`.',
  });
}

export function tooManyDeferred(who: string, deferredMax: number): FoundationError {
  return new FoundationError('OVERLOADED', `${who} has deferred ${deferredMax} messages`, {
    hint: 'Send less, or raise `deferredMax`. Nothing was executed.',
    details: { deferredMax },
  });
}

export function replyNotReturned(name: string): FoundationError {
  return new FoundationError(
    'INVALID_OPTION',
    `the handler of "${name}" took its reply into hand and returned nothing`,
    { hint: 'Return what `ctx.replyTo()` gave: its caller would get `undefined` at once.' },
  );
}

export function deferredTooLate(): FoundationError {
  return new FoundationError('INVALID_OPTION', '`ctx.defer()` after the handler of the message', {
    hint: 'Call it in the handler, and do nothing else then.',
  });
}

export function initTimeout(who: string, initTimeoutMs: number): FoundationError {
  return new FoundationError(
    'START_FAILED',
    `\`init\` of ${who} took longer than ${initTimeoutMs} ms`,
    {
      hint: 'Raise `initTimeoutMs`, or do the slow part in `continue`. What it began may still go on.',
      details: { initTimeoutMs },
    },
  );
}

export function startRefused(who: string, refused: Refused): FoundationError {
  return new FoundationError('REFUSED', `${who} refused to start: ${refused.code}`, {
    details: { code: refused.code, data: refused.data },
  });
}

export function startFailed(who: string, error: unknown): unknown {
  if (error instanceof FoundationError && error.code === 'REFUSED') return error;
  return new FoundationError('START_FAILED', `${who} did not start: ${messageOf(error)}`, {
    hint: 'The cause is the error of its `init`.',
    cause: error,
  });
}

export function notAnObject(who: string, made: unknown): FoundationError {
  return new FoundationError('INVALID_DEFINITION', `\`init\` of ${who} gave ${String(made)}`, {
    hint: 'The state of a process must be an object.',
  });
}

export function unknownMessage(who: string, { kind, name }: Envelope): FoundationError {
  return new FoundationError('INVALID_MESSAGE', `${who} has no ${kind} "${name}"`, {
    hint: 'Both sides must use the same definition.',
    details: { message: name },
  });
}

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

export function invalidMessage(
  who: string,
  message: string,
  issues: readonly StandardSchemaV1.Issue[],
): FoundationError {
  const plain = issues.map(({ message: text, path = [] }) => ({
    message: text,
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)),
  }));
  const why = plain.map((each) => [each.path.join('.'), each.message].filter(Boolean).join(': '));
  return new FoundationError(
    'INVALID_MESSAGE',
    `"${message}" to ${who} is not valid: ${why.join('; ')}`,
    {
      hint: 'Nothing was executed.',
      details: { message, issues: plain },
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

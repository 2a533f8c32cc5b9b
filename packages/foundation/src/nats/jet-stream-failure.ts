import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';

import { FoundationError, isFoundationError } from '../errors.ts';
import { forbidden } from './nats-refusal.ts';

/**
 * Whether a request that failed has had no effect for certain: a server has refused it, nobody was there to hear it, or
 * it was never sent. (A server that knows no leader of the stream says that JetStream is not enabled: that passes.)
 */
export function isWithoutEffect(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      isFoundationError(cause) ||
      cause instanceof JetStreamApiError ||
      cause instanceof errors.NoRespondersError ||
      cause instanceof errors.PermissionViolationError ||
      cause instanceof errors.ClosedConnectionError ||
      cause instanceof errors.DrainingConnectionError ||
      cause instanceof errors.InvalidArgumentError,
  );
}

/** Whether a server has refused because another entry is the newest, or may be in a moment. */
export function isMismatch(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
  return error.code === StreamWrongLastSequence || error.code === StreamWrongLastSequenceUnknown;
}

/** What trying again cannot change, as users see it. */
export function finalFailure(error: unknown): FoundationError | undefined {
  for (const cause of causesOf(error)) {
    if (isFoundationError(cause)) return cause.retryable ? undefined : cause;
    if (cause instanceof errors.PermissionViolationError) return forbidden(cause);
  }
  return undefined;
}

export function notConnected(servers: string): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `there is no connection to NATS at ${servers}`, {
    hint: 'It is made again by itself as soon as a server answers.',
    traits: { retryable: true, outcome: 'not-executed' },
  });
}

function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at);
  return causes;
}

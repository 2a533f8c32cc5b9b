import { errors, type PermissionViolationError, type Status } from '@nats-io/transport-node';

import { FoundationError, isFoundationError, messageOf } from '../errors.ts';

const credentialsHint = 'Compare its credentials with the users of the NATS servers.';

/** Why a server does not take a client. */
export function refusalOf(error: unknown, server: string): FoundationError {
  if (isFoundationError(error)) return error;
  const reason = messageOf(error);
  const what = `the NATS server ${server} does not take this client: ${reason}`;
  if (isAboutCredentials(error)) {
    return new FoundationError('AUTHENTICATION_FAILED', what, {
      hint: credentialsHint,
      cause: error,
    });
  }
  if (error instanceof errors.ConnectionError && reason.includes("support 'tls'")) {
    return new FoundationError('AUTHENTICATION_FAILED', `the NATS server ${server} offers no TLS`, {
      hint: "Set TLS up there, or allow `plaintext: 'anywhere'` where nobody can listen.",
      cause: error,
    });
  }
  if (isAboutCertificates(error)) {
    return new FoundationError('AUTHENTICATION_FAILED', what, {
      hint: 'Compare `tls.caFile` with the authority that has signed the certificates of the NATS servers.',
      cause: error,
    });
  }
  return new FoundationError('NODE_UNREACHABLE', `${server}: ${reason}`, { cause: error });
}

export function noneAnswers(refusals: readonly FoundationError[]): FoundationError {
  const reasons = refusals.map(({ message }) => message).join('; ');
  return new FoundationError('NODE_UNREACHABLE', `no NATS server answers: ${reasons}`, {
    hint: 'Check that nats-server runs there, and the addresses in `servers` or NATS_URL.',
    cause: refusals.at(-1),
  });
}

/** What a server says against this client while it is connected. */
export function problemOf(status: Status): FoundationError | undefined {
  if (status.type !== 'error') return undefined;
  const { error } = status;
  if (error instanceof errors.PermissionViolationError) return forbidden(error);
  if (isAboutCredentials(error)) {
    const what = `the NATS server does not take this client any more: ${messageOf(error)}`;
    return new FoundationError('AUTHENTICATION_FAILED', what, { hint: credentialsHint });
  }
  const what = `the NATS server has cut this client off: ${messageOf(error)}`;
  return new FoundationError('NODE_UNREACHABLE', what, { cause: error });
}

export function broken(server: string): FoundationError {
  const what = `the connection to the NATS server ${server} broke`;
  return new FoundationError('NODE_UNREACHABLE', what, {
    hint: 'It is made anew. If the server runs: it cuts off who does not read for ten seconds, so look for a blocked event loop.',
  });
}

function isAboutCredentials(error: unknown): boolean {
  return (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError
  );
}

/** An error of TLS, or one that has it as its cause. */
function isAboutCertificates(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /CERT|TLS|SSL|SIGNATURE/.test(code) || isAboutCertificates(error.cause);
}

/** A server refuses what this client may not do. */
export function forbidden({ operation, subject }: PermissionViolationError): FoundationError {
  const what = `this client has no permission for a ${operation} to "${subject}" on NATS`;
  return new FoundationError('AUTHENTICATION_FAILED', what, {
    hint: 'Give this user the permissions of "Who may do what" in docs/guide/nats.md.',
    details: { operation, subject },
  });
}

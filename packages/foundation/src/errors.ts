/** What a caller may conclude from an error. */
export interface ErrorTraits {
  /** Whether trying again, unchanged, can succeed. */
  readonly retryable: boolean;
  /** `not-executed`: the operation had no effect. `unknown`: it may have been carried out. */
  readonly outcome: 'not-executed' | 'unknown';
}

const never: ErrorTraits = { retryable: false, outcome: 'not-executed' };
const later: ErrorTraits = { retryable: true, outcome: 'not-executed' };
const unknown: ErrorTraits = { retryable: false, outcome: 'unknown' };

/** Every code that `@foundation/core` uses. Each has a heading in `docs/reference/errors.md`. */
export const foundationErrors = {
  // calls
  CALL_TIMEOUT: unknown,
  NODE_DOWN: unknown,
  PROCESS_DOWN: unknown,
  ABORTED: unknown,
  NO_PROCESS: later,
  OVERLOADED: later,
  INVALID_MESSAGE: never,
  INVALID_REPLY: unknown,
  REFUSED: never,
  CALL_CYCLE: never,
  CONTEXT_TOO_LARGE: never,
  // processes
  START_FAILED: never,
  NAME_TAKEN: never,
  INVALID_DEFINITION: never,
  UNKNOWN_DEFINITION: never,
  UNRESPONSIVE: unknown,
  // values and bytes
  INVALID_VALUE: never,
  NOT_SERIALIZABLE: never,
  MALFORMED: never,
  FRAME_TOO_LARGE: never,
  // options
  INVALID_OPTION: never,
  // cluster
  INVALID_NODE_NAME: never,
  SECRET_INVALID: never,
  SECRET_MISSING: never,
  CERTIFICATE_INVALID: never,
  AUTHENTICATION_FAILED: never,
  IDENTITY_MISMATCH: never,
  PROTOCOL_VERSION: never,
  WRONG_CLUSTER: never,
  DUPLICATE_LINK: later,
  STALE_INCARNATION: never,
  NODE_UNREACHABLE: later,
  NODE_STOPPED: never,
  ADDRESS_IN_USE: later,
  DISCOVERY_FAILED: later,
  // store
  STORE_UNAVAILABLE: { retryable: true, outcome: 'unknown' },
  STORE_CONFLICT: later,
  NO_QUORUM: later,
  STORE_UNSUITABLE: never,
  LEASE_LOST: never,
  FENCED: never,
  // coordination
  UNKNOWN_PROTOCOL: never,
  UNKNOWN_SESSION: never,
  INVALID_SPEC: never,
  UNKNOWN_AGENT: never,
  UPDATE_REJECTED: never,
  UNKNOWN_VARIABLE: never,
  UNKNOWN_FUNCTION: never,
  ACCESS_DENIED: never,
  OVER_BUDGET: never,
  UNKNOWN_ACCOUNT: never,
  UNKNOWN_RESERVATION: never,
  RESERVATION_CLOSED: never,
  KEY_REUSED: never,
  // anything a program above defines, or an error that came from elsewhere
  INTERNAL: unknown,
} as const satisfies Record<string, ErrorTraits>;

const ownTraits: ReadonlyMap<string, ErrorTraits> = new Map(Object.entries(foundationErrors));

/** A code of `@foundation/core` itself. */
export type FoundationErrorCode = keyof typeof foundationErrors;

/** What an error tells beside its code and message. */
export interface ErrorOptions {
  /** What to do about it, in one sentence. */
  readonly hint?: string;
  /** JSON-safe facts, such as the offending value. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

const brand = Symbol.for('@foundation/core.error');

/** The one class of error that Foundation throws. Compare `code`, never the message. */
export class FoundationError extends Error implements ErrorTraits {
  override readonly name = 'FoundationError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly outcome: 'not-executed' | 'unknown';

  constructor(
    code: FoundationErrorCode,
    message: string,
    options?: ErrorOptions & { readonly traits?: ErrorTraits },
  );
  /** For a code of another table: what a caller may conclude from it is given with it. */
  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { readonly traits: ErrorTraits },
  );
  constructor(
    code: string,
    message: string,
    options: Partial<{ traits: ErrorTraits }> & ErrorOptions = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    const known = options.traits ?? ownTraits.get(code) ?? unknown;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = known.retryable;
    this.outcome = known.outcome;
  }

  /** What `JSON.stringify` writes: all but the stacks, which are for those who have the source. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { name, code, message, hint, details, retryable, outcome, cause } = this;
    const told = { name, code, message, hint, details, retryable, outcome };
    return cause === undefined ? told : { ...told, cause: causeOf(cause) };
  }

  get [brand](): true {
    return true;
  }
}

/** What caused an error, without what is behind it in turn. */
function causeOf(cause: unknown): Readonly<Record<string, unknown>> {
  const message = messageOf(cause);
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? { code, message } : { message };
}

/** The frames of some code that had something done: it is their line that people look for. */
export interface CallSite {
  readonly stack?: string;
}

/** The same error, with the place from which what failed was asked for in place of where it was made. */
export function calledFrom(error: FoundationError, { stack = '' }: CallSite): FoundationError {
  const { code, message, hint, details, cause, retryable, outcome } = error;
  const located = new FoundationError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...('cause' in error ? { cause } : {}),
    details,
    traits: { retryable, outcome },
  });
  located.stack = `${error.name}: ${message}${stack.slice(stack.indexOf('\n'))}`;
  return located;
}

/** Whether a value is a {@link FoundationError}, also one of another copy of this package. */
export function isFoundationError(value: unknown): value is FoundationError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Makes a constructor for a package's own table of codes. */
export function defineErrors<const Table extends Record<string, ErrorTraits>>(
  table: Table,
): (code: keyof Table & string, message: string, options?: ErrorOptions) => FoundationError {
  return (code, message, options) =>
    new FoundationError(code, message, { ...options, traits: table[code] ?? unknown });
}

/** The message of anything thrown. Never throws itself, whatever that is. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that has no text was thrown';
  }
}

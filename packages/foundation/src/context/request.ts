import { context as openTelemetry, ROOT_CONTEXT, type Context as Trace } from '@opentelemetry/api';

import type { Clock } from '../clock.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import type { Codec } from '../wire/codec.ts';
import {
  asValues,
  contextValueKinds,
  isRecord,
  unfitPath,
  type ContextValues,
} from './context-values.ts';
import { contextWireBytesMax, open, seal } from './sealed-bytes.ts';
import { extract, inject, type Carrier } from './trace-carrier.ts';

/** What follows a request through every process that works for it. */
export interface RequestContext {
  /** Given or drawn by `node.context.run`; undefined where only a trace follows. */
  readonly requestId: string | undefined;
  /** The user's own values, frozen. */
  readonly values: ContextValues;
  /** Milliseconds until the request is over; Infinity without a deadline. */
  readonly remainingMs: number;
}

/** What `node.context.run` adds to the context at hand. */
export interface RequestOptions {
  /** @defaultValue the one at hand, otherwise a new one */
  readonly requestId?: string;
  /** Added to the values at hand: JSON values, bigint, undefined, refs and pids, at most 64 KiB encoded. */
  readonly values?: ContextValues;
  /** Milliseconds the whole request may take. @defaultValue what is left at hand, otherwise no limit */
  readonly timeoutMs?: number;
}

interface Deadline {
  readonly clock: Clock;
  readonly atMs: number;
}

interface Parts {
  readonly requestId?: string | undefined;
  readonly values?: ContextValues | undefined;
  /** The values as they go over the wire: encoded once, however many messages they follow. */
  readonly sealed?: Uint8Array | undefined;
  readonly codec?: Codec | undefined;
  readonly deadline?: Deadline | undefined;
  readonly trace?: Trace | undefined;
  readonly carrier?: Uint8Array | undefined;
}

/** A request context as it goes over the wire: id, values, trace, milliseconds left. */
export type WireRequest = readonly [
  requestId: string | undefined,
  values: Uint8Array | undefined,
  carrier: Uint8Array | undefined,
  remainingMs: number | undefined,
];

const requestIdCharsMax = 200;

/** The request context that travels with messages. Never changes; what adds to it makes another. */
export class Request implements RequestContext {
  /** Whether there has been any in this thread. */
  static isInUse = false;
  readonly #parts: Parts;
  #values: ContextValues | undefined;
  #trace: Trace | undefined;

  private constructor(parts: Parts) {
    Request.isInUse = true;
    this.#parts = parts;
    this.#values = parts.values;
    this.#trace = parts.trace;
  }

  /** @throws FoundationError `INVALID_OPTION`, `NOT_SERIALIZABLE` or `CONTEXT_TOO_LARGE` */
  static derive(
    outer: Request | undefined,
    options: RequestOptions,
    env: { readonly codec: Codec; readonly clock: Clock; readonly newId: () => string },
  ): Request {
    checkOptions(options);
    const { codec, clock } = env;
    const requestId = options.requestId ?? outer?.requestId ?? env.newId();
    const deadline = soonest(outer, options.timeoutMs, clock);
    const parts = { ...outer?.parts, requestId, codec, deadline };
    if (options.values === undefined) return new Request(parts);
    const bytes = codec.encode({ ...outer?.values, ...options.values });
    const sealed = seal(bytes, 'the values of a context');
    const decoded = codec.decode(bytes);
    const path = unfitPath(decoded);
    if (path !== undefined) {
      throw invalidOption(running, { [path]: options.values }, contextValueKinds);
    }
    return new Request({ ...parts, values: asValues(decoded), sealed });
  }

  /** The request with the trace that is active now, if there is one. */
  static traced(request: Request | undefined): Request | undefined {
    const active = openTelemetry.active();
    if (active === ROOT_CONTEXT || active === request?.trace) return request;
    return Request.withTrace(request, active);
  }

  static withTrace(request: Request | undefined, trace: Trace): Request {
    if (request === undefined) return new Request({ trace });
    return new Request({ ...request.parts, trace });
  }

  /** The request that came with a message from another runtime. */
  static parse(codec: Codec, clock: Clock, wire: WireRequest | undefined): Request | undefined {
    if (wire === undefined) return undefined;
    const [requestId, sealed, carrier, remainingMs] = wire;
    const deadline =
      remainingMs === undefined ? undefined : { clock, atMs: clock.now() + remainingMs };
    return new Request({ requestId, sealed, carrier, codec, deadline });
  }

  /** What it is made of, with what was read of it meanwhile. */
  get parts(): Parts {
    return { ...this.#parts, values: this.#values, trace: this.#trace };
  }

  get requestId(): string | undefined {
    return this.#parts.requestId;
  }

  get values(): ContextValues {
    return (this.#values ??= this.#decode());
  }

  get remainingMs(): number {
    const { deadline } = this.#parts;
    return deadline === undefined ? Infinity : Math.max(0, deadline.atMs - deadline.clock.now());
  }

  get deadline(): Deadline | undefined {
    return this.#parts.deadline;
  }

  /** The trace that this request belongs to, where OpenTelemetry is set up here. */
  get trace(): Trace | undefined {
    const { carrier, codec } = this.#parts;
    if (this.#trace === undefined && carrier !== undefined && codec !== undefined) {
      this.#trace = extract(opened(codec, carrier));
    }
    return this.#trace === ROOT_CONTEXT ? undefined : this.#trace;
  }

  /** @throws FoundationError `CONTEXT_TOO_LARGE` for a trace with too much baggage. */
  toWire(codec: Codec): WireRequest {
    const { requestId, sealed, deadline } = this.#parts;
    return [requestId, sealed, this.#carrier(codec), deadline && this.remainingMs];
  }

  #carrier(codec: Codec): Uint8Array | undefined {
    const trace = this.#trace;
    // Without OpenTelemetry here, what came from elsewhere is passed on as it came.
    if (trace === undefined || trace === ROOT_CONTEXT) return this.#parts.carrier;
    const carrier: Carrier | undefined = inject(trace);
    return carrier && seal(codec.encode(carrier), 'the trace and baggage of a context');
  }

  #decode(): ContextValues {
    const { sealed, codec } = this.#parts;
    return asValues(sealed && codec && opened(codec, sealed));
  }
}

/** What another node sealed; nothing if it is no such thing: a handler must not fail by it. */
function opened(codec: Codec, sealed: Uint8Array): unknown {
  try {
    return codec.decode(open(sealed));
  } catch {
    return undefined;
  }
}

function soonest(
  outer: Request | undefined,
  timeoutMs: number | undefined,
  clock: Clock,
): Deadline | undefined {
  if (timeoutMs === undefined) return outer?.deadline;
  const isShorter = outer === undefined || timeoutMs < outer.remainingMs;
  return isShorter ? { clock, atMs: clock.now() + timeoutMs } : outer.deadline;
}

/** Who refuses an option. */
const running = 'context.run';

function checkOptions(options: RequestOptions): void {
  refuseUnknown(running, options, ['requestId', 'values', 'timeoutMs']);
  const { requestId, values, timeoutMs } = options;
  if (requestId !== undefined && !isRequestId(requestId)) {
    throw invalidOption(
      running,
      { requestId },
      `a text of 1 to ${requestIdCharsMax} characters, none of them a control character`,
    );
  }
  if (values !== undefined && !isRecord(values)) {
    throw invalidOption(running, { values }, 'a plain object');
  }
  if (timeoutMs !== undefined) checkNumber(running, { timeoutMs }, { above: 0 });
}

function isRequestId(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0) return false;
  return value.length <= requestIdCharsMax && !/\p{Cc}/u.test(value);
}

/** Whether a decoded value is a context from elsewhere. */
export function isWireRequest(wire: unknown): wire is WireRequest {
  if (!Array.isArray(wire) || wire.length !== 4) return false;
  const [requestId, sealed, carrier, remainingMs]: unknown[] = wire;
  const areBytes = [sealed, carrier].every((each) => each === undefined || isSealed(each));
  const isTime = remainingMs === undefined || (typeof remainingMs === 'number' && remainingMs >= 0);
  return areBytes && isTime && (requestId === undefined || isRequestId(requestId));
}

/** Bytes of `seal`, as far as their number tells. */
function isSealed(value: unknown): boolean {
  return value instanceof Uint8Array && value.length <= contextWireBytesMax + 1;
}

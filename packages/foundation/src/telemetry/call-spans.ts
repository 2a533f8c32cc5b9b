import {
  context as openTelemetry,
  createContextKey,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context as Trace,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

import { Request } from '../context/request.ts';
import { isFoundationError, messageOf } from '../errors.ts';
import type { Envelope } from '../process/envelope.ts';
import type { Process } from '../process/process.ts';
import type { OutgoingCall, RefCore } from '../process/ref.ts';
import { guarded } from './guarded.ts';

/** Name of the tracer and of the meter. */
export const instrumentation = '@foundation/core';

const probe = createContextKey('foundation.probe');
const probed = ROOT_CONTEXT.setValue(probe, true);

/** Whether OpenTelemetry is set up in this program: it makes spans, or keeps a context for its baggage. */
export function isOpenTelemetrySetUp(): boolean {
  return guarded(
    () =>
      tracer() !== undefined ||
      openTelemetry.with(probed, () => openTelemetry.active().getValue(probe) === true),
    false,
  );
}

/** Begins a span; undefined without a tracer. */
function startSpan(name: string, options: SpanOptions, parent: Trace): Span | undefined {
  return guarded(() => tracer()?.startSpan(name, options, parent), undefined);
}

/** The tracer, if a provider is registered. */
function tracer(): Tracer | undefined {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(instrumentation)
    : provider.getTracer(instrumentation);
}

/** Makes a call inside a client span, where there is a tracer, and in the trace that is active. */
export function callInTrace(core: RefCore, outgoing: OutgoingCall): Promise<unknown> {
  const request = Request.traced(outgoing.request);
  const parent = request?.trace ?? ROOT_CONTEXT;
  const { behaviour } = core;
  const attributes = attributesOf(behaviour.name, outgoing.name);
  const options = { kind: SpanKind.CLIENT, attributes };
  const span = startSpan(`${behaviour.name}.${outgoing.name}`, options, parent);
  if (span === undefined) return core.send({ ...outgoing, request });
  const reply = core.send({
    ...outgoing,
    request: Request.withTrace(request, trace.setSpan(parent, span)),
  });
  // What nobody awaits is still to be found out: the caller gets this very promise.
  return reply.then(
    (value) => {
      endWell(span);
      return value;
    },
    (error: unknown) => {
      endFailed(span, error);
      throw error;
    },
  );
}

/**
 * Does something inside a span of its own, where there is a tracer, so that calls it makes belong to it.
 *
 * @returns the span, which the caller ends
 */
export function inSpan(
  name: string,
  attributes: Record<string, string | number>,
  work: () => void,
): Span | undefined {
  const parent = guarded(() => openTelemetry.active(), ROOT_CONTEXT);
  const span = startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
  if (span === undefined) work();
  else openTelemetry.with(trace.setSpan(parent, span), work);
  return span;
}

/** The span of a handler that serves a call, and the request that its own calls belong to. */
export interface ServedSpan {
  readonly span: Span;
  readonly request: Request;
}

/** Begins the span of a handler; undefined without a tracer. */
export function serveInSpan(process: Process, { name, request }: Envelope): ServedSpan | undefined {
  const parent = request?.trace ?? ROOT_CONTEXT;
  const { behaviour } = process;
  const attributes = {
    ...attributesOf(behaviour.name, name),
    'foundation.node': process.runtime.name,
    'foundation.process': process.describe(),
  };
  const options = { kind: SpanKind.SERVER, attributes };
  const span = startSpan(`${behaviour.name}.${name}`, options, parent);
  if (span === undefined) return undefined;
  return { span, request: Request.withTrace(request, trace.setSpan(parent, span)) };
}

export function endWell(span: Span): void {
  guarded(() => span.end(), undefined);
}

export function endFailed(span: Span, error: unknown): void {
  guarded(() => {
    span.recordException(error instanceof Error ? error : messageOf(error));
    span.setAttribute('error.type', isFoundationError(error) ? error.code : 'Error');
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    span.end();
  }, undefined);
}

function attributesOf(definition: string, message: string): Record<string, string> {
  return { 'rpc.system': 'foundation', 'rpc.service': definition, 'rpc.method': message };
}

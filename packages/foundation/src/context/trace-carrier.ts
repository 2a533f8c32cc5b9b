import { propagation, ROOT_CONTEXT, type Context as Trace } from '@opentelemetry/api';

import { guarded } from '../telemetry/guarded.ts';

/** W3C headers by name: `traceparent`, `tracestate`, `baggage`. */
export type Carrier = Record<string, string>;

/** What the propagators that OpenTelemetry is set up with say of a trace; undefined for nothing. */
export function inject(trace: Trace): Carrier | undefined {
  const carrier: Carrier = {};
  guarded(() => propagation.inject(trace, carrier), undefined);
  return Object.keys(carrier).length === 0 ? undefined : carrier;
}

/** The trace that headers from elsewhere belong to. */
export function extract(carrier: unknown): Trace {
  if (!isCarrier(carrier)) return ROOT_CONTEXT;
  return guarded(() => propagation.extract(ROOT_CONTEXT, carrier), ROOT_CONTEXT);
}

function isCarrier(value: unknown): value is Carrier {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((each) => typeof each === 'string')
  );
}

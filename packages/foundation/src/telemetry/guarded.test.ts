import { defineProcess, refuse } from '@foundation/core';
import {
  context,
  INVALID_SPAN_CONTEXT,
  metrics,
  propagation,
  trace,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { failure } from '../../test/alone.ts';
import { openTelemetry } from '../../test/open-telemetry.ts';
import { pair, until } from '../../test/pair.ts';

const broken = vi.fn<() => never>(() => {
  throw new Error('broken plugin');
});

function traceWith(startSpan: () => Span): void {
  const tracer: Tracer = { startSpan, startActiveSpan: broken };
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
}

/** A span that does nothing, but for what is given. */
function spanWith(methods: Partial<Span>): Span {
  return Object.assign(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), methods);
}

/** Spans and baggage as usual, but for how they get from node to node. */
function propagateWith(methods: Partial<TextMapPropagator>): void {
  openTelemetry();
  propagation.disable();
  const headers: TextMapPropagator = {
    fields: () => [],
    inject: (_trace, carrier, setter) => setter.set(carrier, 'traceparent', 'any'),
    extract: (from) => from,
  };
  propagation.setGlobalPropagator({ ...headers, ...methods });
}

/** What may throw, and how OpenTelemetry is set up with it. */
const ways: Readonly<Record<string, () => void>> = {
  getTracer: () => void trace.setGlobalTracerProvider({ getTracer: broken }),
  startSpan: () => traceWith(broken),
  'span.end': () => traceWith(() => spanWith({ end: broken })),
  'span.setStatus': () => traceWith(() => spanWith({ setStatus: broken })),
  'propagation.inject': () => propagateWith({ inject: broken }),
  'propagation.extract': () => propagateWith({ extract: broken }),
  getMeter: () => void metrics.setGlobalMeterProvider({ getMeter: broken }),
};

const shop = defineProcess('shop', {
  init: () => ({ notes: 0 }),
  calls: {
    ok: ({ state }) => state.notes,
    no: () => refuse('CLOSED'),
    okLate: async () => Promise.resolve('ok'),
    crash: () => {
      throw new RangeError('out of paper');
    },
  },
  casts: { note: ({ state }) => void state.notes++ },
});

describe('OpenTelemetry that throws', () => {
  beforeEach(() => {
    broken.mockClear();
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterEach(() => {
    vi.restoreAllMocks();
    for (const each of [trace, context, propagation, metrics]) each.disable();
  });

  it.each(Object.entries(ways))('disturbs no message, here or far away: %s', async (_, setUp) => {
    setUp();
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const near = await here.processes.start(shop);
    await there.processes.start(shop, { name: 'far' });
    await until(() => here.registry.lookup('far') !== undefined);
    for (const ref of [near, here.ref(shop, 'far')]) {
      expect(ref.cast.note()).toBe(true);
      expect(await ref.ok()).toBe(1);
      expect(await ref.okLate()).toBe('ok');
      expect(await failure(ref.no())).toMatchObject({ code: 'REFUSED' });
      expect((await failure(ref.crash())).cause).toMatchObject({ message: 'out of paper' });
    }
    expect([here, there].map((node) => node.counters().floatingRejections)).toEqual([0, 0]);
    expect(broken).toHaveBeenCalled();
  });

  it('is warned of once', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    vi.resetModules();
    // A copy that has warned of nothing yet, whatever came before.
    const { guarded } = await import('./guarded.ts');
    for (let count = 0; count < 3; count++) expect(guarded(broken, 'instead')).toBe('instead');
    expect(warned.mock.calls).toEqual([
      ['OpenTelemetry threw: broken plugin', 'FoundationWarning'],
    ]);
  });
});

import { defineProcess, refuse, type Ref } from '@foundation/core';
import { eventually } from '@foundation/testing';
import {
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  context,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { openTelemetry } from '../../test/open-telemetry.ts';

interface AskApi {
  readonly calls: { active(): string | undefined };
}
const shop = defineProcess('shop', {
  init: () => ({ seen: [] as (string | undefined)[] }),
  calls: {
    active: () => trace.getActiveSpan()?.spanContext().spanId,
    activeLate: async () => {
      await settled();
      return trace.getActiveSpan()?.spanContext().spanId;
    },
    askOn: (_ctx, other: Ref<AskApi>): Promise<string | undefined> => other.active(),
    no: () => refuse('CLOSED'),
    crash: () => {
      throw new RangeError('out of paper');
    },
    later: (ctx, opened: Ref<AskApi>) => ctx.later(() => opened.active()),
    baggage: () => propagation.getActiveBaggage()?.getEntry('tenant')?.value,
    seen: ({ state }) => state.seen,
  },
  casts: {
    note: ({ state }) => void state.seen.push(trace.getActiveSpan()?.spanContext().traceId),
  },
});

function named(spans: readonly ReadableSpan[], name: string, kind: SpanKind): ReadableSpan {
  const found = spans.find((each) => each.name === name && each.kind === kind);
  if (found === undefined) throw new Error(`no span ${name}: ${spans.map((s) => s.name).join()}`);
  return found;
}

describe('calls', () => {
  it('have no spans and no context without OpenTelemetry', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop);
    expect(await ref.active()).toBeUndefined();
  });

  it('are a span at the caller and one at the handler, in one trace', async () => {
    using telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop, { name: 'acme' });
    const active = await ref.active();
    const spans = telemetry.exporter.getFinishedSpans();
    const client = named(spans, 'shop.active', SpanKind.CLIENT);
    const server = named(spans, 'shop.active', SpanKind.SERVER);
    expect(server.parentSpanContext?.spanId).toBe(client.spanContext().spanId);
    expect(server.spanContext().traceId).toBe(client.spanContext().traceId);
    expect(active).toBe(server.spanContext().spanId);
    expect(server.attributes).toMatchObject({
      'rpc.system': 'foundation',
      'rpc.service': 'shop',
      'rpc.method': 'active',
      'foundation.node': 'alone',
      'foundation.process': 'shop "acme"',
    });
  });

  it('continue the trace that is active, and the one of the call that they are made for', async () => {
    using telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const [a, b] = [await node.processes.start(shop), await node.processes.start(shop)];
    const root = trace.getTracer('test').startSpan('root');
    await context.with(trace.setSpan(ROOT_CONTEXT, root), async () => {
      await a.askOn(b);
      await a.later(b);
    });
    const spans = telemetry.exporter.getFinishedSpans();
    expect(spans.length).toBe(8);
    expect(new Set(spans.map((each) => each.spanContext().traceId)).size).toBe(1);
    const outer = named(spans, 'shop.askOn', SpanKind.SERVER);
    const inner = spans.filter(
      (each) => each.name === 'shop.active' && each.kind === SpanKind.CLIENT,
    );
    expect(inner.map((each) => each.parentSpanContext?.spanId)).toContain(
      outer.spanContext().spanId,
    );
  });

  it('keep their span across awaits', async () => {
    using telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop);
    const [first, second] = [await ref.activeLate(), await ref.activeLate()];
    const servers = telemetry.exporter
      .getFinishedSpans()
      .filter((each) => each.kind === SpanKind.SERVER);
    expect([first, second]).toEqual(servers.map((each) => each.spanContext().spanId));
  });

  it('that fail say how: by code, with the error, at both ends', async () => {
    using telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop);
    await failure(ref.no());
    await failure(ref.crash());
    const spans = telemetry.exporter.getFinishedSpans();
    const failed = (name: string, kind: SpanKind) => {
      const { status, attributes } = named(spans, name, kind);
      return [status.code, attributes['error.type']];
    };
    expect(failed('shop.no', SpanKind.CLIENT)).toEqual([SpanStatusCode.ERROR, 'REFUSED']);
    expect(failed('shop.no', SpanKind.SERVER)).toEqual([SpanStatusCode.UNSET, undefined]);
    expect(failed('shop.crash', SpanKind.CLIENT)).toEqual([SpanStatusCode.ERROR, 'PROCESS_DOWN']);
    expect(failed('shop.crash', SpanKind.SERVER)).toEqual([SpanStatusCode.ERROR, 'PROCESS_DOWN']);
  });

  it('that nobody awaits are still laid to who made them, and to nobody else', async () => {
    using _telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const crashes: string[] = [];
    node.events.on('crash', ({ who }) => crashes.push(who));
    const careless = defineProcess('careless', {
      init: () => ({}),
      calls: { leave: (_ctx, other: Ref<{ calls: { no(): void } }>) => void other.no() },
    });
    const [maker, other] = [
      await node.processes.start(careless, { name: 'maker' }),
      await node.processes.start(shop),
    ];
    await maker.leave(other);
    await eventually('the maker has crashed', () => crashes.length > 0);
    expect(crashes).toEqual(['careless "maker"']);
    void other.no();
    await eventually('the node reports', () => node.counters().floatingRejections > 0);
    expect(crashes).toHaveLength(1);
  });

  it('pass trace and baggage on through casts', async () => {
    using _telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop);
    const root = trace.getTracer('test').startSpan('root');
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
    const active = propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, root), baggage);
    await context.with(active, async () => {
      ref.cast.note();
      expect(await ref.baggage()).toBe('acme');
    });
    ref.cast.note();
    expect(await ref.seen()).toEqual([root.spanContext().traceId, undefined]);
  });

  it('are traced from the next one on when OpenTelemetry is set up late', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(shop);
    await ref.active();
    using telemetry = openTelemetry();
    const opening = gate();
    setTimeout(opening.open, 30);
    await opening.opened;
    await ref.active();
    await ref.active();
    expect(telemetry.exporter.getFinishedSpans().length).toBeGreaterThan(0);
  });
});

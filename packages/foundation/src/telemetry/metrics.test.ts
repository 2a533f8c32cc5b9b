import { child, defineProcess, defineSupervisor } from '@foundation/core';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type DataPoint } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';

import { alone, failure } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';
import { metricKinds } from './metrics.ts';

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

afterEach(() => metrics.disable());

async function read(reader: Reader): Promise<Map<string, readonly DataPoint<number>[]>> {
  const { resourceMetrics } = await reader.collect();
  const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return new Map(
    all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as DataPoint<number>[]]),
  );
}

const worker = defineProcess('worker', {
  mailboxMax: 2,
  init: () => ({}),
  calls: {
    ok: () => true,
    crash: () => {
      throw new Error('crash');
    },
  },
  casts: { note: () => {} },
});

describe('the metrics of a node', () => {
  it('are what it counts and what its processes show when they are collected', async () => {
    const reader = new Reader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    await using node = await alone();
    const top = defineSupervisor('top', { children: [child(worker, { name: 'w' })] });
    await node.processes.start(top);
    const ref = node.ref(worker, 'w');
    await ref.ok();
    await failure(ref.crash());
    await settled();
    for (let count = 0; count < 5; count++) ref.cast.note();
    const found = await read(reader);
    expect([...found.keys()].toSorted()).toEqual(Object.keys(metricKinds).toSorted());
    const value = (name: string): number | undefined => found.get(name)?.[0]?.value;
    expect(value('foundation.crashes')).toBe(1);
    expect(value('foundation.restarts')).toBe(1);
    expect(value('foundation.overflow')).toBe(3);
    expect(value('foundation.mailbox.longest')).toBe(2);
    expect(value('foundation.threads')).toBe(0);
    expect(value('foundation.messages.handled')).toBeGreaterThanOrEqual(2);
    const processes = found.get('foundation.processes') ?? [];
    expect(
      processes.map(({ attributes, value: count }) => [attributes['foundation.definition'], count]),
    ).toEqual([
      ['foundation.node', 1],
      ['top', 1],
      ['worker', 1],
    ]);
    expect(processes[0]?.attributes['foundation.node']).toBe('alone');
  });

  it('end with the node', async () => {
    const reader = new Reader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    const node = await alone();
    await node.stop();
    const found = await read(reader);
    expect([...found.values()].flat()).toEqual([]);
  });
});

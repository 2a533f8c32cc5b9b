import {
  metrics,
  type Attributes,
  type BatchObservableResult,
  type Observable,
} from '@opentelemetry/api';

import type { Runtime } from '../process/runtime.ts';
import { instrumentation } from './call-spans.ts';
import { guarded } from './guarded.ts';

/** What a node measures, by OpenTelemetry's names; gauges go up and down, counters only grow. */
export const metricKinds = {
  'foundation.processes': { kind: 'gauge', description: 'Living processes, by definition' },
  'foundation.mailbox.messages': {
    kind: 'gauge',
    description: 'Messages that wait in mailboxes, by definition',
  },
  'foundation.mailbox.longest': {
    kind: 'gauge',
    description: 'Messages that wait in the longest mailbox',
  },
  'foundation.messages.handled': {
    kind: 'counter',
    description: 'Messages that handlers were given',
  },
  'foundation.calls.pending': {
    kind: 'gauge',
    description: 'Calls whose callers wait for another node or thread',
  },
  'foundation.threads': { kind: 'gauge', description: 'Worker threads' },
  'foundation.crashes': { kind: 'counter', description: 'Processes that ended by an error' },
  'foundation.restarts': { kind: 'counter', description: 'Restarts by supervisors' },
  'foundation.overflow': { kind: 'counter', description: 'Messages that found a mailbox full' },
  'foundation.shed': {
    kind: 'counter',
    description: 'Calls refused because the event loop was late',
  },
} as const;

type MetricName = keyof typeof metricKinds;

/**
 * Offers what a node measures to the meter provider that is registered, until it is disposed. Nothing
 * is counted for it: when metrics are collected, the processes are looked at.
 */
export function offerMetrics(runtime: Runtime, threadCount: () => number): Disposable {
  return guarded(() => offer(runtime, threadCount), { [Symbol.dispose]: () => {} });
}

function offer(runtime: Runtime, threadCount: () => number): Disposable {
  const meter = metrics.getMeter(instrumentation);
  const instruments = new Map<string, Observable>(
    Object.entries(metricKinds).map(([name, { kind, description }]) => [
      name,
      kind === 'gauge'
        ? meter.createObservableGauge(name, { description })
        : meter.createObservableCounter(name, { description }),
    ]),
  );
  const observe = (result: BatchObservableResult): void => {
    const tell = (name: MetricName, value: number, attributes: Attributes = {}): void => {
      const instrument = instruments.get(name);
      const attributed = { 'foundation.node': runtime.name, ...attributes };
      if (instrument !== undefined) result.observe(instrument, value, attributed);
    };
    observeProcesses(runtime, tell);
    const { crashes, restarts, overflow, shed } = runtime.counters;
    tell('foundation.calls.pending', runtime.exchange.pendingCount);
    tell('foundation.threads', threadCount());
    tell('foundation.crashes', crashes);
    tell('foundation.restarts', restarts);
    tell('foundation.overflow', overflow);
    tell('foundation.shed', shed);
  };
  const observed = [...instruments.values()];
  meter.addBatchObservableCallback(observe, observed);
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(observe, observed) };
}

type Tell = (name: MetricName, value: number, attributes?: Attributes) => void;

function observeProcesses(runtime: Runtime, tell: Tell): void {
  const byDefinition = new Map<string, { count: number; waiting: number }>();
  let [longest, handled] = [0, runtime.handledByEnded];
  for (const { behaviour, mailbox, handled: own } of runtime.processes()) {
    const entry = byDefinition.get(behaviour.name) ?? { count: 0, waiting: 0 };
    byDefinition.set(behaviour.name, entry);
    entry.count++;
    entry.waiting += mailbox.size;
    longest = Math.max(longest, mailbox.size);
    handled += own;
  }
  for (const [name, { count, waiting }] of byDefinition) {
    const attributes = { 'foundation.definition': name };
    tell('foundation.processes', count, attributes);
    tell('foundation.mailbox.messages', waiting, attributes);
  }
  tell('foundation.mailbox.longest', longest);
  tell('foundation.messages.handled', handled);
}

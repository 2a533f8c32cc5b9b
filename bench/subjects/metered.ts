/**
 * Foundation in a program whose metrics are collected by OpenTelemetry's SDK, ten times a second.
 *
 * @packageDocumentation
 */
import { openCounters } from './foundation-counters.ts';
import { callSession } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject, type Session } from './subject.ts';

const everyMs = 100;

/** What is used of the peer, which is no dependency. */
interface MetricsSdk {
  MeterProvider: new (options: { readers: readonly object[] }) => object;
  MetricReader: new () => Reader;
}
interface Reader {
  collect(): Promise<{ readonly resourceMetrics: Collected; readonly errors: readonly unknown[] }>;
}
interface Collected {
  readonly scopeMetrics: readonly {
    readonly metrics: readonly {
      readonly descriptor: { readonly name: string };
      readonly dataPoints: readonly { readonly value: unknown }[];
    }[];
  }[];
}

const { MeterProvider, MetricReader } = loadPeer('@opentelemetry/sdk-metrics') as MetricsSdk;
const api = loadPeer('@opentelemetry/api') as {
  metrics: { setGlobalMeterProvider(provider: object): boolean };
};

class PullReader extends MetricReader {
  async onForceFlush(): Promise<void> {}
  async onShutdown(): Promise<void> {}
}

const reader = new PullReader();
// Found by Foundation's own copy of the API: what is registered is shared by all copies.
api.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));

const version = `this working tree, ${peerVersion('@opentelemetry/sdk-metrics')}`;
await serveSubject(version, { 'call-context': openMetered });

async function openMetered(): Promise<Session> {
  const session = callSession(await openCounters(1), 1);
  let [collections, measured, measuredSeconds] = [0, 0, 0];
  const timer = setInterval(() => {
    void reader.collect().then(() => collections++);
  }, everyMs);
  return {
    async round(seconds) {
      const [handledBefore, before] = [await handledCount(), collections];
      const round = await session.round(seconds);
      const collected = collections - before;
      if (collected < Math.floor((seconds * 1_000) / everyMs / 2)) {
        throw new Error(`collected only ${collected} times in ${seconds} s`);
      }
      const handled = (await handledCount()) - handledBefore;
      if (handled < round.ops) throw new Error(`${handled} of ${round.ops} calls were metered`);
      measured += collected;
      measuredSeconds += seconds;
      return { ...round, besides: { 'collections/s': measured / measuredSeconds } };
    },
    async close() {
      clearInterval(timer);
      await session.close();
    },
  };
}

async function handledCount(): Promise<number> {
  const { resourceMetrics, errors } = await reader.collect();
  if (errors.length > 0) throw new Error(`metrics could not be collected: ${String(errors[0])}`);
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const handled = metrics.find(
    ({ descriptor: { name } }) => name === 'foundation.messages.handled',
  );
  return Number(handled?.dataPoints[0]?.value);
}

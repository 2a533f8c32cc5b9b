/**
 * Foundation in a program that traces: each call makes two spans, which are dropped when they end.
 *
 * @packageDocumentation
 */
import { openCounters } from './foundation-counters.ts';
import { callSession } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject, type Session } from './subject.ts';

/** What is used of the peers, which are no dependencies. */
interface TraceSdk {
  TracerProvider: new (options: { spanProcessors: readonly object[] }) => object;
}
interface ContextHooks {
  AsyncLocalStorageContextManager: new () => { enable(): object };
}
interface Api {
  trace: { setGlobalTracerProvider(provider: object): boolean };
  context: { setGlobalContextManager(manager: object): boolean };
}

const { TracerProvider } = loadPeer('@opentelemetry/sdk-trace') as TraceSdk;
const { AsyncLocalStorageContextManager } = loadPeer(
  '@opentelemetry/context-async-hooks',
) as ContextHooks;
const { trace, context } = loadPeer('@opentelemetry/api') as Api;

let ended = 0;
const dropper = {
  onStart(): void {},
  onEnd(): void {
    ended++;
  },
  async forceFlush(): Promise<void> {},
  async shutdown(): Promise<void> {},
};

// Found by Foundation's own copy of the API: what is registered is shared by all copies.
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [dropper] }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const version = `this working tree, ${peerVersion('@opentelemetry/sdk-trace')}`;
await serveSubject(version, { 'call-context': openTraced });

async function openTraced(): Promise<Session> {
  const session = callSession(await openCounters(1), 1);
  return {
    async round(seconds) {
      const before = ended;
      const round = await session.round(seconds);
      const spans = ended - before;
      if (spans < 2 * round.ops) throw new Error(`${spans} spans for ${round.ops} calls`);
      return { ...round, besides: { 'spans a call': spans / round.ops } };
    },
    close: () => session.close(),
  };
}

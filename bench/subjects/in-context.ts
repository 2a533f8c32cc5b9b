/**
 * Foundation with a request context around the calls: a new one for each 64 of them.
 *
 * @packageDocumentation
 */
import { counter, sawContext, startLoneNode } from './foundation-counters.ts';
import { countCalls } from './load.ts';
import { mustBeAll, rateOf } from './local.ts';
import { serveSubject, type Session } from './subject.ts';

/** Calls in one context: as many as others make between two looks at the clock. */
const callsEach = 64;

await serveSubject('this working tree, called in contexts', { 'call-context': openInContext });

async function openInContext(): Promise<Session> {
  if (!(await sawContext())) throw new Error('the context does not come through');
  const node = await startLoneNode();
  const ref = await node.processes.start(counter);
  let requests = 0;
  async function callEach(): Promise<void> {
    for (let index = 0; index < callsEach; index++) await ref.add(1);
  }
  const callInContext = (): Promise<void> =>
    node.context.run({ values: { tenant: 'acme' }, requestId: `request-${requests++}` }, callEach);
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = await ref.add(0);
        const runs = await countCalls(callInContext, { callers: 1, seconds, batchCount: 1 });
        mustBeAll(runs * callsEach, (await ref.add(0)) - before);
        return runs * callsEach;
      }),
    close: () => node.stop(),
  };
}

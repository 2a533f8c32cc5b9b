/**
 * Foundation itself, in the production profile: the processes of one node.
 *
 * @packageDocumentation
 */
import { counter, begunCounters, openCounters, startLoneNode } from './foundation-counters.ts';
import { restartSessions } from './foundation-restarts.ts';
import { threadSessions } from './foundation-threads.ts';
import { idleSessions } from './idle.ts';
import { lifeSessions } from './lives.ts';
import { callSession, localSessions } from './local.ts';
import { serveSubject } from './subject.ts';

await serveSubject('this working tree', {
  ...localSessions(openCounters),
  ...lifeSessions(async () => {
    const node = await startLoneNode();
    const others = (await node.processes.list()).length;
    return {
      async live(name) {
        const ref = await node.processes.start(counter, { name });
        await node.processes.stop(ref);
      },
      begun: begunCounters,
      left: async () => (await node.processes.list()).length - others,
      close: () => node.stop(),
    };
  }),
  ...idleSessions(async () => {
    const node = await startLoneNode();
    return {
      start: () => node.processes.start(counter),
      call: (ref) => ref.add(1),
      living: async () => (await node.processes.list()).length,
      close: () => node.stop(),
    };
  }),
  ...restartSessions,
  ...threadSessions,
  'call-context': async () => callSession(await openCounters(1), 1),
});

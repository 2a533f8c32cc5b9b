/** nact: `query` and `dispatch` to stateful actors. */
import { localSessions } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject } from './subject.ts';

const { dispatch, query, spawn, start, stop } = loadPeer('nact');
const timeoutMs = 30_000;

function counter(count = 0, { add, sender }) {
  const next = count + add;
  if (sender !== undefined) dispatch(sender, next);
  return next;
}

async function openCounters(length) {
  const system = start();
  const actors = Array.from({ length }, (_, index) => spawn(system, counter, `counter-${index}`));
  const ask = (index, add) => query(actors[index], (sender) => ({ add, sender }), timeoutMs);
  return {
    call: (index) => ask(index, 1),
    cast: (index) => dispatch(actors[index], { add: 1 }),
    count: (index) => ask(index, 0),
    close: async () => stop(system),
  };
}

await serveSubject(peerVersion('nact'), localSessions(openCounters));

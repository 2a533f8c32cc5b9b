/** nact: `query` and `dispatch` to stateful actors. */
import { idleSessions } from './idle.ts';
import { lifeSessions } from './lives.ts';
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

async function openLives() {
  const system = start();
  let [begun, left] = [0, 0];
  function initialStateFunc() {
    begun++;
    left++;
    return 0;
  }
  return {
    live: (name) =>
      new Promise((resolve) => {
        function afterStop() {
          left--;
          resolve();
        }
        stop(spawn(system, counter, name, { initialStateFunc, afterStop }));
      }),
    begun: () => begun,
    left: () => left,
    close: async () => stop(system),
  };
}

async function openCrowd() {
  const system = start();
  let living = 0;
  const initialStateFunc = () => {
    living++;
    return 0;
  };
  const afterStop = () => living--;
  return {
    start: (index) => spawn(system, counter, `counter-${index}`, { initialStateFunc, afterStop }),
    call: (actor) => query(actor, (sender) => ({ add: 1, sender }), timeoutMs),
    living: () => living,
    close: async () => stop(system),
  };
}

await serveSubject(peerVersion('nact'), {
  ...localSessions(openCounters),
  ...lifeSessions(openLives),
  ...idleSessions(openCrowd, 200_000),
});

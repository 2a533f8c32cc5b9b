/**
 * XState: a machine as an actor. Its sends are synchronous transitions, so that a call is a send and a
 * look at the snapshot; there is no reply to wait for.
 */
import { localSessions } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject } from './subject.ts';

const { assign, createActor, createMachine } = loadPeer('xstate');

const machine = createMachine({
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
});
const add = { type: 'add' };

async function openCounters(length) {
  const actors = Array.from({ length }, () => createActor(machine).start());
  const count = (index) => actors[index].getSnapshot().context.count;
  return {
    call(index) {
      actors[index].send(add);
      return count(index);
    },
    cast: (index) => actors[index].send(add),
    count,
    close: async () => {
      for (const actor of actors) actor.stop();
    },
  };
}

await serveSubject(peerVersion('xstate'), localSessions(openCounters));

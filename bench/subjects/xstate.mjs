/**
 * XState: a machine as an actor. Its sends are synchronous transitions, so that a call is a send and a
 * look at the snapshot; there is no reply to wait for.
 */
import { idleSessions } from './idle.ts';
import { lifeSessions } from './lives.ts';
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

/** An actor stands alone, and no system knows its name: a map does. */
async function openLives() {
  const named = new Map();
  let begun = 0;
  return {
    live(name) {
      const actor = createActor(machine, { id: name }).start();
      named.set(name, actor);
      begun++;
      actor.stop();
      if (actor.getSnapshot().status === 'stopped') named.delete(name);
    },
    begun: () => begun,
    left: () => named.size,
    close: async () => {},
  };
}

async function openCrowd() {
  const crowd = [];
  return {
    start() {
      const actor = createActor(machine).start();
      crowd.push(actor);
      return actor;
    },
    call(actor) {
      actor.send(add);
      return actor.getSnapshot().context.count;
    },
    living: () => crowd.filter((actor) => actor.getSnapshot().status === 'active').length,
    close: async () => {
      for (const actor of crowd.splice(0)) actor.stop();
    },
  };
}

await serveSubject(peerVersion('xstate'), {
  ...localSessions(openCounters),
  ...lifeSessions(openLives),
  ...idleSessions(openCrowd, 200_000),
});

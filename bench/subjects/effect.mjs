/**
 * Effect: a fiber that takes from a Queue, and callers that wait for a Deferred, all inside the runtime
 * (entering it for each call would measure the door).
 */
import { idleSessions } from './idle.ts';
import { mustBeNone, nameOf } from './lives.ts';
import { inBothSuites, mustBeAll, rateOf } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject } from './subject.ts';

const { Deferred, Effect, Fiber, Queue } = loadPeer('effect');
const batchCount = 64;
const burstCount = 3_000;

/** Fibers that have begun. */
let begun = 0;

const startCounter = Effect.gen(function* () {
  const queue = yield* Queue.unbounded();
  let count = 0;
  const loop = Effect.gen(function* () {
    begun++;
    for (;;) {
      const { add, reply } = yield* Queue.take(queue);
      count += add;
      if (reply !== undefined) yield* Deferred.succeed(reply, count);
    }
  });
  return { queue, fiber: yield* Effect.forkDetach(loop, { startImmediately: true }) };
});

const ask = ({ queue }, add) =>
  Effect.gen(function* () {
    const reply = yield* Deferred.make();
    yield* Queue.offer(queue, { add, reply });
    return yield* Deferred.await(reply);
  });

const callLoop = (counter, end) =>
  Effect.gen(function* () {
    let answered = 0;
    while (performance.now() < end) {
      for (let index = 0; index < batchCount; index++) yield* ask(counter, 1);
      answered += batchCount;
    }
    return answered;
  });

/** As `sendBursts`: the answer to a burst is waited for after the next burst. */
const castLoop = (counter, end) =>
  Effect.gen(function* () {
    let sent = 0;
    let previous;
    while (performance.now() < end) {
      for (let index = 0; index < burstCount; index++) {
        yield* Queue.offer(counter.queue, { add: 1, reply: undefined });
      }
      sent += burstCount;
      const reply = yield* Deferred.make();
      yield* Queue.offer(counter.queue, { add: 0, reply });
      if (previous !== undefined) yield* Deferred.await(previous);
      previous = reply;
    }
    if (previous !== undefined) yield* Deferred.await(previous);
    return sent;
  });

const total = (values) => values.reduce((sum, value) => sum + value, 0);
const onAll = (counters, effect) =>
  Effect.runPromise(Effect.all(counters.map(effect), { concurrency: 'unbounded' })).then(total);

const session = (loop, length) => async () => {
  const counters = await Effect.runPromise(Effect.all(Array.from({ length }, () => startCounter)));
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = await onAll(counters, (counter) => ask(counter, 0));
        const end = performance.now() + seconds * 1_000;
        const sent = await onAll(counters, (counter) => loop(counter, end));
        mustBeAll(sent, (await onAll(counters, (counter) => ask(counter, 0))) - before);
        return sent;
      }),
    close: () => Effect.runPromise(Fiber.interruptAll(counters.map(({ fiber }) => fiber))),
  };
};

/** A life is a fiber that is put into a map, interrupted, and taken out when that is done. */
const lifeLoop = (named, end) =>
  Effect.gen(function* () {
    let lived = 0;
    while (performance.now() < end) {
      for (let index = 0; index < batchCount; index++) {
        const name = nameOf(lived++);
        const { fiber } = yield* startCounter;
        named.set(name, fiber);
        yield* Fiber.interrupt(fiber);
        named.delete(name);
      }
    }
    return lived;
  });

async function openLives() {
  const named = new Map();
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = begun;
        const end = performance.now() + seconds * 1_000;
        const lived = await Effect.runPromise(lifeLoop(named, end));
        mustBeAll(lived, begun - before);
        await mustBeNone({ left: () => named.size });
        return lived;
      }),
    close: async () => {},
  };
}

async function openCrowd() {
  const crowd = [];
  return {
    async start() {
      const counter = await Effect.runPromise(startCounter);
      crowd.push(counter);
      return counter;
    },
    call: (counter) => Effect.runPromise(ask(counter, 1)),
    living: () => crowd.filter(({ fiber }) => fiber.pollUnsafe() === undefined).length,
    close: () => Effect.runPromise(Fiber.interruptAll(crowd.splice(0).map(({ fiber }) => fiber))),
  };
}

await serveSubject(peerVersion('effect'), {
  ...inBothSuites({
    'call-1': session(callLoop, 1),
    'call-100': session(callLoop, 100),
    cast: session(castLoop, 1),
  }),
  'spawn-stop': openLives,
  ...idleSessions(openCrowd, 200_000),
});

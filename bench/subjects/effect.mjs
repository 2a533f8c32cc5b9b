/**
 * Effect: a fiber that takes from a Queue, and callers that wait for a Deferred, all inside the runtime
 * (entering it for each call would measure the door).
 */
import { mustBeAll, rateOf } from './local.ts';
import { loadPeer, peerVersion } from './peer.ts';
import { serveSubject } from './subject.ts';

const { Deferred, Effect, Fiber, Queue } = loadPeer('effect');
const batchCount = 64;
const burstCount = 3_000;

const startCounter = Effect.gen(function* () {
  const queue = yield* Queue.unbounded();
  let count = 0;
  const loop = Effect.gen(function* () {
    for (;;) {
      const { add, reply } = yield* Queue.take(queue);
      count += add;
      if (reply !== undefined) yield* Deferred.succeed(reply, count);
    }
  });
  return { queue, fiber: yield* Effect.forkDetach(loop) };
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

await serveSubject(peerVersion('effect'), {
  'local-call-1': session(callLoop, 1),
  'local-call-100': session(callLoop, 100),
  'local-cast': session(castLoop, 1),
});

// Processes that thread.test.ts runs in worker threads.
import { writeFileSync } from 'node:fs';
import { parentPort, threadId } from 'node:worker_threads';

import { defineProcess, refuse, type AnyRef, type Ref } from '@foundation/core';

const place = { isolation: 'thread', module: import.meta.url } as const;

interface Listener {
  casts: { hear(text: string): void };
}

/** Does whatever a test asks it to, in a thread of its own. */
export const worker = defineProcess('worker', {
  ...place,
  init: (start: number) => {
    if (start < 0) return refuse('NEGATIVE', { start });
    if (Number.isNaN(start)) throw new RangeError('no number');
    return { n: start, downs: [] as string[] };
  },
  calls: {
    add: ({ state }, by: number) => (state.n += by),
    thread: () => threadId,
    token: (ctx) => ctx.fencingToken,
    no: () => refuse('NO', { why: 'closed' }),
    crash: () => {
      throw new RangeError('out of paper');
    },
    spin: (_ctx, ms: number) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
      return ms;
    },
    stop: (ctx) => ctx.stop(),
    die: () => process.exit(1),
    ask: (ctx, to: Ref<{ calls: { add(by: number): number } }>, by: number) =>
      ctx.later(() => to.add(by)),
    tell: (_ctx, to: Ref<Listener>, text: string) => void to.cast.hear(text),
    monitor: (ctx, target: AnyRef) => void ctx.monitor(target),
    link: (ctx, target: AnyRef) => ctx.link(target),
    downs: ({ state }) => state.downs,
    socket: (): unknown => ({ list: [() => 1] }),
    remaining: (ctx) => ctx.remainingMs,
    echo: (_ctx, value: unknown) => value,
    /** Tells the main thread of its node what nothing in a thread would. */
    say: (_ctx, message: unknown) => parentPort?.postMessage(message),
  },
  casts: { put: ({ state }, by: number) => void (state.n += by) },
  info: { down: ({ state }, { reason }) => void state.downs.push(reason) },
});

/** Takes its time to start, and leaves a file behind when it ends. */
export const slow = defineProcess('slow', {
  ...place,
  init: async ({ ms = 0, file }: { ms?: number; file?: string }) => {
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
    return { file };
  },
  calls: { ok: () => true, stop: (ctx, reason: 'killed') => ctx.stop(reason) },
  terminate: ({ state }, reason) => {
    if (state.file !== undefined) writeFileSync(state.file, reason);
  },
});

/** Shares its thread with all others of its group. */
export const member = defineProcess('member', {
  ...place,
  thread: 'group',
  init: () => ({}),
  calls: {
    thread: () => threadId,
    module: () => import.meta.url,
    join: (ctx, group: string) => ctx.join(group),
    leave: (ctx, group: string) => ctx.leave(group),
    crash: () => {
      throw new Error('crash');
    },
  },
});

export const deaf = defineProcess('deaf', {
  ...place,
  init: () => ({}),
  calls: {
    spin: () => {
      for (;;);
    },
  },
});

const hidden = defineProcess('hidden', { ...place, init: () => ({}) });
/** Not exported under a name of its own: a thread cannot find it. */
export const notExported = { hidden };

export const nowhere = defineProcess('nowhere', {
  ...place,
  module: new URL('./no-such-module.ts', import.meta.url).href,
  init: () => ({}),
});

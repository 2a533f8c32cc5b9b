// Processes of crossing.test.ts: the same ones live in this program, in threads and in another program.
import { defineProcess, type AnyRef, type Ref, type ReplyTo } from '@foundation/core';
import { trace } from '@opentelemetry/api';

const inThread = { isolation: 'thread', module: import.meta.url } as const;

export interface EchoApi {
  readonly calls: { ping(): string; pass(route: readonly AnyRef[]): string };
  readonly casts: { hear(text: string): void; answer(to: ReplyTo<string>, text: string): void };
}

const parts = {
  init: () => ({ heard: [] as string[], waiting: [] as ReplyTo<string>[] }),
  calls: {
    ping: () => 'pong',
    /** What has come with the message. */
    look: (ctx: Ctx) => ({
      requestId: ctx.request?.requestId,
      values: ctx.request?.values,
      remainingMs: ctx.request?.remainingMs,
      traceId: trace.getActiveSpan()?.spanContext().traceId,
    }),
    pass: async (_ctx: Ctx, route: readonly AnyRef[]): Promise<string> => {
      const [next, ...rest] = route as readonly Ref<EchoApi>[];
      return next === undefined ? 'end' : next.pass(rest);
    },
    lookOn: async (_ctx: Ctx, other: Ref<{ calls: { look(): unknown } }>) => other.look(),
    heard: (ctx: Ctx) => ctx.state.heard,
    join: (ctx: Ctx, group: string) => ctx.join(group),
    leave: (ctx: Ctx, group: string) => ctx.leave(group),
    ask: (ctx: Ctx, other: Ref<EchoApi>, text: string) => {
      const to = ctx.replyTo<string>();
      other.cast.answer(to, text);
      return to;
    },
    hold: (_ctx: Ctx) => new Promise<void>(() => {}),
    spin: (_ctx: Ctx, ms: number) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    },
    grow: () => {
      const kept: number[][] = [];
      for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => index));
    },
    spinLate: async () => {
      await Promise.resolve();
      for (;;);
    },
    dropRejection: () => {
      void Promise.resolve().then(() => {
        throw new Error('nobody waits');
      });
    },
  },
  casts: {
    hear: (ctx: Ctx, text: string) => {
      ctx.state.heard.push(`${text} ${ctx.request?.requestId ?? '-'}`);
    },
    answer: (_ctx: Ctx, to: ReplyTo<string>, text: string) => void to.reply(text),
  },
};
interface Ctx {
  readonly state: { heard: string[]; waiting: ReplyTo<string>[] };
  readonly request:
    | {
        readonly requestId: string | undefined;
        readonly values: Readonly<Record<string, unknown>>;
        readonly remainingMs: number;
      }
    | undefined;
  readonly replyTo: <T>() => ReplyTo<T>;
  readonly join: (group: string) => void;
  readonly leave: (group: string) => void;
}

export const echo = defineProcess('echo', parts);
export const threadEcho = defineProcess('threadEcho', { ...parts, ...inThread });
/** Its thread is ended when a handler holds it for 400 ms. */
export const watched = defineProcess('watched', { ...parts, ...inThread, maxBusyMs: 400 });
export const watchedGroup = defineProcess('watchedGroup', {
  ...parts,
  ...inThread,
  thread: 'watched',
  maxBusyMs: 400,
});
/** Shares that thread, and may hold it as long as it likes. */
export const patient = defineProcess('patient', { ...parts, ...inThread, thread: 'watched' });
/** The same for its start. */
export const slowStart = defineProcess('slowStart', {
  ...inThread,
  thread: 'watched',
  init: (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return {};
  },
});
export const small = defineProcess('small', { ...parts, ...inThread, threadMemoryMb: 24 });
export const smallGroup = defineProcess('smallGroup', {
  ...parts,
  ...inThread,
  thread: 'small',
  threadMemoryMb: 24,
});
export const largeGroup = defineProcess('largeGroup', {
  ...parts,
  ...inThread,
  thread: 'small',
  threadMemoryMb: 48,
});
export const stuckSoon = defineProcess('stuckSoon', { ...parts, ...inThread, stuckMs: 300 });
export const endless = defineProcess('endless', {
  ...inThread,
  maxBusyMs: 400,
  init: (): object => {
    for (;;);
  },
});
/** Keeps its state in the store, from a thread. */
export const ledger = defineProcess('ledger', {
  ...inThread,
  durable: true,
  init: () => ({ sum: 0 }),
  calls: {
    add: ({ state }, by: number) => (state.sum += by),
    crash: () => {
      throw new Error('spilt ink');
    },
  },
});

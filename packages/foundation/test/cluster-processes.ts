import {
  defineProcess,
  refuse,
  type AnyRef,
  type Definition,
  type FoundationError,
  type Pid,
  type Ref,
} from '@foundation/core';

/** Counts; the count is stored before it is told. */
export const counter = defineProcess('counter', {
  durable: true,
  init: () => ({ count: 0 }),
  calls: {
    add: ({ state }, by: number) => (state.count += by),
    count: ({ state }) => state.count,
    host: (ctx) => ctx.node.name,
  },
});

/** Answers, or does not, in every way there is. */
export const parrot = defineProcess('parrot', {
  init: () => ({ heard: [] as string[] }),
  calls: {
    say: (_ctx, value: unknown) => value as string,
    host: (ctx) => `${ctx.node.name} ${ctx.node.incarnation}`,
    self: (ctx) => ctx.self,
    refuse: (_ctx, reason: string) => refuse('NOT_NOW', { reason }),
    crash: (_ctx, message: string): string => {
      throw new Error(message);
    },
    hang: (ctx) => ctx.later(() => new Promise<string>(() => {})),
    heard: ({ state }) => state.heard,
    /** The first word of each text that it heard. */
    heardFirst: ({ state }) => state.heard.map((text) => text.split(' ')[0] ?? ''),
    stop: (ctx) => {
      ctx.stop();
      return 'bye';
    },
  },
  casts: {
    hear: ({ state }, word: string) => {
      state.heard.push(word);
    },
  },
});

export interface ParrotApi {
  calls: { say: (value: unknown) => string };
}

export interface WitnessApi {
  calls: { seen: () => readonly string[] };
  casts: { note: (text: string) => void };
}

/** Writes down what it is told, and how others end, in the order in which it hears of it. */
export const witness = defineProcess('witness', {
  trapExits: true,
  init: () => ({ seen: [] as string[] }),
  calls: {
    seen: ({ state }) => state.seen,
    watch: (ctx, target: AnyRef | Pid) => {
      ctx.monitor(target);
    },
    tie: (ctx, target: AnyRef) => {
      ctx.link(target);
    },
    stop: (ctx) => {
      ctx.stop('killed');
    },
  },
  casts: {
    note: ({ state }, text: string) => {
      state.seen.push(text);
    },
  },
  info: {
    down: ({ state }, { reason, error }) => {
      state.seen.push(`down ${reason}${messageIn(error)}`);
    },
    exit: ({ state }, { reason, error }) => {
      state.seen.push(`exit ${reason}${messageIn(error)}`);
    },
  },
});

/** Tells a witness many things and crashes. */
export const chatterbox = defineProcess('chatterbox', {
  init: () => ({}),
  calls: {
    chatter: (_ctx, to: Ref<WitnessApi>, count: number): string => {
      for (let index = 0; index < count; index++) to.cast.note(String(index));
      throw new Error('out of breath');
    },
    callBack: (ctx, to: Ref<WitnessApi>) => ctx.later(() => to.seen()),
    /** The code of the error with which a call to a parrot fails, or its answer. */
    greet: (ctx, to: Ref<ParrotApi>) =>
      ctx.later(() => to.say('hello').catch((error: FoundationError) => error.code)),
  },
});

/** Starts parrots without a name, so that a ref to one leads to that one life. */
export const nursery = (hatch: () => Promise<Ref<typeof parrot>>): Nursery =>
  defineProcess('nursery', { init: () => ({}), calls: { hatch: (ctx) => ctx.later(hatch) } });
type Nursery = Definition<void, { calls: { hatch: () => Ref<typeof parrot> }; casts: object }>;

/** Lives in a worker thread. */
export const thinker = defineProcess('thinker', {
  isolation: 'thread',
  module: import.meta.url,
  init: () => ({}),
  calls: {
    think: (_ctx, about: string) => `thought about ${about}`,
    self: (ctx) => ctx.self,
    crash: (_ctx, message: string): string => {
      throw new Error(message);
    },
    breakDown: (): string => process.exit(1),
  },
});

function messageIn(error: unknown): string {
  return error instanceof Error ? `: ${error.message}` : '';
}

// What the soak runs, also in a thread: this file defines processes and does nothing else.
import { setTimeout as wait } from 'node:timers/promises';
import { getHeapSpaceStatistics, queryObjects } from 'node:v8';

import {
  child,
  defineProcess,
  defineSupervisor,
  isFoundationError,
  refuse,
  type AnyRef,
  type Context,
  type Placement,
  type Ref,
  type Refused,
  type ReplyTo,
} from '@foundation/core';

/** How a subject begins. */
export interface Beginning {
  readonly how?: 'late' | 'throws' | 'throws late' | 'refuses';
  /** The group it joins before its first message. */
  readonly group?: string;
}

/** What a subject has counted, to be compared with what was asked of it. */
export type Counts = Record<
  | 'sum'
  | 'notes'
  | 'selfNotes'
  | 'puts'
  | 'taken'
  | 'monitored'
  | 'demonitored'
  | 'downs'
  | 'timersSet'
  | 'timersEnded'
  | 'timersFired',
  number
>;

/** `once` and `locked` run once, `beat` again and again; `locked` puts itself off until something was put. */
export type TimerName = 'once' | 'beat' | 'locked';

interface State {
  readonly group: string | undefined;
  readonly counts: Counts;
  readonly armed: Set<TimerName>;
  /** Replies taken into hand. */
  readonly held: ReplyTo<number>[];
  /** What went wrong, as the subject sees it. */
  readonly problems: string[];
  failsAtEnd: boolean;
}

type Begun = State | Refused<'NOT_NOW', undefined>;
type SubjectContext = Context<State, TimerName, 'note'>;

/** What a subject may ask of another one, which may be itself: interfaces, as types would go round in circles. */
interface Echo {
  calls: { echo(value: number): number; requestId(): string | undefined };
}
interface Answering {
  casts: { answer(to: ReplyTo<number>, value: number): void };
}

/** Ends of subjects in this thread that let `terminate` run. */
export const terminated = { count: 0 };

/** Most replies that a subject has in hand; what is beyond is forgotten, and its callers give up. */
const heldMax = 50;
/** Milliseconds that a subject waits for another one. */
const relayMs = 50;

/** What undoes the monitors of a subject: functions, which a state that is inspected must not have. */
const undoings = new WeakMap<State, (() => void)[]>();

const codeSpaces = /^(code|trusted)_/u;

const noCounts: Counts = {
  sum: 0,
  notes: 0,
  selfNotes: 0,
  puts: 0,
  taken: 0,
  monitored: 0,
  demonitored: 0,
  downs: 0,
  timersSet: 0,
  timersEnded: 0,
  timersFired: 0,
};

/** A state, at once or later; or none, in one of the ways in which a process does not start. */
function begin({ how, group }: Beginning = {}): Begun | Promise<Begun> {
  const state: State = {
    group,
    counts: { ...noCounts },
    armed: new Set(),
    held: [],
    problems: [],
    failsAtEnd: false,
  };
  if (how === undefined) return state;
  switch (how) {
    case 'late':
      return wait(5, state);
    case 'throws':
      throw new Error('it would not begin');
    case 'throws late':
      return failLater(5);
    case 'refuses':
      return refuse('NOT_NOW');
  }
}

function stored({ counts }: State): number {
  return counts.puts - counts.taken;
}

async function failLater(ms: number): Promise<never> {
  await wait(ms);
  throw new Error('failed later');
}

/** What the heap of this thread holds, after a collection. */
export interface Heap {
  /** Without compiled code, of which V8 makes more for a long time. */
  readonly bytes: number;
  /** Everything that inherits from `Object`: closures, promises and collections, too. */
  readonly objects: number;
}

function heap(): Heap {
  globalThis.gc?.();
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !codeSpaces.test(space_name));
  const bytes = spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  return { bytes, objects: queryObjects(Object, { format: 'count' }) };
}

/** What another subject said, or why it said nothing. */
async function outcomeOf<T>(answer: Promise<T>): Promise<T | string> {
  try {
    return await answer;
  } catch (error) {
    return isFoundationError(error) ? error.code : String(error);
  }
}

const plainCalls = {
  add: ({ state }: SubjectContext, by: number) => (state.counts.sum += by),
  echo: (_ctx: SubjectContext, value: number) => value,
  echoSlowly: (_ctx: SubjectContext, value: number, ms: number) => wait(ms, value),
  echoLater: (ctx: SubjectContext, value: number, ms: number) => ctx.later(() => wait(ms, value)),
  refuse: () => refuse('NO', { why: 'asked to' }),
  requestId: (ctx: SubjectContext) => ctx.request?.requestId,
  remainingMs: (ctx: SubjectContext) => ctx.remainingMs,
  /** Lasts until nobody waits for it. */
  untilGivenUp: (ctx: SubjectContext) =>
    ctx.later(async () => {
      const { signal } = ctx;
      await wait(2_000, undefined, { signal }).catch(() => {});
      return signal.aborted;
    }),
  counts: ({ state }: SubjectContext) => ({ ...state.counts }),
  problems: ({ state }: SubjectContext) => [...state.problems],
  /** What its thread holds. */
  heap: () => heap(),
};

const failingCalls = {
  fail(): never {
    throw new Error('failed');
  },
  failSlowly: (_ctx: SubjectContext, ms: number) => failLater(ms),
  failInLater: (ctx: SubjectContext, ms: number) => ctx.later(() => failLater(ms)),
  /** Leaves a promise behind that nobody waits for. */
  failAfloat(_ctx: SubjectContext, ms: number) {
    void failLater(ms);
  },
  failAtEnd({ state, stop }: SubjectContext) {
    state.failsAtEnd = true;
    stop();
  },
};

const lastingCalls = {
  take({ state, defer }: SubjectContext) {
    if (stored(state) === 0) return defer();
    return ++state.counts.taken;
  },
  hold({ state, replyTo }: SubjectContext) {
    const reply = replyTo<number>();
    state.held.push(reply);
    if (state.held.length > heldMax) state.held.shift();
    return reply;
  },
  /** Answers some of those who wait, and forgets as many. */
  answerHeld({ state }: SubjectContext, count: number) {
    const answered = state.held.splice(0, count).filter((each, index) => each.reply(index));
    state.held.splice(0, count);
    return answered.length;
  },
  /** Lets another one answer. */
  delegate({ replyTo }: SubjectContext, to: Ref<Answering>, value: number) {
    const reply = replyTo<number>();
    to.cast.answer(reply, value);
    return reply;
  },
  relay: (_ctx: SubjectContext, to: Ref<Echo>, value: number) =>
    outcomeOf(to.with({ timeoutMs: relayMs }).echo(value)),
  relayLater: (ctx: SubjectContext, to: Ref<Echo>, value: number) =>
    ctx.later(() => outcomeOf(to.with({ timeoutMs: relayMs }).echo(value))),
  relayRequestId: (_ctx: SubjectContext, to: Ref<Echo>) =>
    outcomeOf(to.with({ timeoutMs: relayMs }).requestId()),
  noteTwice({ state, cast }: SubjectContext, n: number) {
    for (const _ of [1, 2]) if (cast.note(n)) state.counts.selfNotes++;
  },
};

const relationCalls = {
  monitor({ state, monitor }: SubjectContext, target: AnyRef) {
    const undo = monitor(target);
    state.counts.monitored++;
    undoings.set(state, [...(undoings.get(state) ?? []), undo].slice(-heldMax));
  },
  /** Ends the oldest monitor that it remembers. Ending it when it has told already is harmless. */
  demonitor({ state }: SubjectContext) {
    const undo = undoings.get(state)?.shift();
    if (undo === undefined) return;
    state.counts.demonitored++;
    undo();
  },
  link: ({ link }: SubjectContext, target: AnyRef) => link(target),
  unlink: ({ unlink }: SubjectContext, target: AnyRef) => unlink(target),
  join: ({ join }: SubjectContext, group: string) => join(group),
  leave: ({ leave }: SubjectContext, group: string) => leave(group),
};

const timerCalls = {
  setTimer(ctx: SubjectContext, timer: TimerName, ms: number) {
    const { armed, counts } = ctx.state;
    // A run that was put off is neither replaced nor cancelled for certain.
    if (timer === 'locked' && armed.has(timer)) return;
    if (armed.has(timer)) counts.timersEnded++;
    armed.add(timer);
    counts.timersSet++;
    if (timer === 'beat') ctx.every(ms, timer);
    else ctx.after(ms, timer);
  },
  endTimer({ state, cancel }: SubjectContext, timer: 'once' | 'beat') {
    if (state.armed.delete(timer)) state.counts.timersEnded++;
    cancel(timer);
  },
};

const casts = {
  note: ({ state }: SubjectContext, n: number) => void (state.counts.notes += n),
  put: ({ state }: SubjectContext) => void state.counts.puts++,
  answer: (_ctx: SubjectContext, to: ReplyTo<number>, value: number) => void to.reply(value),
  crash() {
    throw new Error('crashed');
  },
  end: ({ stop }: SubjectContext, reason: 'normal' | 'shutdown' | 'killed') => stop(reason),
};

function fired({ armed, counts, problems }: State, timer: TimerName): void {
  if (armed.has(timer)) counts.timersFired++;
  else problems.push(`the timer ${timer} ran after its end`);
  armed.delete(timer);
}

const timers = {
  once: ({ state }: SubjectContext) => fired(state, 'once'),
  beat({ state }: SubjectContext) {
    if (!state.armed.has('beat')) state.problems.push('the timer beat ran after its end');
  },
  locked({ state, defer }: SubjectContext) {
    if (stored(state) === 0) return defer();
    return fired(state, 'locked');
  },
};

/** Does whatever it is asked to, and counts it. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- its type is what it is made of
function subjectOf(name: string, place: Placement = {}) {
  return defineProcess(name, {
    ...place,
    init: begin,
    continue({ state, join }: SubjectContext) {
      if (state.group !== undefined) join(state.group);
    },
    calls: {
      ...plainCalls,
      ...failingCalls,
      ...lastingCalls,
      ...relationCalls,
      ...timerCalls,
    },
    casts,
    timers,
    info: { down: ({ state }) => void state.counts.downs++ },
    terminate({ state }) {
      terminated.count++;
      if (state.failsAtEnd) throw new Error('failed at the end');
    },
  });
}

export const plain = subjectOf('subject.plain');
/** Lives as long as the soak, and never fails. */
export const anchor = subjectOf('subject.anchor', { trapExits: true });
export const threaded = subjectOf('subject.threaded', {
  isolation: 'thread',
  thread: 'soak',
  module: import.meta.url,
});
const small = { mailboxMax: 16, deferredMax: 4 };
/** Full at once: each overflows in another way. */
export const smalls = [
  subjectOf('subject.small', small),
  subjectOf('subject.small-oldest', { ...small, overflow: 'drop-oldest' }),
  subjectOf('subject.small-newest', { ...small, overflow: 'drop-newest' }),
];
/** Has a thread for itself alone. */
export const secluded = subjectOf('subject.secluded', {
  isolation: 'thread',
  module: import.meta.url,
});
/** Everything that is made like a subject. */
export type SubjectDefinition = typeof plain;
export type Subject = Ref<SubjectDefinition>;

/** Ends by itself, or takes its time to end. */
export const brief = defineProcess('brief', {
  idleMs: 30,
  init: (lastMs: number) => ({ lastMs }),
  casts: { touch: () => {} },
  terminate: ({ state }) => wait(state.lastMs),
});

/** What it has replied is stored, whatever happens to it. */
export const ledger = defineProcess('ledger', {
  durable: true,
  init: () => ({ sum: 0 }),
  calls: {
    add: ({ state }, by: number) => (state.sum += by),
    sum: ({ state }) => state.sum,
    fail(): never {
      throw new Error('failed');
    },
  },
});

/** Groups that subjects join and leave. */
export const groupNames = ['red', 'green', 'blue'] as const;

/** The group of whatever a supervisor has started: that is how it is found. */
export const keptGroup = 'kept';

const backoff = { minMs: 10, maxMs: 40 };
/** Stays, whatever its children do. */
export const pool = defineSupervisor('pool', {
  strategy: 'dynamic',
  child: plain,
  childrenMax: 40,
  backoff,
  onExceeded: 'quarantine',
});

/** Supervisors that end when their children fail too often. */
export const crews = (['one-for-one', 'one-for-all', 'rest-for-one'] as const).map((strategy) =>
  defineSupervisor(`crew.${strategy}`, {
    strategy,
    backoff,
    children: [
      child(plain, { init: { group: keptGroup } }),
      child(plain, { init: { group: keptGroup, how: 'late' }, restart: 'transient' }),
      child(plain, { init: { group: keptGroup }, restart: 'temporary', shutdownMs: 20 }),
    ],
  }),
);

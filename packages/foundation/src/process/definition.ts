import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { Later, Refused } from './answer.ts';
import { checkDefinition, invalidDefinition } from './definition-check.ts';
import type { ExitReason } from './exit.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { AnyRef, Client } from './ref-types.ts';

declare const tag: unique symbol;

/** What a handler gets: the state, and what a process can do. */
export interface Context<S extends object, Timer extends string = never> {
  /** The state; assign to it to replace it as a whole. */
  state: S;
  readonly self: Pid;
  /** The node that hosts the process. */
  readonly node: Host;
  /** Aborts when the caller gives up, the deadline passes or the process ends. */
  readonly signal: AbortSignal;
  /** Milliseconds until the caller gives up; Infinity where nobody waits. */
  readonly remainingMs: number;
  /** Ends the process after this message. @defaultValue 'normal' */
  readonly stop: (reason?: 'normal' | 'shutdown' | 'killed') => void;
  /** Replies when the work settles; the mailbox goes on meanwhile. */
  readonly later: <T>(work: () => Promise<T>) => Later<T>;
  /** Runs the named timer once after `ms`; setting it again replaces it. */
  readonly after: (ms: number, timer: Timer) => void;
  /** Asks for one `down` notice when the target ends, or at once if there is none. Returns a cancel. */
  readonly monitor: (target: AnyRef | Pid) => () => void;
  /** Ties the fates of two processes: an abnormal end of one ends the other. */
  readonly link: (target: AnyRef | Pid) => void;
  readonly unlink: (target: AnyRef | Pid) => void;
}

/** What a process can ask of the node or thread it lives in. */
export interface Host {
  readonly name: string;
  readonly incarnation: number;
  /** A ref to a named process that follows it across restarts and moves. */
  ref<I, A>(process: Definition<I, A>, name: string): Client<A>;
}

export type Handlers = Record<string, (ctx: never, ...args: never[]) => unknown>;
export type Reserved = 'then' | 'with' | 'try' | 'cast' | 'pid';
type Quiet = void | Promise<void>;

/** What `info` handlers are told. */
export interface Notices {
  /** A monitored process ended. */
  down: Notice;
  /** A linked process ended, and `trapExits` is set. */
  exit: Notice;
}

/** Which process ended, and why. */
export interface Notice {
  readonly pid: Pid;
  readonly reason: ExitReason;
  readonly error?: unknown;
}

/** Where a process runs and what it keeps. */
export interface Placement {
  /** `thread`: in a worker thread, for work that would block the event loop. @defaultValue 'inline' */
  readonly isolation?: 'inline' | 'thread';
  /** Processes of one node with the same group share a thread. @defaultValue a thread of its own */
  readonly thread?: string;
  /** `import.meta.url` of the module that exports the definition; threads need it. */
  readonly module?: string;
  /** Most messages that may wait. @defaultValue 10000 */
  readonly mailboxMax?: number;
  /** What happens to a cast that finds the mailbox full. @defaultValue 'reject' */
  readonly overflow?: Overflow;
  /** Turns exit signals of linked processes into `exit` notices. @defaultValue false */
  readonly trapExits?: boolean;
  /**
   * Keeps the state in the cluster's store: a reply leaves only after the state it rests on is
   * stored. Needs a name. @defaultValue false
   */
  readonly durable?: boolean;
}
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest';

/** What a process is made of. */
export interface Spec<
  Init,
  S extends object,
  T extends string,
  Calls extends Handlers,
  Casts extends Handlers,
> extends Placement {
  /** Makes the state. May refuse to start by returning `refuse(…)`. */
  readonly init: (init: Init) => S | Promise<S>;
  readonly calls?: Calls &
    Record<string, (ctx: Context<Exclude<S, Refused>, NoInfer<T>>, ...args: never[]) => unknown> & {
      readonly [K in Reserved]?: never;
    };
  readonly casts?: Casts &
    Record<string, (ctx: Context<Exclude<S, Refused>, NoInfer<T>>, ...args: never[]) => Quiet>;
  readonly timers?: Record<T, (ctx: Context<Exclude<S, Refused>, NoInfer<T>>) => Quiet>;
  readonly info?: {
    readonly [K in keyof Notices]?: (
      ctx: Context<Exclude<S, Refused>, NoInfer<T>>,
      notice: Notices[K],
    ) => Quiet;
  };
  /** Runs before the end, whatever the reason; not after `killed`. */
  readonly terminate?: (ctx: Context<Exclude<S, Refused>, NoInfer<T>>, reason: ExitReason) => Quiet;
  /** Answers coordination requests: `coordinate: participant({ bid, … })`. */
  readonly coordinate?: (
    ctx: Context<Exclude<S, Refused>, NoInfer<T>>,
    request: unknown,
  ) => unknown;
  /** What is stored of a durable process. @defaultValue the state itself */
  readonly snapshot?: (state: Exclude<S, Refused>) => unknown;
  /** The state from what was stored. @defaultValue what was stored */
  readonly restore?: (stored: never) => S | Promise<S>;
}

/** What a caller may send: no state, no context. An `interface` of this shape breaks cycles between definitions. */
export interface Api {
  readonly calls?: Signatures;
  readonly casts?: Signatures;
}
type Signatures = Record<string, (...args: never[]) => unknown>;

/** A process of which only the name is known. */
export interface AnyDefinition {
  readonly name: string;
}
/** A process by value: its name, and in its type what callers may know. */
export interface Definition<Init, A> extends AnyDefinition {
  readonly [tag]?: [Init, A];
}

type Public<H> = {
  readonly [K in keyof H]: H[K] extends (ctx: never, ...args: infer A) => infer R
    ? (...args: A) => Answer<R>
    : never;
};
type Answer<R> = Awaited<R> extends infer V ? (V extends Later<infer T> ? T : V) : never;

/**
 * Defines a process. The client's type is inferred from the handlers.
 *
 * @throws FoundationError `INVALID_DEFINITION` naming the field that is wrong.
 */
export function defineProcess<
  Init = void,
  S extends object = object,
  T extends string = never,
  // oxlint-disable-next-line typescript/no-empty-object-type -- the empty set of handlers
  Calls extends Handlers = {},
  // oxlint-disable-next-line typescript/no-empty-object-type -- the empty set of handlers
  Casts extends Handlers = {},
>(
  name: string,
  spec: Spec<Init, S, T, Calls, Casts>,
): Definition<Init, { calls: Public<Calls>; casts: Public<Casts> }> {
  return compile(name, spec as unknown as AnySpec);
}

const schemaOf = Symbol('schema');
type Checked = AnyHandler & { [schemaOf]?: StandardSchemaV1 };

/** A handler whose one argument is checked by a Standard Schema before it runs. */
export function call<S extends object, In extends StandardSchemaV1, R, T extends string = never>(
  input: In,
  handler: (ctx: Context<S, T>, input: StandardSchemaV1.InferOutput<In>) => R,
): (ctx: Context<S, T>, input: StandardSchemaV1.InferInput<In>) => R {
  const checked = (ctx: Context<S, T>, value: StandardSchemaV1.InferInput<In>): R =>
    handler(ctx, value);
  (checked as Checked)[schemaOf] = input;
  return checked;
}

// ── the untyped inside ───────────────────────────────────────────────────────

// The handlers' types were checked where they were written; from here on they are plain functions.
export type AnyHandler = (ctx: unknown, ...args: readonly unknown[]) => unknown;
export interface AnySpec extends Placement {
  readonly init: (init: unknown) => unknown;
  readonly calls?: Record<string, AnyHandler>;
  readonly casts?: Record<string, AnyHandler>;
  readonly timers?: Record<string, AnyHandler>;
  readonly info?: Record<string, AnyHandler>;
  readonly terminate?: (ctx: unknown, reason: ExitReason) => unknown;
  readonly coordinate?: AnyHandler;
  readonly snapshot?: (state: unknown) => unknown;
  readonly restore?: (stored: unknown) => unknown;
  /** In place of `init`, for processes of the runtime itself. */
  readonly start?: (process: Process) => unknown;
}

/** Defines a process of the runtime itself: its start gets the process. */
export function compileInternal(name: string, spec: Omit<AnySpec, 'init'>): Behaviour {
  return compile(name, { ...spec, init: () => ({}) });
}

/** Stands for a definition that this node does not have: a ref to such a process came from elsewhere. */
export function anyBehaviour(name: string): Behaviour {
  return { ...compileInternal('foreign', {}), name, isForeign: true };
}

/** A handler, ready to be called. */
export interface Entry {
  readonly run: AnyHandler;
  readonly schema: StandardSchemaV1 | undefined;
  /** Whether it returns promises, where that is known: then its deadline follows it across awaits. */
  isAsync: boolean | undefined;
}

/** A definition as the runtime uses it. */
export interface Behaviour extends AnyDefinition {
  readonly spec: AnySpec;
  readonly calls: ReadonlyMap<string, Entry>;
  readonly casts: ReadonlyMap<string, Entry>;
  readonly timers: ReadonlyMap<string, Entry>;
  readonly info: ReadonlyMap<string, Entry>;
  readonly mailboxMax: number;
  readonly overflow: Overflow;
  readonly callNames: readonly string[];
  readonly castNames: readonly string[];
  /** Only the name is known here; its messages are taken as they come. */
  readonly isForeign?: boolean;
}

/** Name of the hidden call behind `coordinate`. */
export const coordinationMessage = 'mabeam.coordination.request';

/** The behaviour behind a definition. */
export function behaviourOf(definition: AnyDefinition): Behaviour {
  const isObject = typeof definition === 'object' && definition !== null;
  if (!isObject || !('spec' in definition)) {
    const name: unknown = isObject ? definition.name : definition;
    throw invalidDefinition(String(name), 'is not made by defineProcess');
  }
  return definition as Behaviour;
}

function compile(name: string, spec: AnySpec): Behaviour {
  checkDefinition(name, spec);
  const calls = table(spec.calls);
  if (spec.coordinate !== undefined) calls.set(coordinationMessage, entry(spec.coordinate));
  return Object.freeze({
    name,
    spec,
    calls,
    casts: table(spec.casts),
    timers: table(spec.timers),
    info: table(spec.info),
    mailboxMax: spec.mailboxMax ?? 10_000,
    overflow: spec.overflow ?? 'reject',
    callNames: Object.keys(spec.calls ?? {}),
    castNames: Object.keys(spec.casts ?? {}),
  });
}

function table(handlers: Record<string, AnyHandler> | undefined): Map<string, Entry> {
  return new Map(Object.entries(handlers ?? {}).map(([key, run]) => [key, entry(run)]));
}

function entry(run: AnyHandler): Entry {
  const isAsync = Object.prototype.toString.call(run) === '[object AsyncFunction]' || undefined;
  return { run, schema: (run as Checked)[schemaOf], isAsync };
}

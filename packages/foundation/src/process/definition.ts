import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { RequestContext } from '../context/request.ts';
import type { Later, Refused, ReplyTo } from './answer.ts';
import { compile, withSchemas, type AnyHandler, type AnySpec } from './behaviour.ts';
import type { ExitReason } from './exit.ts';
import type { Pid } from './pid.ts';
import type { AnyRef, Client, Group } from './ref-types.ts';

declare const tag: unique symbol;
declare const needs: unique symbol;

/** What a handler gets: the state, and what a process can do. */
export interface Context<
  S extends object,
  Timer extends string = never,
  Cast extends string = never,
> {
  /** The state; assign to it to replace it as a whole. */
  state: S;
  readonly self: Pid;
  /** The node that hosts the process. */
  readonly node: Host;
  /** What follows the request that this message is part of; undefined where there is none. */
  readonly request: RequestContext | undefined;
  /**
   * Of a strong singleton: a number that is higher than that of any earlier one of its name. Give it to what
   * you write to, so that this can refuse an earlier one that does not know yet that it is over.
   */
  readonly fencingToken: number | undefined;
  /** Aborts when the caller gives up, the deadline passes or the process ends. */
  readonly signal: AbortSignal;
  /** Milliseconds until the caller gives up or the request is over; Infinity where nobody waits. */
  readonly remainingMs: number;
  /** Ends the process after this message. @defaultValue 'normal' */
  readonly stop: (reason?: 'normal' | 'shutdown' | 'killed') => void;
  /** Replies when the work settles; the mailbox goes on meanwhile. */
  readonly later: <T>(work: () => Promise<T>) => Later<T>;
  /** Takes the reply into hand: return what this gives, and let anyone use it to reply, once. */
  readonly replyTo: <T>() => ReplyTo<T>;
  /** Puts this message off until another one has been handled, and the state may have changed. */
  readonly defer: () => Later<never>;
  /** Runs the named timer once after `ms`; setting it again replaces it. */
  readonly after: (ms: number, timer: Timer) => void;
  /** Runs the named timer each `ms`; a run that still waits in the mailbox is not doubled. */
  readonly every: (ms: number, timer: Timer) => void;
  /** Ends a timer; a run of it that waits in the mailbox does not come. */
  readonly cancel: (timer: Timer) => void;
  /** Sends a cast to this process itself, behind what waits. Its arguments are not checked by type. */
  readonly cast: { readonly [K in Cast]: (...args: readonly unknown[]) => boolean };
  /** Asks for one `down` notice when the target ends, or at once if there is none. Returns a cancel. */
  readonly monitor: (target: AnyRef | Pid) => () => void;
  /** Ties the fates of two processes: an abnormal end of one ends the other. */
  readonly link: (target: AnyRef | Pid) => void;
  readonly unlink: (target: AnyRef | Pid) => void;
  /** Makes the process a member of a group, see `node.group`. Joining twice is being a member once. */
  readonly join: (group: string) => void;
  readonly leave: (group: string) => void;
}

/** What a process can ask of the node or thread it lives in. */
export interface Host {
  readonly name: string;
  readonly incarnation: number;
  /** A ref to a named process that follows it across restarts and moves. */
  ref<I, A>(process: Definition<I, A>, name: string): Client<A>;
  /** The members of a group, wherever they live. */
  group<I, A>(process: Definition<I, A>, group: string): Group<A>;
}

export type Handlers = Record<string, (ctx: never, ...args: never[]) => unknown>;
export type Reserved = 'then' | 'with' | 'try' | 'cast' | 'pid';
type Quiet = void | Later<void> | Promise<void | Later<void>>;

/** What `info` handlers are told. */
export interface Notices {
  /** A monitored process ended. */
  down: Notice;
  /** A linked process ended, and `trapExits` is set. */
  exit: Notice;
  /** No message came for `idleMs`. Without a handler the process ends. */
  idle: { readonly idleMs: number };
}

/** Which process ended, and why. */
export interface Notice {
  readonly pid: Pid;
  readonly reason: ExitReason;
  readonly error?: unknown;
}

/** Where a process runs, what it keeps, and its limits. */
export interface Placement {
  /** `thread`: in a worker thread, for work that would block the event loop. @defaultValue 'inline' */
  readonly isolation?: 'inline' | 'thread';
  /** Processes of one node with the same group share a thread. @defaultValue a thread of its own */
  readonly thread?: string;
  /** `import.meta.url` of the module that exports the definition; threads need it. */
  readonly module?: string;
  /** Megabytes of heap of its thread, which ends alone when they are used up. @defaultValue Node's own limit */
  readonly threadMemoryMb?: number;
  /**
   * Milliseconds that a handler may hold its thread without a break. Then it is taken for an endless
   * loop, and the thread is ended. @defaultValue Infinity
   */
  readonly maxBusyMs?: number;
  /** Milliseconds that `init` may take. @defaultValue 120000 */
  readonly initTimeoutMs?: number;
  /** Milliseconds after which a handler that has not settled is reported, and ended in a thread. @defaultValue 60000 */
  readonly stuckMs?: number;
  /** Milliseconds without a message after which the `idle` notice comes, once. @defaultValue Infinity */
  readonly idleMs?: number;
  /** Most messages that may wait. @defaultValue 10000 */
  readonly mailboxMax?: number;
  /** Most messages that may be deferred at a time. @defaultValue 1000 */
  readonly deferredMax?: number;
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
  C extends string,
  Calls extends Handlers,
  Casts extends Handlers,
> extends Placement {
  /** Makes the state. May refuse to start by returning `refuse(…)`. */
  readonly init: (init: Init) => S | Promise<S>;
  /** Runs after `init`, before any message; the start does not wait for it. */
  readonly continue?: (ctx: Inside<S, T, C>) => Quiet;
  readonly calls?: Calls &
    Record<string, (ctx: Inside<S, T, C>, ...args: never[]) => unknown> & {
      readonly [K in Reserved]?: never;
    };
  readonly casts?: Casts &
    Record<string, (ctx: Inside<S, T, C>, ...args: never[]) => Quiet> &
    Record<C, unknown>;
  readonly timers?: Record<T, (ctx: Inside<S, T, C>) => Quiet>;
  readonly info?: {
    readonly [K in keyof Notices]?: (ctx: Inside<S, T, C>, notice: Notices[K]) => Quiet;
  };
  /** Runs before the end, whatever the reason; not after `killed`. */
  readonly terminate?: (ctx: Inside<S, T, C>, reason: ExitReason) => Quiet;
  /** Answers coordination requests: `coordinate: participant({ bid, … })`. */
  readonly coordinate?: (ctx: Inside<S, T, C>, request: unknown) => unknown;
  /** What is stored of a durable process. @defaultValue the state itself */
  readonly snapshot?: (state: Exclude<S, Refused>) => unknown;
  /** The state from what was stored. @defaultValue what was stored */
  readonly restore?: (stored: never) => S | Promise<S>;
}

/** The context inside a definition: names of its own are checked, but not inferred from their use. */
type Inside<S extends object, T extends string, C extends string> = Context<
  Exclude<S, Refused>,
  NoInfer<T>,
  NoInfer<C>
>;

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
  readonly [needs]?: (init: Init) => void;
}

/** A definition of a process that can be started without `init`. */
export interface SelfSufficient extends AnyDefinition {
  readonly [needs]?: (init: undefined) => void;
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
  C extends string = never,
  // oxlint-disable-next-line typescript/no-empty-object-type -- the empty set of handlers
  Calls extends Handlers = {},
  // oxlint-disable-next-line typescript/no-empty-object-type -- the empty set of handlers
  Casts extends Handlers = {},
>(
  name: string,
  spec: Spec<Init, S, T, C, Calls, Casts>,
): Definition<Init, { calls: Public<Calls>; casts: Public<Casts> }> {
  return compile(name, spec as unknown as AnySpec);
}

type Schema = StandardSchemaV1;
type Taken<In> = In extends Schema ? [input: StandardSchemaV1.InferOutput<In>] : [];
type Given<In> = In extends Schema ? [input: StandardSchemaV1.InferInput<In>] : [];
type Told<R, Out> = Out extends Schema
  ? StandardSchemaV1.InferOutput<Out> | Extract<Answer<R>, Refused>
  : R;
/** What a handler may return whose reply a schema checks. */
type Replying<Out> = Out extends Schema
  ? Reply<StandardSchemaV1.InferInput<Out> | Refused>
  : unknown;
type Reply<T> = T | Later<T> | Promise<T | Later<T>>;

/**
 * A handler whose one argument is checked by a Standard Schema before it runs, and whose reply by another one
 * after it; refusals are not. `undefined` for `input`: a call without argument.
 */
export function call<
  S extends object,
  In extends Schema | undefined,
  R extends Replying<Out>,
  T extends string = never,
  C extends string = never,
  Out extends Schema | undefined = undefined,
>(
  input: In,
  handler: (ctx: Context<S, T, C>, ...input: Taken<In>) => R,
  reply?: Out,
): (ctx: Context<S, T, C>, ...input: Given<In>) => Told<R, Out> {
  const checked = withSchemas({ input, reply }, handler as unknown as AnyHandler);
  return checked as unknown as ReturnType<typeof call<S, In, R, T, C, Out>>;
}

/** A handler of a cast whose one argument is checked by a Standard Schema before it runs. */
export function cast<
  S extends object,
  In extends Schema,
  T extends string = never,
  C extends string = never,
>(
  input: In,
  handler: (ctx: Context<S, T, C>, input: StandardSchemaV1.InferOutput<In>) => Quiet,
): (ctx: Context<S, T, C>, input: StandardSchemaV1.InferInput<In>) => Quiet {
  return withSchemas({ input }, handler as AnyHandler) as ReturnType<typeof cast<S, In, T, C>>;
}

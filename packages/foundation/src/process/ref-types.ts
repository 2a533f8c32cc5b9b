import type { Refused, ReplyTo } from './answer.ts';
import type { Api, Definition } from './definition.ts';
import type { Pid } from './pid.ts';

/** A ref of which only the address matters. */
export interface AnyRef {
  /** Address of the life the ref leads to now; undefined while the name leads nowhere. */
  readonly pid: Pid | undefined;
  /** The definition and the name or address it leads to. */
  toString(): string;
}

/** How long a call waits. */
export interface CallOptions {
  /** Milliseconds to wait for the reply. @defaultValue 5000, or what the caller's own deadline leaves */
  readonly timeoutMs?: number;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

type Ask<C> = {
  readonly [K in keyof C]: C[K] extends (...a: infer A) => infer R
    ? Sendable<[A, R], (...args: A) => Promise<Exclude<R, Refused>>>
    : never;
};
type Try<C> = {
  readonly [K in keyof C]: C[K] extends (...a: infer A) => infer R
    ? Sendable<[A, R], (...args: A) => Promise<R>>
    : never;
};
type Tell<M> = {
  readonly [K in keyof M]: M[K] extends (...a: infer A) => unknown
    ? Sendable<A, (...args: A) => boolean>
    : never;
};
type Sendable<M, F> =
  M extends Wire<M> ? F : { readonly 'an argument or the reply cannot cross nodes': M };

/** `T` where each part can be sent, otherwise something `T` is not assignable to. The codec accepts exactly these. */
export type Wire<T> = unknown extends T
  ? T
  : T extends
        | string
        | number
        | bigint
        | boolean
        | null
        | undefined
        | void
        | Date
        | Uint8Array
        | Error
        | Refused
        | ReplyTo<unknown>
        | AnyRef
        | Pid
    ? T
    : T extends symbol | ((...args: never[]) => unknown)
      ? never
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<Wire<K>, Wire<V>>
        : T extends ReadonlySet<infer E>
          ? ReadonlySet<Wire<E>>
          : { [K in keyof T]: Wire<T[K]> };

/** The typed stub of a process. */
export type Client<A> = AnyRef &
  (A extends { calls: infer C }
    ? Ask<C> & { readonly try: Try<C>; with(options: CallOptions): Client<A> }
    : unknown) &
  (A extends { casts: infer M } ? { readonly cast: Tell<M> } : unknown);

type TellAll<M> = {
  readonly [K in keyof M]: M[K] extends (...a: infer A) => unknown
    ? Sendable<A, (...args: A) => number>
    : never;
};

/** The processes that have joined a group, of one definition, on all nodes. */
export type Group<A> = {
  readonly name: string;
  /** Refs of the members as this node knows them now, in the same order on every node. */
  members(): readonly Client<A>[];
  /** Runs when members have come or gone, with those there are now. */
  onChange(listener: (members: readonly Client<A>[]) => void): Disposable;
} & (A extends { casts: infer M }
  ? {
      /** Sends a cast to every member; returns how many took it. */
      readonly cast: TellAll<M>;
    }
  : unknown);

/** Of a definition (`Ref<typeof account>`) or of an interface (`Ref<AccountApi>`). */
export type Ref<D> =
  D extends Definition<infer _I, infer A> ? Client<A> : D extends Api ? Client<D> : never;

declare const tag: unique symbol;
declare const type: unique symbol;

/** An expected "no": returned by a handler, typed at the caller. The process lives on. */
export class Refused<Code extends string = string, Data = unknown> {
  declare readonly [tag]: 'refused';
  readonly code: Code;
  readonly data: Data;

  constructor(code: Code, data: Data) {
    this.code = code;
    this.data = data;
  }
}

/** Answers with an expected "no", to be *returned* by a handler or by `init`. */
export function refuse<const Code extends string>(code: Code): Refused<Code, undefined>;
export function refuse<const Code extends string, Data>(
  code: Code,
  data: Data,
): Refused<Code, Data>;
export function refuse(code: string, data?: unknown): Refused {
  return new Refused(code, data);
}

/** Whether an answer of `ref.try.method()` is a refusal. */
export function isRefused<T>(answer: T): answer is Extract<T, Refused> {
  return answer instanceof Refused;
}

/** What a handler returns in place of a reply of type `T` that comes later. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- that is what it is for
export abstract class Later<T> {
  declare readonly [tag]: 'later';
  declare readonly [type]: T;
}

/** What `ctx.later(work)` returns: the reply follows when the work settles. */
export class LaterWork<T> extends Later<T> {
  readonly work: Promise<T>;

  constructor(work: Promise<T>) {
    super();
    this.work = work;
  }
}

/** What `ctx.defer()` returns: the message itself comes again. */
export class Deferred extends Later<never> {}
export const deferred = new Deferred();

/** How a reply reaches the caller: within the runtime that took the call, or through it from elsewhere. */
export interface ReplyWay {
  readonly isOpen: boolean;
  reply(value: unknown): boolean;
}

/** Known to the codec, also of another copy of this package. */
export const replyToSymbol = Symbol.for('@foundation/core.reply-to');

/**
 * Where the reply to one call goes: made by `ctx.replyTo()`, returned in place of the reply, kept in the state or
 * sent to another process, and used by whoever has it. The first reply counts.
 */
export class ReplyTo<T> extends Later<T> {
  readonly [replyToSymbol]: ReplyWay;

  constructor(way: ReplyWay) {
    super();
    this[replyToSymbol] = way;
  }

  /** Whether the caller waits, as far as is known here. */
  get isOpen(): boolean {
    return this[replyToSymbol].isOpen;
  }

  /**
   * Answers the call; a refusal is a reply, too.
   *
   * @returns whether the caller was still waiting, or from another runtime, whether the reply was sent.
   * @throws FoundationError `NOT_SERIALIZABLE` for a value that cannot cross nodes, where it must.
   */
  reply(value: T | Refused): boolean {
    return this[replyToSymbol].reply(value);
  }
}

/** An error for the caller that is no crash of the process: for processes of the runtime itself. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

declare const tag: unique symbol;

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

/** What `ctx.later(work)` returns: the reply follows when the work settles. */
export class Later<T> {
  declare readonly [tag]: 'later';
  readonly value: Promise<T>;

  constructor(value: Promise<T>) {
    this.value = value;
  }
}

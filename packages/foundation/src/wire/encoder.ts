import { FoundationError, isFoundationError } from '../errors.ts';
import { isPlainRecord } from '../plain.ts';
import { Refused, ReplyTo } from '../process/answer.ts';
import { Pid } from '../process/pid.ts';
import { ByteWriter } from './byte-writer.ts';
import type { CodecHooks, CodecLimits } from './codec.ts';
import { refBrand, tag } from './tag.ts';

const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;
const pathCharsMax = 200;

/** Writes values as MessagePack, in one walk, or refuses one with the path of the offender. */
export class Encoder {
  readonly #limits: CodecLimits;
  readonly #hooks: CodecHooks | undefined;
  readonly #writer = new ByteWriter();
  /** Key or index being visited, by depth: the path, at no cost until it is asked for. */
  readonly #trail: (string | number)[] = [];
  #isBusy = false;
  #items = 0;
  #names: readonly string[] | undefined;

  constructor(limits: CodecLimits, hooks: CodecHooks | undefined) {
    this.#limits = limits;
    this.#hooks = hooks;
  }

  /** @throws FoundationError `NOT_SERIALIZABLE`. */
  encode(value: unknown, names?: readonly string[]): Uint8Array {
    // A getter of the value may send something, too.
    if (this.#isBusy) return new Encoder(this.#limits, this.#hooks).encode(value, names);
    this.#isBusy = true;
    this.#items = 0;
    this.#names = names;
    this.#writer.begin();
    try {
      this.#value(value, 0);
      return this.#writer.end();
    } finally {
      this.#isBusy = false;
    }
  }

  release(bytes: Uint8Array): void {
    this.#writer.release(bytes);
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        if (!this.#writer.text(value)) this.#oddText(value, depth);
        return;
      case 'number':
        if (value === 0 && 1 / value < 0) this.#tag(tag.minusZero, 0, depth);
        else this.#writer.number(value);
        return;
      case 'boolean':
        return this.#writer.boolean(value);
      case 'undefined':
        return this.#writer.undefined();
      case 'bigint':
        if (value >= int64Min && value <= uint64Max) this.#writer.bigint(value);
        else this.#bigint(value, depth);
        return;
      case 'object':
        if (value === null) this.#writer.null();
        else this.#object(value, depth);
        return;
      case 'function':
      case 'symbol':
        throw this.#refusal(`a ${typeof value}`, depth);
    }
  }

  /** UTF-8 has no word for lone surrogates. */
  #oddText(value: string, depth: number): void {
    this.#tag(tag.text, 1, depth);
    this.#writer.bytes(Buffer.from(value, 'utf16le'));
  }

  #bigint(value: bigint, depth: number): void {
    const digits = (value < 0n ? -value : value).toString(16);
    const { bigintBytesMax } = this.#limits;
    if (digits.length > 2 * bigintBytesMax) {
      throw this.#refusal(`a bigint of more than ${bigintBytesMax} bytes`, depth);
    }
    this.#tag(tag.bigint, 1, depth);
    this.#writer.text(value < 0n ? `-${digits}` : digits);
  }

  #object(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value, depth);
    if (refBrand in value) return this.#ref(value, depth);
    if (isPlainRecord(value)) return this.#record(value, depth);
    if (
      value instanceof Uint8Array &&
      (prototype === Uint8Array.prototype || prototype === Buffer.prototype)
    ) {
      return this.#writer.bytes(value);
    }
    return this.#special(value, prototype, depth);
  }

  #array(array: readonly unknown[], depth: number): void {
    const { length } = array;
    this.#enter(depth, length);
    this.#writer.array(length);
    for (let index = 0; index < length; index++) {
      this.#trail[depth] = index;
      this.#value(array[index], depth + 1);
    }
  }

  #record(record: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(record);
    this.#enter(depth, keys.length);
    const start = this.#writer.mark();
    this.#writer.map(keys.length);
    for (const key of keys) {
      this.#trail[depth] = key;
      if (key === '__proto__') throw this.#refusal('a key that changes prototypes', depth + 1);
      if (!this.#writer.text(key)) {
        this.#writer.rewind(start);
        return this.#oddRecord(record, keys, depth);
      }
      this.#value(record[key], depth + 1);
    }
  }

  /** A record whose keys UTF-8 cannot say. */
  #oddRecord(record: Record<string, unknown>, keys: readonly string[], depth: number): void {
    this.#tag(tag.record, 2 * keys.length, depth);
    for (const key of keys) {
      this.#trail[depth] = key;
      this.#value(key, depth + 1);
      this.#value(record[key], depth + 1);
    }
  }

  #special(value: object, prototype: unknown, depth: number): void {
    if (value instanceof Pid) return this.#pid(value, depth);
    if (value instanceof Refused) return this.#tagged(tag.refused, [value.code, value.data], depth);
    // eslint-disable-next-line no-restricted-globals -- carries dates, does not read the clock
    if (value instanceof Date) return this.#date(value.getTime(), depth);
    if (value instanceof Map && prototype === Map.prototype) {
      return this.#tagged(tag.map, [...value].flat(), depth);
    }
    if (value instanceof Set && prototype === Set.prototype) {
      return this.#tagged(tag.set, [...value], depth);
    }
    if (isFoundationError(value)) return this.#foundationError(value, depth);
    if (value instanceof Error) return this.#error(value, depth);
    if (value instanceof ReplyTo) return this.#replyTo(value, depth);
    throw this.#refusal(describe(value), depth);
  }

  #date(time: number, depth: number): void {
    this.#tag(tag.date, 1, depth);
    this.#writer.number(time);
  }

  /** Begins what MessagePack has no word for, with so many items to follow. */
  #tag(kind: number, items: number, depth: number): void {
    this.#enter(depth, 2 + items);
    this.#writer.array(2 + items);
    this.#writer.tag(kind);
  }

  #tagged(kind: number, items: readonly unknown[], depth: number): void {
    this.#tag(kind, items.length, depth);
    for (const [index, item] of items.entries()) {
      this.#trail[depth] = kind === tag.map ? `entries[${index >> 1}]` : index;
      this.#value(item, depth + 1);
    }
  }

  #pid(pid: Pid, depth: number): void {
    const { node, incarnation, serial } = this.#hooks?.encodePid?.(pid) ?? pid;
    this.#tag(tag.pid, 3, depth);
    this.#value(node, depth + 1);
    this.#writer.number(incarnation);
    this.#writer.number(serial);
  }

  #ref(value: object, depth: number): void {
    const data = this.#hooks?.encodeRef(value);
    if (data === undefined) throw this.#refusal('a ref that no node here knows', depth);
    this.#tagged(tag.ref, [data], depth);
  }

  #replyTo(value: ReplyTo<unknown>, depth: number): void {
    const data = this.#hooks?.encodeReplyTo?.(value);
    if (data === undefined) throw this.#refusal('a reply address that no node here knows', depth);
    this.#tagged(tag.replyTo, [data], depth);
  }

  #foundationError(error: FoundationError, depth: number): void {
    const { code, message, hint, details, retryable, outcome } = error;
    const hasCause = 'cause' in error;
    this.#tag(tag.foundationError, hasCause ? 7 : 6, depth);
    for (const text of [code, message, hint]) this.#value(text?.toWellFormed(), depth + 1);
    this.#lenient(details, depth);
    this.#writer.boolean(retryable);
    this.#writer.text(outcome);
    if (hasCause) this.#lenient(error.cause, depth);
  }

  #error(error: Error, depth: number): void {
    const hasCause = 'cause' in error;
    this.#tag(tag.error, hasCause ? 3 : 2, depth);
    for (const text of [error.name, error.message]) this.#value(text.toWellFormed(), depth + 1);
    if (hasCause) this.#lenient(error.cause, depth);
  }

  /** An error must get through: what it carries and cannot be sent is replaced by its description. */
  #lenient(value: unknown, depth: number): void {
    const items = this.#items;
    const start = this.#writer.mark();
    try {
      this.#value(value, depth + 1);
    } catch {
      this.#items = items;
      this.#writer.rewind(start);
      const instead = value instanceof Error ? value.message : describe(value);
      this.#writer.text(instead.toWellFormed());
    }
  }

  #enter(depth: number, items: number): void {
    const { depthMax, itemsMax } = this.#limits;
    this.#items += items;
    if (depth >= depthMax) {
      throw this.#refusal(`nested deeper than ${depthMax} levels (does it hold itself?)`, depth);
    }
    if (this.#items > itemsMax) throw this.#refusal(`more than ${itemsMax} items`, depth);
  }

  #refusal(what: string, depth: number): FoundationError {
    const path = renderPath(this.#trail.slice(0, depth), this.#names);
    const where = path === '' ? 'the value' : path;
    return new FoundationError('NOT_SERIALIZABLE', `${where} cannot cross nodes: ${what}`, {
      hint: 'Send plain data: JSON values, bigint, Date, Map, Set, Uint8Array, refs, pids and errors.',
      details: { path },
    });
  }
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  if (value instanceof Promise) return 'a promise (is an `await` missing?)';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'a foreign object';
}

function renderPath(
  trail: readonly (string | number)[],
  names: readonly string[] | undefined,
): string {
  let path = '';
  for (const [depth, step] of trail.entries()) {
    const word = depth === 0 && typeof step === 'number' ? (names?.[step] ?? step) : step;
    if (typeof word === 'number') path += `[${word}]`;
    else if (/^[\w$]+(?:\[\d+\])?$/.test(word)) path += path === '' ? word : `.${word}`;
    else path += `[${JSON.stringify(word)}]`;
    if (path.length > pathCharsMax) return `${path.slice(0, pathCharsMax)}…`;
  }
  return path;
}

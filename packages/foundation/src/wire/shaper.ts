import { FoundationError, isFoundationError } from '../errors.ts';
import { isPlainRecord } from '../plain.ts';
import { Refused, ReplyTo } from '../process/answer.ts';
import { Pid } from '../process/pid.ts';
import type { CodecHooks, CodecLimits } from './codec.ts';
import { refBrand, tag } from './tag.ts';

const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;
const pathCharsMax = 200;

/**
 * Turns a value into what MessagePack can say, or refuses it with the path of the offender. What needs
 * no change is not copied, so that ordinary messages pass through as they are.
 */
export class Shaper {
  readonly #mark: unknown;
  readonly #limits: CodecLimits;
  readonly #hooks: CodecHooks | undefined;
  /** Key or index being visited, by depth: the path, at no cost until it is asked for. */
  readonly #trail: (string | number)[] = [];
  #items = 0;
  #names: readonly string[] | undefined;

  constructor(mark: unknown, limits: CodecLimits, hooks: CodecHooks | undefined) {
    this.#mark = mark;
    this.#limits = limits;
    this.#hooks = hooks;
  }

  /** @throws FoundationError `NOT_SERIALIZABLE`. */
  shape(value: unknown, names?: readonly string[]): unknown {
    this.#items = 0;
    this.#names = names;
    return this.#value(value, 0);
  }

  #value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return isPlainText(value) ? value : this.#text(value, depth);
      case 'number':
        return value === 0 && 1 / value < 0 ? this.#leaf(tag.minusZero, depth) : value;
      case 'boolean':
      case 'undefined':
        return value;
      case 'bigint':
        return value >= int64Min && value <= uint64Max ? value : this.#bigint(value, depth);
      case 'object':
        return value === null ? null : this.#object(value, depth);
      case 'function':
      case 'symbol':
        throw this.#refusal(`a ${typeof value}`, depth);
    }
  }

  #text(value: string, depth: number): unknown {
    return this.#leaf(tag.text, depth, Buffer.from(value, 'utf16le'));
  }

  #bigint(value: bigint, depth: number): unknown {
    const digits = (value < 0n ? -value : value).toString(16);
    const { bigintBytesMax } = this.#limits;
    if (digits.length > 2 * bigintBytesMax) {
      throw this.#refusal(`a bigint of more than ${bigintBytesMax} bytes`, depth);
    }
    return this.#leaf(tag.bigint, depth, value < 0n ? `-${digits}` : digits);
  }

  #object(value: object, depth: number): unknown {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Array.prototype && Array.isArray(value)) return this.#array(value, depth);
    if (refBrand in value) return this.#ref(value, depth);
    if (isPlainRecord(value)) return this.#record(value, depth);
    if (prototype === Uint8Array.prototype || prototype === Buffer.prototype) return value;
    return this.#special(value, prototype, depth);
  }

  #array(array: unknown[], depth: number): unknown[] {
    this.#enter(depth, array.length);
    let shaped = array;
    for (let index = 0; index < array.length; index++) {
      this.#trail[depth] = index;
      const item = array[index];
      const next = this.#value(item, depth + 1);
      if (next === item) continue;
      if (shaped === array) shaped = array.slice();
      shaped[index] = next;
    }
    return shaped;
  }

  #record(record: Record<string, unknown>, depth: number): unknown {
    const keys = Object.keys(record);
    this.#enter(depth, keys.length);
    let shaped = record;
    for (const key of keys) {
      this.#trail[depth] = key;
      if (key === '__proto__') throw this.#refusal('a key that changes prototypes', depth + 1);
      if (!isPlainText(key)) return this.#oddRecord(record, keys, depth);
      const item = record[key];
      const next = this.#value(item, depth + 1);
      if (next === item) continue;
      if (shaped === record) shaped = { ...record };
      shaped[key] = next;
    }
    return shaped;
  }

  /** A record whose keys UTF-8 cannot say. */
  #oddRecord(record: Record<string, unknown>, keys: readonly string[], depth: number): unknown[] {
    this.#enter(depth, 2 + keys.length);
    const shaped: unknown[] = [this.#mark, tag.record];
    for (const key of keys) {
      this.#trail[depth] = key;
      shaped.push(this.#value(key, depth + 1), this.#value(record[key], depth + 1));
    }
    return shaped;
  }

  #special(value: object, prototype: unknown, depth: number): unknown {
    if (value instanceof Pid) return this.#pid(value, depth);
    if (value instanceof Refused) return this.#tagged(tag.refused, [value.code, value.data], depth);
    // eslint-disable-next-line no-restricted-globals -- carries dates, does not read the clock
    if (value instanceof Date) return this.#leaf(tag.date, depth, value.getTime());
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

  #tagged(kind: number, items: readonly unknown[], depth: number): unknown[] {
    this.#enter(depth, 2 + items.length);
    const shaped: unknown[] = [this.#mark, kind];
    for (const [index, item] of items.entries()) {
      this.#trail[depth] = kind === tag.map ? `entries[${index >> 1}]` : index;
      shaped.push(this.#value(item, depth + 1));
    }
    return shaped;
  }

  #leaf(kind: number, depth: number, ...content: readonly unknown[]): unknown[] {
    this.#enter(depth, 2 + content.length);
    return [this.#mark, kind, ...content];
  }

  #pid(pid: Pid, depth: number): unknown[] {
    this.#enter(depth, 5);
    const { node, incarnation, serial } = this.#hooks?.encodePid?.(pid) ?? pid;
    return [this.#mark, tag.pid, this.#value(node, depth + 1), incarnation, serial];
  }

  #ref(value: object, depth: number): unknown[] {
    const data = this.#hooks?.encodeRef(value);
    if (data === undefined) throw this.#refusal('a ref that no node here knows', depth);
    return this.#tagged(tag.ref, [data], depth);
  }

  #replyTo(value: ReplyTo<unknown>, depth: number): unknown[] {
    const data = this.#hooks?.encodeReplyTo?.(value);
    if (data === undefined) throw this.#refusal('a reply address that no node here knows', depth);
    return this.#tagged(tag.replyTo, [data], depth);
  }

  #foundationError(error: FoundationError, depth: number): unknown[] {
    const { details, retryable, outcome } = error;
    const texts = [error.code, error.message, error.hint].map((text) => text?.toWellFormed());
    const facts = [this.#lenient(details, depth), retryable, outcome];
    return this.#leaf(tag.foundationError, depth, ...texts, ...facts, ...this.#cause(error, depth));
  }

  #error(error: Error, depth: number): unknown[] {
    const known = [error.name, error.message].map((text) => text.toWellFormed());
    return this.#leaf(tag.error, depth, ...known, ...this.#cause(error, depth));
  }

  #cause(error: Error, depth: number): readonly unknown[] {
    return 'cause' in error ? [this.#lenient(error.cause, depth)] : [];
  }

  /** An error must get through: what it carries and cannot be sent is replaced by its description. */
  #lenient(value: unknown, depth: number): unknown {
    const items = this.#items;
    try {
      return this.#value(value, depth + 1);
    } catch {
      this.#items = items;
      return (value instanceof Error ? value.message : describe(value)).toWellFormed();
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

/** UTF-8 loses lone surrogates, and decoders drop a leading byte order mark. */
function isPlainText(text: string): boolean {
  return text.isWellFormed() && text.charCodeAt(0) !== 0xfeff;
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

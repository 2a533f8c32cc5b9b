import { isNodeName } from '../cluster/names.ts';
import { FoundationError, type ErrorTraits } from '../errors.ts';
import { Refused } from '../process/answer.ts';
import { Pid } from '../process/pid.ts';
import type { CodecHooks, CodecLimits } from './codec.ts';
import { tag } from './tag.ts';

/** Turns decoded MessagePack into values, in place: what a mark announces, and copies of bytes. */
export class Reviver {
  readonly #mark: unknown;
  readonly #limits: CodecLimits;
  readonly #hooks: CodecHooks | undefined;

  constructor(mark: unknown, limits: CodecLimits, hooks: CodecHooks | undefined) {
    this.#mark = mark;
    this.#limits = limits;
    this.#hooks = hooks;
  }

  /** @throws FoundationError `MALFORMED`. */
  revive(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const items: unknown[] = value;
      if (items[0] === this.#mark) return this.#special(items);
      for (let index = 0; index < items.length; index++) items[index] = this.revive(items[index]);
      return items;
    }
    if (value instanceof Uint8Array) return new Uint8Array(value);
    if (value === this.#mark) throw malformed('a mark that announces nothing');
    if (!isRecord(value)) throw malformed('a foreign object');
    for (const key of Object.keys(value)) value[key] = this.revive(value[key]);
    return value;
  }

  #special(items: readonly unknown[]): unknown {
    const [, kind, first, second, third] = items;
    switch (kind) {
      case tag.minusZero:
        return -0;
      case tag.text:
        return utf16(first);
      case tag.bigint:
        return this.#bigint(text(first));
      case tag.date:
        // eslint-disable-next-line no-restricted-globals -- carries dates, does not read the clock
        return new Date(number(first));
      case tag.map:
        return new Map(this.#entries(items));
      case tag.set:
        return new Set(items.slice(2).map((item) => this.revive(item)));
      case tag.record:
        return this.#record(items);
      case tag.pid:
        return new Pid(nodeName(this.revive(first)), integer(second), integer(third));
      case tag.ref:
        return this.#ref(first);
      case tag.refused:
        return new Refused(text(this.revive(first)), this.revive(second));
      case tag.error:
        return this.#error(items);
      case tag.foundationError:
        return this.#foundationError(items);
      case tag.replyTo:
        return this.#replyTo(first);
      default:
        throw malformed(`unknown kind of value ${String(kind)}`);
    }
  }

  #bigint(digits: string): bigint {
    const match = /^(-?)([\da-f]+)$/.exec(digits);
    const hex = match?.[2] ?? '';
    if (hex === '' || hex.length > 2 * this.#limits.bigintBytesMax) {
      throw malformed(`a bigint of ${digits.length} digits`);
    }
    return match?.[1] === '-' ? -BigInt(`0x${hex}`) : BigInt(`0x${hex}`);
  }

  #entries(items: readonly unknown[]): [unknown, unknown][] {
    const entries: [unknown, unknown][] = [];
    for (let index = 2; index < items.length; index += 2) {
      entries.push([this.revive(items[index]), this.revive(items[index + 1])]);
    }
    return entries;
  }

  #record(items: readonly unknown[]): Record<string, unknown> {
    const entries = this.#entries(items).map(([key, value]) => [text(key), value] as const);
    if (entries.some(([key]) => key === '__proto__')) throw malformed('a key "__proto__"');
    return Object.fromEntries(entries);
  }

  #ref(data: unknown): unknown {
    if (this.#hooks === undefined) throw malformed('a ref, where none are known');
    return this.#hooks.decodeRef(this.revive(data));
  }

  #replyTo(data: unknown): unknown {
    const replyTo = this.#hooks?.decodeReplyTo?.(this.revive(data));
    if (replyTo === undefined) throw malformed('a reply address, where none are known');
    return replyTo;
  }

  #error(items: readonly unknown[]): Error {
    const [, , name, message, cause] = items;
    const options = items.length > 4 ? { cause: this.revive(cause) } : undefined;
    const error = new Error(text(message), options);
    if (name !== 'Error') hide(error, 'name', text(name));
    // Not where it was put together here: that is of no use to anybody.
    hide(error, 'stack', `${error.name}: ${error.message}`);
    return error;
  }

  #foundationError(items: readonly unknown[]): FoundationError {
    const [, , code, message, hint, rawDetails, retryable, outcome, cause] = items;
    const details: unknown = this.revive(rawDetails);
    const options = {
      ...(hint === undefined ? {} : { hint: text(hint) }),
      ...(isRecord(details) ? { details } : {}),
      ...(items.length > 8 ? { cause: this.revive(cause) } : {}),
    };
    const traits: ErrorTraits = {
      retryable: retryable === true,
      outcome: outcome === 'not-executed' ? 'not-executed' : 'unknown',
    };
    return new FoundationError(text(code), text(message), { ...options, traits });
  }
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true, writable: true });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function utf16(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf16le');
  throw malformed('a text that is no text');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw malformed(`a ${typeof value} in place of a text`);
}

function nodeName(value: unknown): string {
  if (isNodeName(value)) return text(value);
  throw malformed('a pid of no node');
}

function number(value: unknown): number {
  if (typeof value === 'number') return value;
  throw malformed(`a ${typeof value} in place of a number`);
}

function integer(value: unknown): number {
  if (Number.isSafeInteger(value)) return number(value);
  throw malformed(`${String(value)} in place of an integer`);
}

function malformed(what: string): FoundationError {
  return new FoundationError('MALFORMED', `bytes that are no message: ${what}`);
}

import { isNodeName } from '../cluster/names.ts';
import { FoundationError, type ErrorTraits } from '../errors.ts';
import { Refused } from '../process/answer.ts';
import { Pid } from '../process/pid.ts';
import type { CodecHooks, CodecLimits } from './codec.ts';
import { tag } from './tag.ts';

/** Makes what a mark announces, from items that are values already. */
export class Reviver {
  readonly #limits: CodecLimits;
  readonly #hooks: CodecHooks | undefined;

  constructor(limits: CodecLimits, hooks: CodecHooks | undefined) {
    this.#limits = limits;
    this.#hooks = hooks;
  }

  /** @throws FoundationError `MALFORMED`. */
  revive(kind: unknown, items: readonly unknown[]): unknown {
    const [first, second, third] = items;
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
        return new Map(entriesOf(items));
      case tag.set:
        return new Set(items);
      case tag.record:
        return recordOf(items);
      case tag.pid:
        return new Pid(nodeName(first), integer(second), integer(third));
      case tag.ref:
        return this.#ref(first);
      case tag.refused:
        return new Refused(text(first), second);
      case tag.error:
        return errorOf(items);
      case tag.foundationError:
        return foundationErrorOf(items);
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

  #ref(data: unknown): unknown {
    if (this.#hooks === undefined) throw malformed('a ref, where none are known');
    return this.#hooks.decodeRef(data);
  }

  #replyTo(data: unknown): unknown {
    const replyTo = this.#hooks?.decodeReplyTo?.(data);
    if (replyTo === undefined) throw malformed('a reply address, where none are known');
    return replyTo;
  }
}

function entriesOf(items: readonly unknown[]): [unknown, unknown][] {
  const entries: [unknown, unknown][] = [];
  for (let index = 0; index < items.length; index += 2) {
    entries.push([items[index], items[index + 1]]);
  }
  return entries;
}

function recordOf(items: readonly unknown[]): Record<string, unknown> {
  const entries = entriesOf(items).map(([key, value]) => [text(key), value] as const);
  if (entries.some(([key]) => key === '__proto__')) throw malformed('a key "__proto__"');
  return Object.fromEntries(entries);
}

function errorOf(items: readonly unknown[]): Error {
  const [name, message, cause] = items;
  const options = items.length > 2 ? { cause } : undefined;
  const error = unlocated(() => new Error(text(message), options));
  if (name !== 'Error') hide(error, 'name', text(name));
  // Not where it was put together here: that is of no use to anybody.
  hide(error, 'stack', `${error.name}: ${error.message}`);
  return error;
}

function foundationErrorOf(items: readonly unknown[]): FoundationError {
  const [code, message, hint, details, retryable, outcome, cause] = items;
  const options = {
    ...(hint === undefined ? {} : { hint: text(hint) }),
    ...(isRecord(details) ? { details } : {}),
    ...(items.length > 6 ? { cause } : {}),
  };
  const traits: ErrorTraits = {
    retryable: retryable === true,
    outcome: outcome === 'not-executed' ? 'not-executed' : 'unknown',
  };
  return unlocated(() => new FoundationError(text(code), text(message), { ...options, traits }));
}

/**
 * Makes an error without the frames of this place, which tell nothing. To find them takes a hundred times as
 * long as the rest, and a frame may hold thousands of errors.
 */
function unlocated<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
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

export function text(value: unknown): string {
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

export function malformed(what: string): FoundationError {
  return new FoundationError('MALFORMED', `bytes that are no message: ${what}`);
}

import { isPlainRecord } from '../plain.ts';
import { Refused, ReplyTo } from '../process/answer.ts';

/** The user's own values in a request context, frozen. */
export type ContextValues = Readonly<Record<string, unknown>>;

/** What a context may hold. */
export const contextValueKinds = 'JSON values, bigint, undefined, refs and pids';

const none: ContextValues = Object.freeze({});

/** Everybody who works for a request shares its values: these could be changed nevertheless. */
// oxlint-disable-next-line eslint/no-restricted-globals -- a type to tell apart, not a clock
const changeable = [Date, Map, Set, Uint8Array, Error, Refused, ReplyTo];

/**
 * Where something is that a context cannot hold, `values.since` for example.
 *
 * @param value - Whatever the codec gives.
 */
export function unfitPath(value: unknown, path = 'values'): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (changeable.some((each) => value instanceof each)) return path;
  if (!isPlain(value)) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const found = unfitPath(each, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The values of a context, from what the codec gives; none if it is no such thing. */
export function asValues(value: unknown): ContextValues {
  return isRecord(value) && unfitPath(value) === undefined ? freeze(value) : none;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && isPlainRecord(value);
}

/** Neither a ref nor a pid nor an object of a class. */
function isPlain(value: object): boolean {
  return Array.isArray(value) || isPlainRecord(value);
}

function freeze<T>(value: T): Readonly<T> {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  for (const each of Object.values(value)) freeze(each);
  return Object.freeze(value);
}

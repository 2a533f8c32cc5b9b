import { FoundationError } from '../../packages/foundation/src/errors.ts';
import { Pid } from '../../packages/foundation/src/index.ts';
import { Codec } from '../../packages/foundation/src/internal.ts';

export const codec = new Codec({
  encodeRef: () => undefined,
  decodeRef: (data) => ({ ref: data }),
  encodeReplyTo: () => undefined,
  decodeReplyTo: (data) => ({ replyTo: data }),
});
export const encoded = (...values: readonly unknown[]): readonly Buffer[] =>
  withOdd(values).map((value) => Buffer.from(codec.encode(value)));
export const json = (...values: readonly unknown[]): readonly Buffer[] =>
  withOdd(values).map((value) => Buffer.from(JSON.stringify(value)));
export const texts = (...values: readonly string[]): readonly Buffer[] =>
  values.map((value) => Buffer.from(value));

/** What is in the bytes as JSON; nothing where they are none, as where it comes from HTTP. */
export function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** What may stand where something else is expected. An object with such a `toString` is no text. */
const odd: readonly unknown[] = [{ toString: 1 }, null, [], -1, 1e308, ''];

/** Values, and as many of them with something odd in one place. */
function withOdd(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value) => {
    const variants = oddOf(value);
    return [value, ...variants.flatMap((variant) => [value, variant])];
  });
}

function oddOf(value: unknown): readonly unknown[] {
  const isWalked =
    Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype;
  if (!isWalked) return odd;
  const inner = Object.entries(Object(value)).flatMap(([key, each]) =>
    oddOf(each).map((variant) =>
      Array.isArray(value)
        ? value.with(Number(key), variant)
        : { ...Object(value), [key]: variant },
    ),
  );
  return [...odd, ...inner];
}

export const pid = new Pid('n1', 1_700_000_000_000, 7);
export const values: readonly unknown[] = [
  [1, 2, 'add', [{ a: [1, -0, 2.5, null, undefined] }, new Uint8Array(20)], 5_000],
  { text: 'grüße 👋', odd: '\uD800', big: -(2n ** 100n), date: new Date(0), pid },
  new Map<unknown, unknown>([['k', new Set([1, 'x', [2]])]]),
  new FoundationError('MALFORMED', 'bad', { hint: 'h', details: { x: 1 }, cause: new Error('c') }),
];
/** Of members, in tests. */
export const proofKey = Buffer.alloc(32, 1);

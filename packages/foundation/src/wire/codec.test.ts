import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { describe, expect, it } from 'vitest';

import { FoundationError, isFoundationError } from '../errors.ts';
import { refuse } from '../process/answer.ts';
import { Pid } from '../process/pid.ts';
import { Codec } from './codec.ts';

const codec = new Codec();
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value));
const bytes = (...parts: (number | string)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  );

function thrownBy(action: () => unknown): FoundationError {
  try {
    action();
  } catch (error) {
    if (isFoundationError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function outcomeOf(action: () => unknown): string {
  try {
    action();
    return 'decoded';
  } catch (error) {
    return isFoundationError(error) ? error.code : String(error);
  }
}

/** Every type that `Wire<T>` admits. */
const sendable: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['undefined', undefined],
  ['a boolean', true],
  ['zero', 0],
  ['minus zero', -0],
  ['not a number', Number.NaN],
  ['infinity', Number.NEGATIVE_INFINITY],
  ['the largest safe integer', Number.MAX_SAFE_INTEGER],
  ['a fraction', 0.1],
  ['a text', 'grüße 👋'],
  ['a lone surrogate', 'a\uD800b'],
  ['a byte order mark before a long text', `\uFEFF${'x'.repeat(100)}`],
  ['a small bigint', -5n],
  ['the largest 64-bit bigint', 2n ** 64n - 1n],
  ['a large bigint', -(2n ** 700n) - 1n],
  ['a date', new Date('2026-11-22T10:00:00.123Z')],
  ['a date before 1970', new Date(-1.5e12 - 1)],
  ['an invalid date', new Date(Number.NaN)],
  [
    'a map',
    new Map<unknown, unknown>([
      ['k', 1],
      [{ a: 1 }, new Map([[1, -0]])],
    ]),
  ],
  ['a set', new Set([1, 'x', [2]])],
  ['bytes', Uint8Array.of(1, 2, 255)],
  ['an array', [1, [undefined, [null]]]],
  ['an object', { a: { b: [1] }, undefinedToo: undefined, constructor: 'c', toJSON: 1 }],
  ['an object with an odd key', { '\uD800': 1, '\uFEFFa': -0 }],
  ['a pid', new Pid('n1', 1_700_000_000_000, 2 ** 36 + 1)],
  ['a refusal', refuse('NO_FUNDS', { balance: 3n })],
];

describe('Codec', () => {
  it.each(sendable)('carries %s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip([{ value }])).toStrictEqual([{ value }]);
  });

  it('gives back whatever data it was given', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.double(),
      fc.bigInt(),
      fc.constantFrom(undefined, null, true, '\uD800', '\uFEFF'),
      fc.uint8Array(),
      fc.date({ noInvalidDate: false }),
    );
    const key = fc.string({ unit: 'binary' }).filter((text) => text !== '__proto__');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { noNullPrototype: true, maxKeys: 4 }),
        fc.array(fc.tuple(leaf, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
        fc.array(leaf, { maxLength: 4 }).map((items) => new Set(items)),
      ),
    }));
    fc.assert(
      fc.property(value, (data) => {
        expect(roundTrip(data)).toStrictEqual(data);
      }),
    );
  });

  it('carries texts, bytes, lists and objects of every length of length', () => {
    const lengths = [0, 1, 15, 16, 24, 25, 31, 32, 48, 49, 255, 256, 1_024, 1_025, 5_461, 5_462];
    const long = [16_000, 16_384, 21_845, 21_846, 65_535, 65_536, 200_000];
    for (const length of [...lengths, ...long]) {
      for (const unit of ['a', 'ü', '€', '\uFEFF']) {
        const text = unit.repeat(length);
        expect(roundTrip(text) === text).toBe(true);
        const last = `${'a'.repeat(length)}${unit}`;
        expect(roundTrip([last, 1])).toStrictEqual([last, 1]);
      }
      const data = new Uint8Array(length).fill(length);
      expect(Buffer.compare(roundTrip(data) as Uint8Array, data)).toBe(0);
      if (length > 65_535) continue;
      const list = Array.from({ length }, (_, index) => index - 40);
      expect(roundTrip(list)).toStrictEqual(list);
      const object = Object.fromEntries(list.map((item) => [`key ${item}`, item]));
      expect(roundTrip(object)).toStrictEqual(object);
    }
  });

  it('carries integers of every width', () => {
    const edges = [0, 7, 8, 15, 16, 31, 32, 52, 53, 60].flatMap((bits) =>
      [-1, 0, 1].flatMap((by) => [2 ** bits + by, -(2 ** bits) + by]),
    );
    for (const number of edges) {
      expect(roundTrip(number)).toBe(number);
      expect(roundTrip(BigInt(number))).toBe(BigInt(number));
    }
  });

  it('tells short texts apart that share a place in its memory', () => {
    const texts = Array.from({ length: 5_000 }, (_, index) => `key ${index * 7_919}`);
    for (let round = 0; round < 2; round++) expect(roundTrip(texts)).toStrictEqual(texts);
  });

  it('writes MessagePack that others read, and reads what they write', () => {
    const packr = new Packr({ useRecords: false });
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'grapheme', maxLength: 100 }),
        fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
        fc.integer(),
        fc.constantFrom(undefined, null, true, false),
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(fc.string({ maxLength: 8 }), tie('value'), {
          noNullPrototype: true,
          maxKeys: 20,
        }),
      ),
    }));
    const isOrdinary = (data: unknown): boolean => !JSON.stringify([data]).includes('__proto__');
    fc.assert(
      fc.property(value.filter(isOrdinary), (data) => {
        expect(packr.unpack(codec.encode(data))).toStrictEqual(data);
        expect(codec.decode(packr.pack(data))).toStrictEqual(data);
      }),
    );
  });

  it('may be used by a getter of the value that it encodes', () => {
    const inner = { deep: ['x'.repeat(20_000)] };
    const outer = {
      before: 'b'.repeat(100),
      get within() {
        return codec.encode(inner).length > 20_000 ? 'sent' : '';
      },
      after: 1,
    };
    expect(roundTrip(outer)).toStrictEqual({ before: 'b'.repeat(100), within: 'sent', after: 1 });
    expect(roundTrip(inner)).toStrictEqual(inner);
  });

  it('makes errors without the place where they were put together, and no later one without its own', () => {
    const sent = [new Error('theirs'), new FoundationError('OVERLOADED', 'full')];
    const [theirs, ours] = codec.decode(codec.encode(sent)) as readonly Error[];
    expect([theirs?.stack, ours?.stack].join()).not.toMatch(/\bat\b.*reviver/);
    expect(new Error('here').stack).toContain('codec.test');
  });

  it('carries a FoundationError with all it says, and its causes', () => {
    const cause = new TypeError('bad', { cause: new Error('root') });
    const error = new FoundationError('X_FULL', 'full', {
      hint: 'empty it',
      details: { size: 3n },
      cause,
      traits: { retryable: true, outcome: 'not-executed' },
    });
    const copy = roundTrip(error);
    expect(copy).toBeInstanceOf(FoundationError);
    expect(copy).toMatchObject({
      code: 'X_FULL',
      message: 'full',
      hint: 'empty it',
      details: { size: 3n },
      retryable: true,
      outcome: 'not-executed',
      cause: { name: 'TypeError', message: 'bad', cause: { name: 'Error', message: 'root' } },
    });
    const plain = roundTrip(cause);
    expect(Object.getPrototypeOf(plain)).toBe(Error.prototype);
    expect(roundTrip(new Error('no cause'))).not.toHaveProperty('cause');
  });

  it('gets an error through even when what it carries cannot be sent', () => {
    const cause = new Error('outer', { cause: () => 1 });
    const loop = new Error('loop');
    loop.cause = loop;
    expect(roundTrip(cause)).toMatchObject({ message: 'outer', cause: 'a function' });
    expect(roundTrip(loop)).toMatchObject({ message: 'loop', cause: { message: 'loop' } });
  });

  it('keeps no hold of the bytes it decodes, nor of the value it encodes', () => {
    const frame = codec.encode({ data: Uint8Array.of(1, 2), text: 'abc' });
    const value = codec.decode(frame);
    frame.fill(0);
    expect(value).toStrictEqual({ data: Uint8Array.of(1, 2), text: 'abc' });
    const first = codec.encode(['first']);
    codec.encode(['x'.repeat(100_000)]);
    expect(codec.decode(first)).toStrictEqual(['first']);
  });

  it('gives back the memory of what it has made, and of nothing else', () => {
    const small = ['first', 'second'].map((text) => codec.encode([text]));
    const large = codec.encode(['x'.repeat(100_000)]);
    const refused = { text: 'y'.repeat(100_000), bad: () => 1 };
    expect(thrownBy(() => codec.encode(refused)).code).toBe('NOT_SERIALIZABLE');
    const third = codec.encode(['third']);
    for (const frame of [...small, large, third]) codec.release(frame);
    expect(large).toHaveLength(0);
    const texts = [...small, third].map((frame) => codec.decode(frame));
    expect(texts).toStrictEqual([['first'], ['second'], ['third']]);
    const [kept, released] = [codec.encode(refused.text), codec.encode(refused.text)];
    codec.release(released);
    expect(codec.decode(kept)).toBe(refused.text);
  });

  it('leaves the values it encodes as they were', () => {
    const message = Object.freeze([Object.freeze({ at: new Date(0) }), -0]);
    codec.encode(message);
    expect(message).toStrictEqual([{ at: new Date(0) }, -0]);
  });

  it.each<readonly [string, unknown, string]>([
    ['a function', { args: [{ socket: () => 1 }] }, 'args[0].socket'],
    ['a symbol', [1, Symbol('s')], '[1]'],
    [
      'a class instance',
      {
        a: new (class Socket {
          open = true;
        })(),
      },
      'a',
    ],
    ['a promise', [Promise.resolve()], '[0]'],
    ['a weak map', new WeakMap(), ''],
    ['a regular expression', { 'a b': /x/ }, '["a b"]'],
    ['another typed array', { f: new Float64Array(1) }, 'f'],
    ['an array buffer', [new ArrayBuffer(1)], '[0]'],
    ['a map with a bad entry', { m: new Map([['k', () => 1]]) }, 'm.entries[0]'],
    ['a subclass of Map', [new (class Cache extends Map {})()], '[0]'],
    ['a boxed number', [Object(1)], '[0]'],
    [
      'a key that changes prototypes',
      { a: JSON.parse('{"__proto__":{"admin":true}}') },
      'a.__proto__',
    ],
    ['a bigint without end', { n: 1n << 40_000n }, 'n'],
    ['too many items', { list: Array.from({ length: 70_000 }, () => 0) }, 'list'],
  ])('refuses %s and names its path', (_, value, path) => {
    const error = thrownBy(() => codec.encode(value));
    expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', details: { path } });
    expect(error.message).toContain(path);
  });

  it('names the parts of a packet as its caller does', () => {
    const packet = [1, 2, 'add', [{ socket: () => 1 }]];
    const error = thrownBy(() => codec.encode(packet, ['kind', 'to', 'method', 'args']));
    expect(error.details).toStrictEqual({ path: 'args[0].socket' });
  });

  it('refuses what holds itself', () => {
    const loop: unknown[] = [];
    loop.push({ loop });
    expect(thrownBy(() => codec.encode(loop)).code).toBe('NOT_SERIALIZABLE');
  });

  it('reports a getter that throws as a value that cannot be sent', () => {
    const error = thrownBy(() =>
      codec.encode({
        get x(): never {
          throw new Error('boom');
        },
      }),
    );
    expect(error.code).toBe('NOT_SERIALIZABLE');
  });

  it('decodes exactly what it encodes at the limits', () => {
    const nest = (levels: number, core: unknown): unknown =>
      levels === 0 ? core : [nest(levels - 1, core)];
    expect(roundTrip(nest(64, 1))).toStrictEqual(nest(64, 1));
    expect(roundTrip(nest(63, new Date(0)))).toStrictEqual(nest(63, new Date(0)));
    for (const tooDeep of [nest(65, 1), nest(64, new Date(0)), nest(64, -0)]) {
      expect(thrownBy(() => codec.encode(tooDeep)).code).toBe('NOT_SERIALIZABLE');
    }
    const list = Array.from({ length: 65_536 }, () => 1);
    expect(roundTrip(list)).toStrictEqual(list);
    expect(roundTrip((1n << 32_760n) - 1n)).toBe((1n << 32_760n) - 1n);
  });

  it.each<readonly [string, Uint8Array]>([
    ['nothing', bytes()],
    ['a text cut short', bytes(0xa5, 'ab')],
    ['more than one value', bytes(1, 2)],
    ['an array that claims four billion elements', bytes(0xdd, 255, 255, 255, 255)],
    ['a map that claims four billion entries', bytes(0xdf, 255, 255, 255, 255)],
    ['bytes that claim four gigabytes', bytes(0xc6, 255, 255, 255, 255)],
    ['a million levels', Buffer.alloc(1_000_000, 0x91)],
    [
      'seventy thousand empty maps',
      Buffer.concat([bytes(0xdd, 0, 1, 17, 112), Buffer.alloc(70_000, 0x80)]),
    ],
    ['a regular expression', bytes(0xd4, 0x78, 0, 0x92, 0xa5, '(a+)+', 0xa0)],
    ['an error of the library', bytes(0xd4, 0x65, 0, 0x93, 0xa7, 'valueOf', 0xa1, 'x', 0xc0)],
    ['a cycle', bytes(0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1)],
    ['a record definition', bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 'a', 1)],
    ['a library bigint', bytes(0xc7, 1, 0x42, 1)],
    ['a mark alone', bytes(0xc1)],
    ['a mark out of place', bytes(0x92, 1, 0xc1)],
    ['an unknown kind', bytes(0x92, 0xc1, 99)],
    ['a ref where none are known', bytes(0x93, 0xc1, 8, 1)],
    ['a pid of nonsense', bytes(0x95, 0xc1, 7, 1, 2, 3)],
    ['a bigint of nonsense', bytes(0x93, 0xc1, 2, 0xa1, 'z')],
    ['a hidden prototype key', bytes(0x94, 0xc1, 6, 0xa9, '__proto__', 1)],
    ['a map as a key', bytes(0x81, 0x80, 1)],
  ])('refuses %s', (_, frame) => {
    expect(thrownBy(() => codec.decode(frame)).code).toBe('MALFORMED');
  });

  it('throws nothing but MALFORMED, whatever the bytes', () => {
    const valid = codec.encode(sendable.map(([, value]) => value));
    const damaged = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255))
      .map(([at, byte]) => valid.slice().fill(byte, at, at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (frame) => {
        expect(outcomeOf(() => codec.decode(frame))).toMatch(/^(decoded|MALFORMED)$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never lets bytes touch a prototype', () => {
    const frame = bytes(0x81, 0xa9, '__proto__', 0x81, 0xa5, 'admin', 0xc3);
    expect(thrownBy(() => codec.decode(frame)).code).toBe('MALFORMED');
    expect('admin' in {}).toBe(false);
    const harmless = bytes(0x81, 0xab, 'constructor', 0x81, 0xa9, 'prototype', 0xc3);
    const value = codec.decode(harmless);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toStrictEqual(['constructor']);
  });

  it('asks its hooks about refs, own or inherited', () => {
    const brand = Symbol.for('@foundation/core.ref');
    class Client {
      readonly name: string;
      constructor(name: string) {
        this.name = name;
      }
    }
    Object.defineProperty(Client.prototype, brand, { value: true });
    const withRefs = new Codec({
      encodeRef: (value) =>
        value instanceof Client ? [value.name, new Pid(value.name, 1, 2)] : undefined,
      decodeRef: (data) => new Client(Array.isArray(data) ? String(data[0]) : ''),
    });
    const sent = { shop: new Client('shop') };
    expect(withRefs.decode(withRefs.encode([sent]))).toStrictEqual([sent]);
    expect(thrownBy(() => withRefs.encode([{ a: { [brand]: true } }]))).toMatchObject({
      details: { path: '[0].a' },
    });
    expect(thrownBy(() => codec.encode(sent))).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      details: { path: 'shop' },
    });
    const broken = new Codec({
      encodeRef: () => 1,
      decodeRef: () => {
        throw new Error('unknown');
      },
    });
    expect(thrownBy(() => broken.decode(broken.encode(sent))).code).toBe('MALFORMED');
  });

  it('keeps two codecs apart', () => {
    const tight = new Codec(undefined, { itemsMax: 3 });
    expect(thrownBy(() => tight.encode([1, 2, 3, 4])).code).toBe('NOT_SERIALIZABLE');
    expect(thrownBy(() => tight.decode(codec.encode([1, 2, 3, 4]))).code).toBe('MALFORMED');
    expect(roundTrip([1, 2, 3, 4])).toStrictEqual([1, 2, 3, 4]);
  });
});

import { seededRandom, type Random } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkLinearizable } from './linearizable.ts';
import type { Operation, Request } from './operation.ts';

type Span = readonly [calledAt: number, endedAt: number];

function operation(request: Request, [calledAt, at]: Span, output?: string | boolean): Operation {
  const reply = at === Infinity ? 'unknown' : { at, output };
  return { client: `c${calledAt}`, key: 'k', request, calledAt, reply };
}

const read = (output: string | undefined, span: Span): Operation =>
  operation({ kind: 'read' }, span, output);
const write = (value: string, span: Span): Operation => operation({ kind: 'write', value }, span);
const set = (expected: string | undefined, value: string, span: Span): Operation =>
  operation({ kind: 'compare-and-set', expected, value }, span, true);
const miss = (expected: string, span: Span): Operation =>
  operation({ kind: 'compare-and-set', expected, value: 'never' }, span, false);

describe('a history of one register', () => {
  it.each<[string, readonly Operation[]]>([
    ['that is empty', []],
    ['one after the other', [write('a', [0, 1]), read('a', [2, 3]), set('a', 'b', [4, 5])]],
    [
      'with a read that overlaps a write, of the old value',
      [write('a', [0, 9]), read(undefined, [1, 2])],
    ],
    [
      'with a read that overlaps a write, of the new value',
      [write('a', [0, 9]), read('a', [1, 2])],
    ],
    ['that ends and begins at one moment', [write('a', [0, 1]), read(undefined, [1, 2])]],
    [
      'with a write of which nobody knows, that took effect',
      [write('a', [0, Infinity]), read('a', [5, 6])],
    ],
    ['with one that did not', [write('a', [0, Infinity]), read(undefined, [5, 6])]],
    [
      'with one that took effect late',
      [write('a', [0, Infinity]), read(undefined, [1, 2]), read('a', [3, 4])],
    ],
    ['with a compare-and-set that missed', [write('a', [0, 1]), miss('b', [2, 3])]],
  ])('%s is linearizable', (_what, history) => {
    expect(checkLinearizable(history)).toMatchObject({ verdict: 'linearizable' });
  });

  it.each<[string, readonly Operation[], number]>([
    ['with a read of what was never written', [read('a', [0, 1])], 0],
    ['with a stale read', [write('a', [0, 1]), write('b', [2, 3]), read('a', [4, 5])], 2],
    ['with a write that is lost', [write('a', [0, 1]), read(undefined, [2, 3])], 1],
    ['that goes back', [write('a', [0, 9]), read('a', [1, 2]), read(undefined, [3, 4])], 2],
    [
      'with two that won from one value',
      [set(undefined, 'a', [0, 5]), set(undefined, 'b', [1, 6])],
      1,
    ],
    [
      'with a write of which nobody knows, that took effect twice',
      [
        write('a', [0, Infinity]),
        write('b', [1, 2]),
        read('a', [3, 4]),
        write('c', [5, 6]),
        read('a', [7, 8]),
      ],
      4,
    ],
    ['with a read before its write', [read('a', [0, 1]), write('a', [2, 3])], 0],
  ])('%s is not, and names who is in the way', (_what, history, at) => {
    expect(checkLinearizable(history)).toMatchObject({
      verdict: 'violation',
      key: 'k',
      at: history[at],
    });
  });

  it('may begin with a value', () => {
    expect(checkLinearizable([read('x', [0, 1])], { initial: 'x' }).verdict).toBe('linearizable');
  });

  it('is undecided when the search gets too long, which is no pass', () => {
    const writes = Array.from({ length: 12 }, (_, index) => write(`${index}`, [index, 100]));
    const history = [...writes, read('nothing of the kind', [200, 201])];
    expect(checkLinearizable(history, { statesMax: 1_000 })).toEqual({
      verdict: 'undecided',
      key: 'k',
      states: 1_000,
    });
  });
});

describe('a history of many registers', () => {
  it('is linearizable if that of each is', () => {
    const other = (each: Operation): Operation => ({ ...each, key: 'other' });
    const good = [write('a', [0, 1]), other(read(undefined, [2, 3]))];
    expect(checkLinearizable(good).verdict).toBe('linearizable');
    const bad = [...good, other(read('a', [4, 5]))];
    expect(checkLinearizable(bad)).toMatchObject({ verdict: 'violation', key: 'other' });
  });
});

/** Whether some order of all operations is right: every one is tried. */
function bruteForce(history: readonly Operation[]): boolean {
  const place = (left: readonly Operation[], value: string | undefined): boolean => {
    if (left.every(({ reply }) => reply === 'unknown')) return true;
    const firstEnd = Math.min(
      ...left.map(({ reply }) => (reply === 'unknown' ? Infinity : reply.at)),
    );
    return left.some((each) => {
      if (each.calledAt > firstEnd) return false;
      const rest = left.filter((other) => other !== each);
      const { request, reply } = each;
      const output = reply === 'unknown' ? undefined : reply.output;
      if (request.kind === 'read') {
        return (reply === 'unknown' || output === value) && place(rest, value);
      }
      if (request.kind === 'write') return place(rest, request.value);
      const isHit = request.expected === value;
      if (reply !== 'unknown' && output !== isHit) return false;
      return place(rest, isHit ? request.value : value);
    });
  };
  return place(history, undefined);
}

/** A history that happened: each operation takes effect at one moment between its call and its reply. */
function happened(
  random: Random,
  { clients, count }: { clients: number; count: number },
): Operation[] {
  const free = Array.from({ length: clients }, () => random.int(10));
  const plan = Array.from({ length: count }, (_, index) => {
    const client = free.indexOf(Math.min(...free));
    const calledAt = (free[client] ?? 0) + random.int(5);
    const effectAt = calledAt + 1 + random.int(20);
    const at = effectAt + 1 + random.int(20);
    free[client] = at + 1;
    const isKnown = random.int(20) > 0;
    // After an unknown reply a client never acts again: its operation may still be under way.
    if (!isKnown) free[client] = at + 1_000;
    return { index, client, calledAt, at, effectAt: effectAt + random.int(100) / 100, isKnown };
  });
  let value: string | undefined;
  const done = plan
    .toSorted((a, b) => a.effectAt - b.effectAt)
    .map(({ index, client, calledAt, at, isKnown }): Operation => {
      const kind = random.int(3);
      const before = value;
      const expected = random.int(2) === 0 ? value : `${random.int(count)}`;
      const request: Request =
        kind === 0
          ? { kind: 'read' }
          : kind === 1
            ? { kind: 'write', value: `${index}` }
            : { kind: 'compare-and-set', expected, value: `${index}` };
      if (kind === 1 || (kind === 2 && expected === before)) value = `${index}`;
      const output = kind === 0 ? before : kind === 2 ? expected === before : undefined;
      return {
        client: `c${client}`,
        key: 'k',
        request,
        calledAt,
        reply: isKnown ? { at, output } : 'unknown',
      };
    });
  return done.toSorted((a, b) => a.calledAt - b.calledAt);
}

describe('the search', () => {
  it('agrees with trying every order, on short histories of few values', () => {
    const word = fc.constantFrom(undefined, 'a', 'b');
    const request: fc.Arbitrary<Request> = fc.oneof(
      fc.constant<Request>({ kind: 'read' }),
      word.map((value): Request => ({ kind: 'write', value })),
      fc
        .tuple(word, word)
        .map(([expected, value]): Request => ({ kind: 'compare-and-set', expected, value })),
    );
    const one = fc
      .tuple(request, fc.nat(8), fc.nat(6), word, fc.boolean(), fc.nat(9))
      .map(([asked, calledAt, took, seen, hit, chance]) => {
        const output = asked.kind === 'read' ? seen : asked.kind === 'write' ? undefined : hit;
        return operation(asked, [calledAt, chance === 0 ? Infinity : calledAt + took], output);
      });
    let linearizable = 0;
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (history) => {
        const expected = bruteForce(history);
        linearizable += Number(expected);
        expect(checkLinearizable(history).verdict).toBe(expected ? 'linearizable' : 'violation');
      }),
      { numRuns: 3_000 },
    );
    expect(linearizable).toBeGreaterThan(300);
    expect(linearizable).toBeLessThan(2_700);
  });

  it('passes what really happened, with eight clients', () => {
    for (let seed = 0; seed < 50; seed++) {
      const history = happened(seededRandom(seed), { clients: 8, count: 300 });
      expect(checkLinearizable(history), `seed ${seed}`).toMatchObject({ verdict: 'linearizable' });
    }
  });

  it('finds one reply that was changed into that of an older moment', () => {
    let changed = 0;
    for (let seed = 0; seed < 50; seed++) {
      const history = happened(seededRandom(seed), { clients: 8, count: 300 });
      const reads = history.filter(
        ({ request, reply }) => request.kind === 'read' && reply !== 'unknown',
      );
      const [early, late] = [reads[5], reads.at(-5)];
      if (early === undefined || late === undefined) continue;
      if (early.reply === 'unknown' || late.reply === 'unknown') continue;
      if (early.reply.output === late.reply.output) continue;
      const stale = { ...late, reply: { ...late.reply, output: early.reply.output } };
      const broken = history.map((each) => (each === late ? stale : each));
      expect(checkLinearizable(broken), `seed ${seed}`).toMatchObject({ verdict: 'violation' });
      changed++;
    }
    expect(changed).toBeGreaterThan(40);
  });
});

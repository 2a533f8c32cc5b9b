import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom } from '@foundation/core';
import type { StoreOperation } from '@foundation/testing/history';
import { describe, expect, it } from 'vitest';

import { judgeHistory } from './chaos/history-verdict.ts';
import { Journal, readJournals } from './chaos/journal.ts';
import { machineMs } from './chaos/machine-clock.ts';
import { torment, type Fault, type FaultSpan } from './chaos/nemesis.ts';

function wrote(client: string, [calledAt, at]: readonly [number, number]): StoreOperation {
  const value = `${client} at ${calledAt}`;
  const request = { kind: 'compareAndSet', version: 0, value } as const;
  return { client, key: `key of ${value}`, request, calledAt, reply: { at, output: 1 } };
}

describe('a journal', () => {
  it('tells what has ended, and what had only begun when its client was killed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'foundation-journal-'));
    try {
      const path = join(directory, 'p0.journal');
      const [ended, begun] = [wrote('p0.a', [1, 2]), wrote('p0.b', [3, 9])];
      const refused: StoreOperation = {
        ...wrote('p0.a', [4, 5]),
        reply: { at: 5, output: undefined },
      };
      using journal = new Journal(path);
      for (const each of [ended, begun, refused]) journal.begin({ ...each, reply: 'unknown' });
      journal.push(ended);
      journal.push(refused);
      appendFileSync(path, '{"client":"p0.a","key"');
      expect(readJournals(directory)).toEqual([ended, { ...begun, reply: 'unknown' }, refused]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the verdict on a history under faults', () => {
  const span: FaultSpan = {
    kind: 'fault',
    silences: undefined,
    hits: undefined,
    from: 1_000,
    to: 2_000,
  };
  const before = wrote('p1.a', [900, 901]);

  const other = wrote('p2.a', [1_500, 1_501]);
  const unknown: StoreOperation = { ...wrote('p1.a', [1_100, 0]), reply: 'unknown' };
  const slow = wrote('p1.a', [1_100, 1_900]);
  const quick = wrote('p1.a', [1_500, 1_501]);

  it.each<[string, Partial<FaultSpan>, readonly StoreOperation[]]>([
    ['whom it silences did nothing meanwhile', { silences: 'p1.' }, [before, other]],
    ['it has struck something', { hits: 3 }, [before]],
    ['it has held up an operation', {}, [before, slow]],
    ['an outcome is unknown', {}, [before, unknown]],
  ])('says that a fault was felt when %s', (_what, fault, history) => {
    expect(judgeHistory(history, [{ ...span, ...fault }])).toMatchObject({
      unfelt: [],
      problems: [],
    });
  });

  it.each<[string, Partial<FaultSpan>, readonly StoreOperation[]]>([
    ['whom it silences went on', { silences: 'p1.' }, [before, quick]],
    ['whom it silences never did anything', { silences: 'p1.' }, [wrote('p2.a', [900, 901])]],
    ['it has struck nothing', { hits: 0 }, [before]],
    ['it has held up nothing', {}, [before, quick]],
  ])('names a fault when %s', (_what, fault, history) => {
    expect(judgeHistory(history, [{ ...span, ...fault }]).unfelt).toEqual(['fault']);
  });

  it('names what cannot have happened', () => {
    const lost = { ...wrote('p1.a', [1, 2]), key: 'k' };
    const read: StoreOperation = {
      client: 'p2.a',
      key: 'k',
      request: { kind: 'get' },
      calledAt: 3,
      reply: { at: 4, output: undefined },
    };
    expect(judgeHistory([lost, read], []).problems).toEqual([
      'k: an acknowledged write is missing',
      'k: violation',
    ]);
  });
});

describe('a nemesis', () => {
  it('begins and ends each fault, each kind as often, one after the other', async () => {
    const seen: string[] = [];
    const fault = (kind: string) => (): Fault => ({
      kind,
      begin: async () => void seen.push(`begin ${kind}`),
      end: async () => void seen.push(`end ${kind}`),
    });
    const faults = [fault('a'), fault('b')];
    const spans = await torment({
      faults,
      random: seededRandom(1),
      endsAt: machineMs() + 2_000,
      faultMs: 40,
      peaceMs: 10,
    });
    expect(seen).toEqual(spans.flatMap(({ kind }) => [`begin ${kind}`, `end ${kind}`]));
    const often = (kind: string): number => spans.filter((span) => span.kind === kind).length;
    expect(often('a')).toBeGreaterThan(5);
    expect(Math.abs(often('a') - often('b'))).toBeLessThanOrEqual(1);
    for (const { from, to } of spans) expect(to).toBeGreaterThan(from);
  });

  it('lets a fault last until it has struck', async () => {
    const asked = new Map<number, number>();
    let begun = 0;
    const fault = (): Fault => ({
      kind: 'late',
      begin: async () => void begun++,
      end: async () => {},
      hits: async () => {
        const times = (asked.get(begun) ?? 0) + 1;
        asked.set(begun, times);
        return times < 3 ? 0 : times;
      },
    });
    const options = { faults: [fault], random: seededRandom(1), faultMs: 1, peaceMs: 1 };
    const spans = await torment({ ...options, endsAt: machineMs() + 300 });
    expect(new Set(spans.map(({ hits }) => hits))).toEqual(new Set([3]));
  });

  it('ends a fault that strikes nothing', async () => {
    const fault = (): Fault => ({
      kind: 'void',
      begin: async () => {},
      end: async () => {},
      hits: async () => 0,
    });
    const options = { faults: [fault], random: seededRandom(1), faultMs: 1, peaceMs: 1 };
    const spans = await torment({ ...options, strikeMs: 20, endsAt: machineMs() + 100 });
    expect(new Set(spans.map(({ hits }) => hits))).toEqual(new Set([0]));
  });
});

import { seededRandom } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { FlawedStore, storeFlaws, type StoreFlaw } from './flawed-store.ts';
import { checkLinearizable } from './linearizable.ts';
import { asRegisters, recorded, type StoreOperation } from './store-history.ts';
import { checkVersions } from './versions.ts';
import { exercise } from './workload.ts';

interface Run {
  readonly seed: number;
  readonly flaw?: StoreFlaw;
  readonly failsEach?: number;
}

/** What six clients did to a store, all by the seed. */
async function historyOf({ seed, ...how }: Run): Promise<readonly StoreOperation[]> {
  const store = new FlawedStore({ random: seededRandom(`${seed}/store`), ...how });
  const history: StoreOperation[] = [];
  let moment = 0;
  const clients = Array.from({ length: 6 }, (_, index) => `c${index}`);
  await Promise.all(
    clients.map((client) =>
      exercise(recorded(store, { client, history, now: () => moment++ }), {
        client,
        operations: 150,
        keys: ['a', 'b', 'c'],
        random: seededRandom(`${seed}/${client}`),
      }),
    ),
  );
  return history;
}

const seeds = Array.from({ length: 10 }, (_, seed) => seed);

describe('the history of a store', () => {
  it.each(seeds)('without flaws has no problems and is linearizable: seed %i', async (seed) => {
    const history = await historyOf({ seed });
    expect(history).toHaveLength(900);
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
  });

  it.each(seeds)('of which some answers are lost has none either: seed %i', async (seed) => {
    const history = await historyOf({ seed, failsEach: 60 });
    expect(history.filter(({ reply }) => reply === 'unknown').length).toBeGreaterThan(20);
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history)).verdict).not.toBe('violation');
  });

  it.each(storeFlaws)('that %s is found out, by its versions and by the search', async (flaw) => {
    for (const seed of seeds) {
      const history = await historyOf({ seed, flaw });
      expect(checkVersions(history), `seed ${seed}`).not.toEqual([]);
      // A version that is used twice stands for two values: only the versions tell.
      if (flaw === 'counts from one again') continue;
      const found = checkLinearizable(asRegisters(history), { statesMax: 200_000 });
      expect(found.verdict, `seed ${seed}`).not.toBe('linearizable');
    }
  });
});

describe('what is wrong with versions', () => {
  const wrote = (
    version: number,
    over: number,
    [calledAt, at]: [number, number],
  ): StoreOperation => ({
    client: 'c',
    key: 'k',
    request: { kind: 'compareAndSet', version: over, value: `v${version}` },
    calledAt,
    reply: { at, output: version },
  });
  const read = (
    output: { version: number; value: string } | undefined,
    [calledAt, at]: [number, number],
  ): StoreOperation => ({
    client: 'd',
    key: 'k',
    request: { kind: 'get' },
    calledAt,
    reply: { at, output },
  });
  const removed = (version: number, [calledAt, at]: [number, number]): StoreOperation => ({
    client: 'e',
    key: 'k',
    request: { kind: 'delete', version },
    calledAt,
    reply: { at, output: true },
  });
  const one = { version: 1, value: 'v1' };
  const two = { version: 2, value: 'v2' };

  it.each<[string, readonly StoreOperation[]]>([
    ['two writes have one version', [wrote(1, 0, [0, 1]), { ...wrote(1, 0, [0, 1]), client: 'x' }]],
    ['versions run against time', [wrote(2, 1, [0, 1]), wrote(1, 0, [2, 3])]],
    ['an update was lost', [wrote(1, 0, [0, 1]), wrote(2, 1, [2, 3]), wrote(3, 1, [2, 4])]],
    ['an update was lost', [wrote(1, 0, [0, 1]), removed(1, [2, 3]), wrote(2, 1, [2, 4])]],
    ['a living value was created over', [wrote(1, 0, [0, 1]), wrote(2, 0, [2, 3])]],
    ['a value was read that nobody wrote', [wrote(1, 0, [0, 1]), read(two, [2, 3])]],
    [
      'a value is not that of its version',
      [wrote(1, 0, [0, 1]), read({ version: 1, value: 'x' }, [2, 3])],
    ],
    ['a value was read before it was written', [read(one, [0, 1]), wrote(1, 0, [2, 3])]],
    ['an old value was read', [wrote(1, 0, [0, 1]), wrote(2, 1, [2, 3]), read(one, [4, 5])]],
    ['an old value was read', [wrote(1, 0, [0, 1]), removed(1, [2, 3]), read(one, [4, 5])]],
    [
      'an old value was read',
      [wrote(1, 0, [0, 1]), wrote(2, 1, [2, 9]), read(two, [3, 4]), read(one, [5, 6])],
    ],
    ['an acknowledged write is missing', [wrote(1, 0, [0, 1]), read(undefined, [2, 3])]],
  ])('%s', (what, history) => {
    const problems = checkVersions(history);
    expect(problems.map((each) => each.what)).toContain(what);
    expect(problems[0]).toMatchObject({ key: 'k' });
  });

  it('is not what overlaps, and not what may have been deleted', () => {
    const unknown: StoreOperation = { ...removed(2, [6, 7]), reply: 'unknown' };
    const fine = [
      wrote(1, 0, [0, 1]),
      wrote(2, 1, [2, 5]),
      read(one, [3, 4]),
      unknown,
      read(undefined, [8, 9]),
      wrote(3, 0, [10, 11]),
    ];
    expect(checkVersions(fine)).toEqual([]);
  });
});

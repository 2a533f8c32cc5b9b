import { seededRandom, sleep, systemClock, systemRandom } from '@foundation/core';
import { Codec, Variables, type Store } from '@foundation/core/internal';
import { expect, it } from 'vitest';

import {
  asRegisters,
  checkLinearizable,
  checkVersions,
  exerciseVariables,
  recordedVariable,
  type StoreOperation,
} from '../history/index.ts';
import { lossyLine, storeOver } from './store-over-line.ts';
import type { WithStores } from './with-stores.ts';

function variablesOn(store: Store): Variables {
  const parts = { codec: new Codec(), clock: systemClock, random: systemRandom };
  return new Variables({ node: 'test', store, ...parts });
}

/** What strong variables need of a store. */
export function describeVariables(withStores: WithStores): void {
  it('reads and writes variables at one moment each, whatever clients do at once', () =>
    withStores(4, async (...stores) => {
      const history = await historyOf(stores, 150);
      expect(history).toHaveLength(600);
      expect(checkVersions(history)).toEqual([]);
      expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
    }));

  it('does so as well when questions and acknowledgements get lost', () =>
    withStores(4, async (...stores) => {
      const lossy = stores.map((store, index) => storeOver(store, lossyLine(seededRandom(index))));
      const history = await historyOf(lossy, 60);
      expect(history.filter(({ reply }) => reply === 'unknown').length).toBeGreaterThan(10);
      expect(checkVersions(history)).toEqual([]);
      expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
    }));

  it('lets no writer of a variable in who has an earlier token', () =>
    withStores(2, async (one, other = one) => {
      const plain = variablesOn(one).strong('total', { initial: 0 });
      const early = await plain.fencedBy(1);
      const writing = Promise.allSettled(
        Array.from({ length: 10 }, () => early.update((n) => n + 1)),
      );
      const late = await variablesOn(other).strong('total', { initial: 0 }).fencedBy(2);
      const total = await late.get();
      await writing;
      await expect(early.set(0)).rejects.toMatchObject({ code: 'FENCED' });
      expect(await late.get()).toBe(total);
    }));

  it('shows whoever watches a variable the newest value, and never goes back', () =>
    withStores(2, async (one, other = one) => {
      const versions: number[] = [];
      const watching = (async () => {
        for await (const { value, version } of variablesOn(one).strong<number>('n').watch()) {
          versions.push(version);
          if (value === 50) break;
        }
      })();
      const written = variablesOn(other).strong('n', { initial: 0 });
      for (let count = 0; count < 50; count++) {
        await written.update((value) => value + 1);
        if (count % 10 === 0) await sleep(systemClock, 30);
      }
      await watching;
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    }));
}

/** What four clients did to three variables, one client a store. */
async function historyOf(
  stores: readonly Store[],
  operations: number,
): Promise<readonly StoreOperation[]> {
  const history: StoreOperation[] = [];
  const clients = stores.map((store, index) => {
    const client = `client-${index}`;
    const room = variablesOn(store);
    const variables = ['a', 'b', 'c'].map((name) =>
      recordedVariable(room.strong<string>(name), { client, history }),
    );
    return exerciseVariables(variables, { client, operations, random: seededRandom(client) });
  });
  await Promise.all(clients);
  return history;
}

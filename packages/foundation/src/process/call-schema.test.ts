import { call, defineProcess } from '@foundation/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

describe('a call with a schema', () => {
  const positive: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        Number(value) > 0
          ? { value: Number(value) }
          : { issues: [{ message: 'must be positive', path: ['amount', { key: 0 }] }] },
    },
  };
  const slowly: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        await settled();
        return positive['~standard'].validate(value);
      },
    },
  };
  const broken: StandardSchemaV1<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new Error('broken schema');
      },
    },
  };
  const till = defineProcess('till', {
    init: () => ({ sum: 0 }),
    calls: {
      add: call(positive, ({ state }, amount) => (state.sum += amount)),
      addSlowly: call(slowly, async ({ state }, amount) => Promise.resolve((state.sum += amount))),
      broken: call(broken, () => 1),
      sum: ({ state }) => state.sum,
    },
    casts: { put: call(positive, ({ state }, amount) => void (state.sum += amount)) },
  });

  it('hands the checked value to the handler', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    expect(await ref.add('2')).toBe(2);
    expect(await ref.addSlowly('3')).toBe(5);
  });

  it('refuses a bad value with INVALID_MESSAGE and the path, before the handler runs', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    for (const way of ['add', 'addSlowly'] as const) {
      const error = await failure(ref[way]('-1'));
      expect(error).toMatchObject({ code: 'INVALID_MESSAGE', outcome: 'not-executed' });
      expect(error.message).toContain('amount.0: must be positive');
      expect(error.details['issues']).toEqual([
        { message: 'must be positive', path: ['amount', '0'] },
      ]);
    }
    expect(await ref.sum()).toBe(0);
  });

  it('counts and tells of each bad value, of casts too', async () => {
    await using node = await alone();
    const invalid = listen(node, 'invalid-message');
    const ref = await node.processes.start(till);
    await failure(ref.add('-1'));
    ref.cast.put('-1');
    ref.cast.put('4');
    expect(await ref.sum()).toBe(4);
    expect(node.counters().invalidMessages).toBe(2);
    expect(invalid).toMatchObject([
      { pid: ref.pid, message: 'add' },
      { pid: ref.pid, message: 'put' },
    ]);
  });

  it('keeps the order while a check takes its time', async () => {
    await using node = await alone();
    const ref = await node.processes.start(till);
    const [slow, quick] = [ref.addSlowly('1'), ref.add('1')];
    expect(await Promise.all([slow, quick])).toEqual([1, 2]);
  });

  it('crashes when the schema does, like any code of the process', async () => {
    await using node = await alone();
    const [ref, other] = [await node.processes.start(till), await node.processes.start(till)];
    expect(await failure(ref.broken('1'))).toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await other.add('1')).toBe(1);
  });
});

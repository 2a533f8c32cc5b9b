import { eventually } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { memoryPlace as place, tally } from './memory-place.ts';

describe('a node that drains', () => {
  it.each(['available', 'strong'] as const)(
    'hands its %s singletons over with their state, and gets no new ones',
    async (consistency) => {
      const { start } = place();
      await using a = await start('a');
      await using b = await start('b');
      await b.cluster.reached(2);
      const options = { strategy: 'singleton', preferNode: 'a', consistency } as const;
      const sum = await a.processes.start(tally, { ...options, name: 'sum' });
      expect(await sum.add(2)).toBe(2);
      expect(await sum.where()).toBe('a');
      await a.drain();
      await eventually('it runs elsewhere', async () => (await sum.where()) === 'b');
      expect(await sum.add(3)).toBe(5);
      expect(b.cluster.members().map(({ isDraining }) => isDraining)).toEqual([true, false]);
      const other = await b.processes.start(tally, { ...options, name: 'other' });
      expect(await other.where()).toBe('b');
    },
  );

  it('keeps what nobody else can run until it stops', async () => {
    const { start } = place();
    await using a = await start('a');
    await using b = await start('b', { processes: [] });
    await b.cluster.reached(2);
    const sum = await a.processes.start(tally, { name: 'sum', strategy: 'singleton' });
    await a.drain();
    expect(await sum.where()).toBe('a');
  });

  it('leaves a cluster that goes on', async () => {
    const { start } = place();
    const a = await start('a');
    await using b = await start('b');
    await b.cluster.reached(2);
    const reasons: string[] = [];
    b.events.on('member-down', ({ reason }) => reasons.push(reason));
    await a.processes.start(tally, { name: 'sum', strategy: 'singleton', preferNode: 'a' });
    await a.leave();
    expect(await b.ref(tally, 'sum').where()).toBe('b');
    await b.cluster.reached(1);
    expect(reasons).toEqual(['left']);
  });

  it('tells a newcomer, too', async () => {
    const { start } = place();
    await using a = await start('a');
    await a.drain();
    await using b = await start('b');
    await eventually('it knows', () => b.cluster.members()[0]?.isDraining === true);
  });

  it('refuses bad options, and a node that has stopped', async () => {
    const { start } = place();
    await using a = await start('a');
    await expect(a.drain({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await a.stop();
    await expect(a.drain()).rejects.toMatchObject({ code: 'NODE_STOPPED' });
  });
});

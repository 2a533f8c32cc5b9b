import { defineProcess, type Pid, type Ref } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, present } from '../../test/alone.ts';
import { pair, until } from '../../test/pair.ts';

const counter = defineProcess('counter', {
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by) },
});
interface Given {
  readonly to: Ref<typeof counter>;
  readonly pid: Pid;
  readonly list: readonly { readonly again: Ref<typeof counter> }[];
}
const user = defineProcess('user', {
  init: () => ({}),
  calls: {
    use: async (ctx) => {
      const { to, pid, list } = present(ctx.request).values as unknown as Given;
      const sums = [await to.add(1), await present(list[0]).again.add(2)];
      return { sums, pid: pid.toString(), isShared: [list, list[0]].every(Object.isFrozen) };
    },
  },
});

describe('the values of a context', () => {
  it.each([
    ['Map', new Map()],
    ['Set', new Set()],
    ['Date', new Date(0)],
    ['Uint8Array', Uint8Array.of(1)],
    ['Error', new Error('any')],
  ])('are refused when anybody could change them, wherever that is: %s', async (_, changeable) => {
    for (const profile of ['production', 'test'] as const) {
      await using node = await alone({ profile });
      let ran = false;
      for (const [values, path] of [
        [{ since: changeable }, 'values.since'],
        [{ list: [1, { since: changeable }] }, 'values.list[1].since'],
      ] as const) {
        expect(() => node.context.run({ values }, () => (ran = true)), path).toThrow(
          expect.objectContaining({
            code: 'INVALID_OPTION',
            message: expect.stringContaining(`\`${path}\``),
          }),
        );
      }
      expect(ran).toBe(false);
    }
  });

  it('may be refs and pids, which can be used wherever they arrive, and are frozen around them', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const to = await here.processes.start(counter);
    const near = await here.processes.start(user);
    await there.processes.start(user, { name: 'far' });
    await until(() => here.registry.lookup('far') !== undefined);
    const values = { to, pid: to.pid, list: [{ again: to }] };
    const used = await here.context.run({ values }, async () => [
      await near.use(),
      await here.ref(user, 'far').use(),
    ]);
    const pid = String(to.pid);
    expect(used).toEqual([
      { sums: [1, 3], pid, isShared: true },
      { sums: [4, 6], pid, isShared: true },
    ]);
  });
});

import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, gate } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

const clerk = (working: Promise<void>) =>
  defineProcess('clerk', {
    init: () => ({}),
    casts: {
      note: () => {},
      crash: () => {
        throw new Error('crash');
      },
      crashLate: async () => {
        await working;
        throw new Error('crash');
      },
      stop: (ctx) => ctx.stop(),
      stopLate: async (ctx) => {
        await working;
        ctx.stop();
      },
      hang: () => new Promise<void>(() => {}),
    },
  });

describe('a trace that is read when its process has ended', () => {
  it.each(['crash', 'crashLate', 'stop', 'stopLate', 'hang'] as const)(
    'tells every message up to the one that was the last: %s',
    async (last) => {
      const working = gate();
      await using node = await alone();
      const ref = await node.processes.start(clerk(working.opened));
      const trace = await node.processes.inspect(ref).trace();
      ref.cast.note();
      ref.cast.note();
      ref.cast[last]();
      ref.cast.note();
      await settled();
      working.open();
      await settled();
      if (last === 'hang') await node.processes.stop(ref, { reason: 'killed' });
      const seen: string[] = [];
      for await (const { name } of trace) seen.push(name);
      expect(seen).toEqual(['note', 'note', last]);
    },
  );
});

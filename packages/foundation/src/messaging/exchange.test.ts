import { defineProcess, type FoundationError, type Pid } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { failure, gate, listen } from '../../test/alone.ts';
import { LateClock } from '../../test/late-clock.ts';
import { settled } from '../../test/manual-clock.ts';
import { pair, until } from '../../test/pair.ts';

const talker = defineProcess('talker', {
  init: () => ({}),
  calls: {
    odd: () => {
      throw Object.create(null);
    },
    longError: () => {
      throw new Error(`row ${'x'.repeat(17 * 2 ** 20)}`);
    },
    longReply: () => 'x'.repeat(17 * 2 ** 20),
    reply: () => 'a reply',
  },
});
const watcher = defineProcess('watcher', {
  init: () => ({ reasons: [] as string[] }),
  calls: {
    watch: (ctx) => void ctx.monitor(ctx.node.ref(talker, 'talker')),
    reasons: ({ state }) => state.reasons,
  },
  info: { down: ({ state }, { reason }) => void state.reasons.push(reason) },
});

describe('what a process of another node throws', () => {
  it('reaches the caller and whoever watches, however long or odd it is', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    for (const way of ['odd', 'longError'] as const) {
      const local = await there.processes.start(talker, { name: 'talker', restart: 'temporary' });
      await until(() => here.registry.lookup('talker')?.equals(local.pid ?? never()) === true);
      const observer = await here.processes.start(watcher);
      await observer.watch();
      const error = await failure(here.ref(talker, 'talker')[way]());
      expect(error).toMatchObject({ code: 'PROCESS_DOWN', outcome: 'unknown' });
      expect(error.message.length).toBeLessThan(10_000);
      while ((await observer.reasons()).length === 0) await settled();
      expect(await observer.reasons()).toEqual(['crash']);
      await until(() => here.registry.lookup('talker') === undefined);
    }
  });

  it('may not be a reply larger than a frame: the caller is told, the process lives on', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    await there.processes.start(talker, { name: 'talker' });
    await until(() => here.registry.lookup('talker') !== undefined);
    const ref = here.ref(talker, 'talker');
    const error = await failure(ref.longReply());
    expect(error).toMatchObject({ code: 'INVALID_REPLY', cause: { code: 'FRAME_TOO_LARGE' } });
    expect(await ref.reply()).toBe('a reply');
  });
});

describe('a reply that does not fit', () => {
  it('fails its call, and nothing else', async () => {
    const { network, here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const opening = gate();
    const large = defineProcess('large', {
      init: () => ({}),
      calls: { get: (ctx) => ctx.later(() => opening.opened.then(() => 'x'.repeat(2 ** 22))) },
    });
    await there.processes.start(large, { name: 'large' });
    await until(() => here.registry.lookup('large') !== undefined);
    const lost = listen(there, 'member-down');
    const ref = here.ref(large, 'large').with({ timeoutMs: 60_000 });
    const outcomes = Array.from({ length: 6 }, () =>
      ref.get().then(
        () => 'reply',
        (error: FoundationError) => error,
      ),
    );
    await settled();
    await settled();
    network.cut('here', 'there');
    opening.open();
    for (let turn = 0; turn < 20; turn++) await settled();
    network.heal();
    const seen = await Promise.all(outcomes);
    // What fitted still arrives.
    expect(seen.slice(0, 3)).toEqual(['reply', 'reply', 'reply']);
    for (const error of seen.slice(3)) {
      expect(error).toMatchObject({ code: 'INVALID_REPLY', outcome: 'unknown' });
      expect(String(error)).toContain('no room');
    }
    expect(await ref.get()).toHaveLength(2 ** 22);
    expect(lost).toEqual([]);
  });
});

describe('a call from another node', () => {
  it('is refused while the event loop is late, and casts are not', async () => {
    const clock = new LateClock();
    const { here, there } = await pair({ clock, lagMaxMs: 100 });
    await using _here = here;
    await using _there = there;
    const busy = defineProcess('busy', {
      init: () => ({ heard: 0 }),
      calls: { heard: ({ state }) => state.heard },
      casts: { hear: ({ state }) => void state.heard++ },
    });
    const local = await there.processes.start(busy, { name: 'busy' });
    await until(() => here.registry.lookup('busy') !== undefined);
    const ref = here.ref(busy, 'busy');
    clock.look(150);
    clock.look(150);
    expect(ref.cast.hear()).toBe(true);
    expect(await failure(ref.heard())).toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
      retryable: true,
    });
    expect(there.counters().shed).toBe(1);
    const state = await there.processes.inspect(local).state();
    expect(state).toEqual({ heard: 1 });
  });
});

describe('a caller on another node that does not wait any more', () => {
  const patient = (told: string[]) =>
    defineProcess('patient', {
      init: () => ({}),
      calls: {
        wait: (ctx) =>
          new Promise<void>((resolve) => {
            ctx.signal.addEventListener('abort', () => {
              told.push('aborted');
              resolve();
            });
            told.push('waits');
          }),
      },
    });

  it('aborts the signal of the handler when it aborts the call', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const told: string[] = [];
    await there.processes.start(patient(told), { name: 'patient' });
    await until(() => here.registry.lookup('patient') !== undefined);
    const controller = new AbortController();
    const ref = here.ref(patient([]), 'patient').with({ signal: controller.signal });
    const aborted = failure(ref.wait());
    await until(() => told.length === 1);
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'ABORTED' });
    await until(() => told.length === 2);
    expect(told).toEqual(['waits', 'aborted']);
  });

  it('aborts the signal of the handler when its node goes', async () => {
    const { here, there } = await pair();
    await using _there = there;
    const told: string[] = [];
    await there.processes.start(patient(told), { name: 'patient' });
    await until(() => here.registry.lookup('patient') !== undefined);
    const lost = failure(here.ref(patient([]), 'patient').with({ timeoutMs: 60_000 }).wait());
    await until(() => told.length === 1);
    await here.stop();
    await lost;
    await until(() => told.length === 2);
    expect(told).toEqual(['waits', 'aborted']);
  });
});

function never(): never {
  throw new Error('it has a pid');
}

describe('a call back from another node', () => {
  it('is fine once the caller has given up, and is at another message', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const [back, holding] = [gate(), gate()];
    const asker = defineProcess('asker', {
      init: () => ({}),
      calls: {
        ping: () => 'pong',
        ask: (ctx): Promise<string> =>
          ctx.node
            .ref(asked, 'asked')
            .with({ timeoutMs: 20 })
            .askBack()
            .catch((error: FoundationError) => error.code),
        hold: () => holding.opened,
      },
    });
    const asked = defineProcess('asked', {
      init: () => ({ answer: Promise.resolve('') }),
      calls: {
        askBack: async (ctx): Promise<string> => {
          await back.opened;
          // Until then its calls have what is left of the caller's time.
          while (!ctx.signal.aborted) await settled();
          ctx.state.answer = ctx.node.ref(asker, 'asker').ping();
          return ctx.state.answer;
        },
        answer: ({ state }) => state.answer,
      },
    });
    const ref = await here.processes.start(asker, { name: 'asker' });
    const far = await there.processes.start(asked, { name: 'asked' });
    await until(() => here.ref(asked, 'asked').pid !== undefined);
    await until(() => there.ref(asker, 'asker').pid !== undefined);
    expect(await ref.ask()).toBe('CALL_TIMEOUT');
    const held = ref.hold();
    back.open();
    for (let turn = 0; turn < 20; turn++) await settled();
    holding.open();
    await held;
    expect(await far.answer()).toBe('pong');
  });
});

describe('a link to a process of another node', () => {
  it('that was taken back is not hurt by an end that was on its way', async () => {
    const { here, there } = await pair();
    await using _here = here;
    await using _there = there;
    const mortal = defineProcess('mortal', {
      init: () => ({}),
      casts: {
        crash: () => {
          throw new Error('crash');
        },
      },
    });
    const linker = defineProcess('linker', {
      init: () => ({}),
      calls: {
        link: (ctx) => ctx.link(ctx.node.ref(mortal, 'mortal')),
        ok: () => true,
      },
      casts: { unlink: (ctx, target: Pid) => ctx.unlink(target) },
    });
    const far = await there.processes.start(mortal, { name: 'mortal' });
    await until(() => here.ref(mortal, 'mortal').pid !== undefined);
    const ref = await here.processes.start(linker);
    await ref.link();
    await until(() => far.pid !== undefined);
    const links = async () => (await there.processes.inspect(far).statistics()).links;
    while ((await links()) === 0) await settled();
    // Its end is not yet on the way when this is told, and will be before it hears of the unlinking.
    there.events.on('exit', ({ pid }) => void ref.cast.unlink(pid));
    far.cast.crash();
    await until(() => here.ref(mortal, 'mortal').pid === undefined);
    expect(await ref.ok()).toBe(true);
  });
});

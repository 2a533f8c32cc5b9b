import {
  child,
  defineProcess,
  defineSupervisor,
  isRefused,
  refuse,
  type ChildOptions,
  type ChildSpec,
  type Node,
  type SupervisorOptions,
} from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen, present } from '../../test/alone.ts';
import { ManualClock, settled } from '../../test/manual-clock.ts';

/** Everything that children did, in order. */
class Diary {
  readonly entries: string[] = [];
  /** Names whose next starts fail. */
  readonly failing = new Set<string>();

  readonly worker = defineProcess('worker', {
    init: (name: string) => {
      if (this.failing.has(name)) throw new Error(`${name} cannot start`);
      this.entries.push(`+${name}`);
      return { name };
    },
    calls: {
      who: ({ state }) => state.name,
      stop: (ctx, reason: 'normal' | 'shutdown' | 'killed') => ctx.stop(reason),
      crash: () => {
        throw new Error('crash');
      },
    },
    terminate: ({ state }, reason) => void this.entries.push(`-${state.name} ${reason}`),
  });

  child(name: string, options: ChildOptions = {}): ChildSpec {
    return child(this.worker, { init: name, name, ...options });
  }

  /** What was written since the last time. */
  news(): string {
    return this.entries.splice(0).join(' ');
  }

  ref(node: Node, name: string) {
    return node.ref(this.worker, name);
  }
}

async function supervised(
  node: Node,
  diary: Diary,
  options: Omit<SupervisorOptions, 'children'> = {},
) {
  const children = ['a', 'b', 'c'].map((name) => diary.child(name));
  const ref = await node.processes.start(defineSupervisor('top', { ...options, children }));
  expect(diary.news()).toBe('+a +b +c');
  return ref;
}

describe('a supervisor', () => {
  it('sees why a child ended, also one that ends before the supervisor has linked it', async () => {
    await using node = await alone();
    const restarts = listen(node, 'restart');
    const exits = listen(node, 'exit');
    const mayfly = defineProcess('mayfly', {
      init: () => ({}),
      calls: {
        crash: () => {
          throw new Error('crash');
        },
      },
      casts: { quit: ({ stop }) => stop() },
    });
    const children = [child(mayfly, { name: 'mayfly', restart: 'transient' })];
    await node.processes.start(defineSupervisor('top', { children }));
    const ref = node.ref(mayfly, 'mayfly');
    await failure(ref.crash());
    while (!ref.cast.quit()) await Promise.resolve();
    await settled();
    expect(exits.map(({ reason }) => reason)).toEqual(['crash', 'normal']);
    expect(restarts.map(({ reason }) => reason)).toEqual(['crash']);
  });

  it.each([
    { strategy: 'one-for-one', happens: '-b crash +b' },
    { strategy: 'one-for-all', happens: '-b crash -c shutdown -a shutdown +a +b +c' },
    { strategy: 'rest-for-one', happens: '-b crash -c shutdown +b +c' },
  ] as const)('restarts $strategy when a child fails', async ({ strategy, happens }) => {
    const diary = new Diary();
    await using node = await alone();
    const top = await supervised(node, diary, { strategy });
    const before = await top.children();
    await failure(diary.ref(node, 'b').crash());
    await top.children();
    expect(diary.news()).toBe(happens);
    const after = await top.children();
    expect(after.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(after[1]?.pid?.equals(present(before[1]?.pid))).toBe(false);
    expect(after[1]?.restarts).toBe(1);
    expect(await diary.ref(node, 'b').who()).toBe('b');
  });

  it('starts its children in order and stops them in reverse', async () => {
    const diary = new Diary();
    const node = await alone();
    await supervised(node, diary);
    await node.stop();
    expect(diary.news()).toBe('-c shutdown -b shutdown -a shutdown');
  });

  it.each([
    { restart: 'permanent', after: { normal: true, shutdown: true, killed: true, crash: true } },
    { restart: 'transient', after: { normal: false, shutdown: false, killed: true, crash: true } },
    {
      restart: 'temporary',
      after: { normal: false, shutdown: false, killed: false, crash: false },
    },
  ] as const)('restarts a $restart child as that says', async ({ restart, after }) => {
    for (const end of ['normal', 'shutdown', 'killed', 'crash'] as const) {
      const diary = new Diary();
      await using node = await alone();
      const top = await node.processes.start(
        defineSupervisor('top', { children: [diary.child('x', { restart })] }),
      );
      const ref = diary.ref(node, 'x');
      if (end === 'crash') await failure(ref.crash());
      else await ref.stop(end);
      await top.children();
      expect([end, ref.pid !== undefined]).toEqual([end, after[end]]);
      const shown = await top.children();
      expect(shown.length).toBe(restart === 'temporary' ? 0 : 1);
    }
  });

  it('takes temporary siblings along, but does not start them again', async () => {
    const diary = new Diary();
    await using node = await alone();
    const children = [
      diary.child('a'),
      diary.child('b', { restart: 'temporary' }),
      diary.child('c'),
    ];
    const top = await node.processes.start(
      defineSupervisor('top', { strategy: 'one-for-all', children }),
    );
    diary.news();
    await failure(diary.ref(node, 'a').crash());
    await top.children();
    expect(diary.news()).toBe('-a crash -c shutdown -b shutdown +a +c');
  });

  it('tells of its restarts', async () => {
    const diary = new Diary();
    await using node = await alone();
    const restarts = listen(node, 'restart');
    const top = await supervised(node, diary);
    await failure(diary.ref(node, 'b').crash());
    await top.children();
    expect(restarts).toMatchObject([{ reason: 'crash', who: expect.stringContaining('top') }]);
  });

  it('is refused limits and strategies that do not exist', () => {
    const wrong: readonly object[] = [
      { restartsMax: -1 },
      { restartsMax: Number.NaN },
      { restartWindowMs: 0 },
      { strategy: 'all-for-one' },
      { startegy: 'one-for-all' },
      { children: [child(new Diary().worker, { init: 'x', shutdownMs: -1 })] },
      { children: [child(new Diary().worker, { init: 'x', shutdownMs: '5' as never })] },
      { children: [child(new Diary().worker, { init: 'x', restart: 'always' as 'permanent' })] },
      {
        children: [1, 2].map(() => child(new Diary().worker, { init: 'x', name: 'twice' })),
      },
    ];
    for (const options of wrong) {
      expect(() => defineSupervisor('bad', { children: [], ...options })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      );
    }
    expect(() => defineSupervisor('bad', { children: [{ name: 'not defined' }] })).toThrow(
      expect.objectContaining({ code: 'INVALID_DEFINITION' }),
    );
  });
});

describe('restart intensity', () => {
  async function crashes(node: Node, diary: Diary, times: number): Promise<void> {
    for (let round = 0; round < times; round++) {
      await failure(diary.ref(node, 'b').crash());
      await settled();
    }
  }

  it('ends the supervisor with all children in reverse when it is exceeded within the window', async () => {
    const diary = new Diary();
    await using node = await alone({ clock: new ManualClock() });
    const gaveUp = listen(node, 'gave-up');
    const top = await supervised(node, diary, { backoff: 'off' });
    await crashes(node, diary, 3);
    expect(diary.news()).toBe('-b crash +b -b crash +b -b crash +b');
    expect(gaveUp).toEqual([]);
    await crashes(node, diary, 1);
    expect(diary.news()).toBe('-b crash -c shutdown -a shutdown');
    expect(gaveUp).toMatchObject([{ restartsMax: 3 }]);
    expect(await failure(top.children())).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('slides: what lies behind the window does not count', async () => {
    const diary = new Diary();
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const top = await supervised(node, diary, { backoff: 'off' });
    for (let round = 0; round < 5; round++) {
      await crashes(node, diary, 1);
      await clock.advance(2_000);
    }
    await crashes(node, diary, 1);
    expect((await top.children()).map(({ restarts }) => restarts)).toEqual([0, 6, 0]);
    // Two are inside the window now: one at a time is fine, two more at once are not.
    await crashes(node, diary, 1);
    expect(await failure(top.children())).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('counts a restart that fails to start as another one', async () => {
    const diary = new Diary();
    await using node = await alone();
    const [restarts, gaveUp] = [listen(node, 'restart'), listen(node, 'gave-up')];
    const top = await supervised(node, diary, { backoff: 'off' });
    diary.failing.add('b');
    await failure(diary.ref(node, 'b').crash());
    await settled();
    expect(restarts.map(({ reason }) => reason)).toEqual(['crash', 'start_failed', 'start_failed']);
    expect(gaveUp).toMatchObject([{ restartsMax: 3 }]);
    expect(await failure(top.children())).toMatchObject({ code: 'NO_PROCESS' });
    expect(diary.news()).toBe('-b crash -c shutdown -a shutdown');
  });

  it('of 0 admits no restart at all', async () => {
    const diary = new Diary();
    await using node = await alone();
    await supervised(node, diary, { restartsMax: 0 });
    await crashes(node, diary, 1);
    await settled();
    expect(diary.news()).toBe('-b crash -c shutdown -a shutdown');
  });
});

describe('the start of a supervisor', () => {
  it('that fails stops what had started, in reverse, and says why', async () => {
    const diary = new Diary();
    diary.failing.add('c');
    await using node = await alone();
    const before = (await node.processes.list()).length;
    const children = ['a', 'b', 'c', 'd'].map((name) => diary.child(name));
    const error = await failure(node.processes.start(defineSupervisor('top', { children })));
    expect(error).toMatchObject({ code: 'START_FAILED', cause: { code: 'START_FAILED' } });
    expect(error.message).toContain('c cannot start');
    expect(diary.news()).toBe('+a +b -b shutdown -a shutdown');
    expect(await node.processes.list()).toHaveLength(before);
    expect(node.registry.lookup('a')).toBeUndefined();
  });

  it('passes a refusal of a child on', async () => {
    const closed = defineProcess('closed', {
      init: (open: boolean) => (open ? { open } : refuse('CLOSED')),
    });
    await using node = await alone();
    const top = defineSupervisor('top', { children: [child(closed, { init: false })] });
    const error = await failure(node.processes.start(top));
    expect(error).toMatchObject({ code: 'REFUSED', details: { code: 'CLOSED' } });
    expect(isRefused(error)).toBe(false);
  });

  it('that is cut short leaves no child behind', async () => {
    const opening = gate();
    const diary = new Diary();
    const slow = defineProcess('slow', {
      init: async () => {
        await opening.opened;
        return {};
      },
    });
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const exits = listen(node, 'exit');
    const children = [diary.child('a'), child(slow), diary.child('c')];
    const started = failure(node.processes.start(defineSupervisor('top', { children })));
    await settled();
    const stopped = node.stop();
    await clock.advance(6_000);
    opening.open();
    await stopped;
    expect(await started).toMatchObject({ code: 'START_FAILED' });
    await settled();
    await clock.advance(60_000);
    expect(await failure(node.processes.list())).toMatchObject({ code: 'NODE_STOPPED' });
    expect(exits.length).toBeGreaterThan(0);
  });
});

describe('shutting down', () => {
  const deaf = (opened: Promise<void>) =>
    defineProcess('deaf', {
      init: () => ({}),
      calls: { work: async () => opened },
      terminate: async () => opened,
    });

  it('gives a child its limit, then abandons it and says so', async () => {
    const opening = gate();
    const clock = new ManualClock();
    const diary = new Diary();
    await using node = await alone({ clock });
    const abandoned = listen(node, 'abandoned');
    const children = [
      diary.child('a'),
      child(deaf(opening.opened), { name: 'deaf', shutdownMs: 1_000 }),
    ];
    await node.processes.start(defineSupervisor('top', { children }));
    diary.news();
    const { pid } = node.ref(deaf(opening.opened), 'deaf');
    const stopped = node.stop();
    await clock.advance(990);
    expect([abandoned.length, diary.news()]).toEqual([0, '']);
    await clock.advance(20);
    expect(abandoned).toEqual([{ pid, who: 'deaf', shutdownMs: 1_000, how: 'abandoned' }]);
    await stopped;
    expect(diary.news()).toBe('-a shutdown');
    opening.open();
  });

  it('abandons a child whose handler does not return; its caller is told', async () => {
    const opening = gate();
    const clock = new ManualClock();
    await using node = await alone({ clock });
    const children = [child(deaf(opening.opened), { name: 'deaf', shutdownMs: 100 })];
    await node.processes.start(defineSupervisor('top', { children }));
    const asked = failure(
      node.ref(deaf(opening.opened), 'deaf').with({ timeoutMs: 60_000 }).work(),
    );
    await settled();
    const stopped = node.stop();
    await clock.advance(200);
    await stopped;
    expect(await asked).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'stuck' } });
  });

  it('waits for a slow child within its limit, before it goes on to the next', async () => {
    const diary = new Diary();
    const slow = defineProcess('slow', {
      init: () => ({}),
      terminate: async () => {
        await settled();
        diary.entries.push('-slow');
      },
    });
    const node = await alone();
    const children = [diary.child('a'), child(slow)];
    await node.processes.start(defineSupervisor('top', { children }));
    diary.news();
    await node.stop();
    expect(diary.news()).toBe('-slow -a shutdown');
  });
});

describe('a supervisor of supervisors', () => {
  it('restarts a supervisor that gave up, with all its children', async () => {
    const diary = new Diary();
    await using node = await alone();
    const inner = defineSupervisor('inner', {
      restartsMax: 0,
      children: [diary.child('x'), diary.child('y')],
    });
    const top = await node.processes.start(
      defineSupervisor('outer', { children: [diary.child('a'), child(inner)] }),
    );
    expect(diary.news()).toBe('+a +x +y');
    await failure(diary.ref(node, 'x').crash());
    await settled();
    await top.children();
    expect(diary.news()).toBe('-x crash -y shutdown +x +y');
    expect((await top.children()).map(({ process, restarts }) => [process, restarts])).toEqual([
      ['worker', 0],
      ['inner', 1],
    ]);
    expect(await diary.ref(node, 'y').who()).toBe('y');
  });

  it('ends the whole tree when the top gives up', async () => {
    const diary = new Diary();
    await using node = await alone();
    const before = (await node.processes.list()).length;
    const inner = defineSupervisor('inner', { restartsMax: 0, children: [diary.child('x')] });
    await node.processes.start(
      defineSupervisor('outer', { restartsMax: 0, children: [diary.child('a'), child(inner)] }),
    );
    diary.news();
    await failure(diary.ref(node, 'x').crash());
    await settled();
    expect(diary.news()).toBe('-x crash -a shutdown');
    expect(await node.processes.list()).toHaveLength(before);
  });

  it('stops the tree from the leaves, last branch first', async () => {
    const diary = new Diary();
    const node = await alone();
    const branch = (name: string) =>
      child(
        defineSupervisor(name, { children: [diary.child(`${name}1`), diary.child(`${name}2`)] }),
      );
    await node.processes.start(defineSupervisor('top', { children: [branch('l'), branch('r')] }));
    expect(diary.news()).toBe('+l1 +l2 +r1 +r2');
    await node.stop();
    expect(diary.news()).toBe('-r2 shutdown -r1 shutdown -l2 shutdown -l1 shutdown');
  });
});

describe('a process started with a restart type', () => {
  it('is kept by a supervisor of its own, under the same name', async () => {
    const diary = new Diary();
    await using node = await alone();
    const ref = await node.processes.start(diary.worker, {
      init: 'x',
      name: 'x',
      restart: 'permanent',
    });
    const first = ref.pid;
    await failure(ref.crash());
    await settled();
    expect(await ref.who()).toBe('x');
    expect(ref.pid?.equals(present(first))).toBe(false);
  });

  it('leaves nothing behind when it has ended for good', async () => {
    const diary = new Diary();
    await using node = await alone();
    const before = (await node.processes.list()).length;
    const ref = await node.processes.start(diary.worker, { init: 'x', restart: 'transient' });
    await ref.stop('normal');
    await settled();
    expect(await node.processes.list()).toHaveLength(before);
  });

  it('fails to start with its own error, not that of its supervisor', async () => {
    const diary = new Diary();
    diary.failing.add('x');
    await using node = await alone();
    const error = await failure(
      node.processes.start(diary.worker, { init: 'x', restart: 'permanent' }),
    );
    expect(error).toMatchObject({ code: 'START_FAILED', cause: { message: 'x cannot start' } });
  });
});

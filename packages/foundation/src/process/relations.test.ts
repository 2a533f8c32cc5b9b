import { defineProcess, Pid, type AnyRef, type Node, type Ref } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alone, failure, present } from '../../test/alone.ts';
import { settled } from '../../test/manual-clock.ts';

const subject = {
  init: () => ({ downs: [] as string[], exits: [] as string[], cancel: (): void => {} }),
  calls: {
    monitor: (ctx: Ctx, target: AnyRef | Pid) => void ctx.monitor(target),
    watch: (ctx: Ctx, target: AnyRef | Pid) => void (ctx.state.cancel = ctx.monitor(target)),
    unwatch: (ctx: Ctx) => ctx.state.cancel(),
    link: (ctx: Ctx, target: AnyRef | Pid) => ctx.link(target),
    unlink: (ctx: Ctx, target: AnyRef | Pid) => ctx.unlink(target),
    downs: (ctx: Ctx) => ctx.state.downs,
    exits: (ctx: Ctx) => ctx.state.exits,
    stop: (ctx: Ctx, reason: 'normal' | 'shutdown' | 'killed') => ctx.stop(reason),
    crash: (): void => {
      throw new Error('crash');
    },
    tellAndStop: (ctx: Ctx, to: Ref<{ casts: { note(text: string): void } }>) => {
      to.cast.note('last word');
      ctx.stop();
    },
    block: async (_ctx: Ctx, ms: number) => {
      await new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
    },
  },
  casts: { note: (ctx: Ctx, text: string) => void ctx.state.downs.push(text) },
  info: {
    down: (ctx: Ctx, notice: Noticed) => void ctx.state.downs.push(`down ${notice.reason}`),
    exit: (ctx: Ctx, notice: Noticed) => void ctx.state.exits.push(`exit ${notice.reason}`),
  },
};
interface Ctx {
  readonly state: { downs: string[]; exits: string[]; cancel: () => void };
  readonly monitor: (target: AnyRef | Pid) => () => void;
  readonly link: (target: AnyRef | Pid) => void;
  readonly unlink: (target: AnyRef | Pid) => void;
  readonly stop: (reason?: 'normal' | 'shutdown' | 'killed') => void;
}
interface Noticed {
  readonly reason: string;
}
const plain = defineProcess('plain', subject);
const trapping = defineProcess('trapping', { ...subject, trapExits: true });

async function isAlive(node: Node, ref: AnyRef): Promise<boolean> {
  return (await node.processes.list()).some(({ pid }) => pid === String(ref.pid));
}

describe('a monitor', () => {
  it.each([
    { end: 'normal', told: 'down normal' },
    { end: 'shutdown', told: 'down shutdown' },
    { end: 'killed', told: 'down killed' },
    { end: 'crash', told: 'down crash' },
  ] as const)('fires once with the reason when the target ends: $end', async ({ end, told }) => {
    await using node = await alone();
    const [watcher, target] = [
      await node.processes.start(plain),
      await node.processes.start(plain),
    ];
    await watcher.monitor(target);
    expect(await watcher.downs()).toEqual([]);
    if (end === 'crash') await failure(target.crash());
    else await target.stop(end);
    await settled();
    expect(await watcher.downs()).toEqual([told]);
  });

  it('fires once with no_process for a target that is dead or never existed', async () => {
    await using node = await alone();
    const [watcher, dead] = [await node.processes.start(plain), await node.processes.start(plain)];
    await dead.stop('normal');
    await watcher.monitor(dead);
    await watcher.monitor(node.ref(plain, 'never'));
    await watcher.monitor(new Pid(node.name, node.incarnation, 999_999));
    await settled();
    const expected = ['down no_process', 'down no_process', 'down no_process'];
    expect(await watcher.downs()).toEqual(expected);
  });

  it('fires for each time it was asked for, and not when it was cancelled', async () => {
    await using node = await alone();
    const [watcher, target] = [
      await node.processes.start(plain),
      await node.processes.start(plain),
    ];
    await watcher.monitor(target);
    await watcher.monitor(target);
    await watcher.watch(target);
    await watcher.unwatch();
    await watcher.unwatch();
    await target.stop('normal');
    await settled();
    expect(await watcher.downs()).toEqual(['down normal', 'down normal']);
  });

  it('tells nothing that is cancelled while its notice waits in the mailbox', async () => {
    await using node = await alone();
    const [watcher, target] = [
      await node.processes.start(plain),
      await node.processes.start(plain),
    ];
    await watcher.watch(target);
    await node.processes.inspect(watcher).suspend();
    const cancelled = watcher.unwatch();
    await target.stop('normal');
    await node.processes.inspect(watcher).resume();
    await cancelled;
    await settled();
    expect(await watcher.downs()).toEqual([]);
  });

  it('comes after the last message of the one that died', async () => {
    await using node = await alone();
    const [watcher, target] = [
      await node.processes.start(plain),
      await node.processes.start(plain),
    ];
    await watcher.monitor(target);
    await target.tellAndStop(watcher);
    await settled();
    expect(await watcher.downs()).toEqual(['last word', 'down normal']);
  });

  it('does not end the watcher, whatever happens to the target', async () => {
    await using node = await alone();
    const [watcher, target] = [
      await node.processes.start(plain),
      await node.processes.start(plain),
    ];
    await watcher.monitor(target);
    await failure(target.crash());
    await settled();
    expect(await isAlive(node, watcher)).toBe(true);
  });

  it('of a named process watches the life that has the name now', async () => {
    await using node = await alone();
    const watcher = await node.processes.start(plain);
    const target = await node.processes.start(plain, { name: 'named', restart: 'permanent' });
    await watcher.monitor(target);
    await failure(target.crash());
    await settled();
    await failure(target.crash());
    await settled();
    expect(await watcher.downs()).toEqual(['down crash']);
  });
});

describe('a link', () => {
  it('takes the other along after an abnormal end, in both directions', async () => {
    for (const dies of ['linker', 'linked'] as const) {
      await using node = await alone();
      const [linker, linked] = [
        await node.processes.start(plain),
        await node.processes.start(plain),
      ];
      const watcher = await node.processes.start(plain);
      await linker.link(linked);
      await watcher.monitor(dies === 'linker' ? linked : linker);
      await failure((dies === 'linker' ? linker : linked).crash());
      await settled();
      expect([await isAlive(node, linker), await isAlive(node, linked)]).toEqual([false, false]);
      expect(await watcher.downs()).toEqual(['down crash']);
    }
  });

  it('goes on through a chain', async () => {
    await using node = await alone();
    const chain = await Promise.all(Array.from({ length: 5 }, () => node.processes.start(plain)));
    for (const [index, each] of chain.slice(1).entries()) {
      const before = chain[index];
      if (before !== undefined) await before.link(each);
    }
    await failure(present(chain[2]).crash());
    await settled();
    expect(await Promise.all(chain.map((each) => isAlive(node, each)))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each(['normal', 'shutdown'] as const)(
    'does not matter when one ends with %s',
    async (reason) => {
      await using node = await alone();
      const [linker, linked] = [
        await node.processes.start(plain),
        await node.processes.start(plain),
      ];
      await linker.link(linked);
      await linked.stop(reason);
      await settled();
      expect(await isAlive(node, linker)).toBe(true);
    },
  );

  it('counts `killed` as abnormal', async () => {
    await using node = await alone();
    const [linker, linked] = [await node.processes.start(plain), await node.processes.start(plain)];
    await linker.link(linked);
    await linked.stop('killed');
    await settled();
    expect(await isAlive(node, linker)).toBe(false);
  });

  it('is a notice where exits are trapped, of normal ends too', async () => {
    await using node = await alone();
    const trapper = await node.processes.start(trapping);
    const [one, other] = [await node.processes.start(plain), await node.processes.start(plain)];
    await trapper.link(one);
    await trapper.link(other);
    await failure(one.crash());
    await other.stop('normal');
    await settled();
    expect(await trapper.exits()).toEqual(['exit crash', 'exit normal']);
    expect(await isAlive(node, trapper)).toBe(true);
  });

  it('can be taken back, from either side', async () => {
    for (const side of [0, 1] as const) {
      await using node = await alone();
      const pair = [await node.processes.start(plain), await node.processes.start(plain)] as const;
      await pair[0].link(pair[1]);
      await pair[side].unlink(pair[1 - side] as AnyRef);
      await failure(pair[0].crash());
      await settled();
      expect(await isAlive(node, pair[1])).toBe(true);
    }
  });

  it('and a monitor leave nothing behind when they are over', async () => {
    await using node = await alone();
    const [one, other] = [await node.processes.start(plain), await node.processes.start(trapping)];
    const third = await node.processes.start(plain);
    await one.link(other);
    await one.unlink(other);
    await one.watch(other);
    await one.unwatch();
    await one.monitor(third);
    await third.stop('normal');
    await settled();
    const counts = await Promise.all(
      [one, other].map(async (each) => {
        const { links, monitors, monitoredBy } = await node.processes.inspect(each).statistics();
        return { links, monitors, monitoredBy };
      }),
    );
    const none = { links: 0, monitors: 0, monitoredBy: 0 };
    expect(counts).toEqual([none, none]);
  });

  it('with a process that is dead already ends the one that asked for it', async () => {
    await using node = await alone();
    const [linker, dead] = [await node.processes.start(plain), await node.processes.start(plain)];
    const trapper = await node.processes.start(trapping);
    await dead.stop('normal');
    await linker.link(dead);
    await trapper.link(dead);
    await settled();
    expect(await isAlive(node, linker)).toBe(false);
    // `no_process` is what monitors are told; who links itself hears of a failure.
    expect(await trapper.exits()).toEqual(['exit crash']);
  });

  it('ends a process at once that is in the middle of a message; its callers are told why', async () => {
    await using node = await alone();
    const [linker, linked] = [await node.processes.start(plain), await node.processes.start(plain)];
    await linker.link(linked);
    const blocked = failure(linker.block(60_000));
    await settled();
    await failure(linked.crash());
    expect(await blocked).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'crash' } });
  });
});

describe('a ref', () => {
  it('made from a name follows it over restarts, one made from a pid does not', async () => {
    await using node = await alone();
    const self = defineProcess('self', {
      init: () => ({}),
      calls: {
        me: (ctx) => ctx.self,
        ref: (_ctx, ref: AnyRef) => ref,
        crash: () => {
          throw new Error('crash');
        },
      },
    });
    const named = await node.processes.start(self, { name: 'self', restart: 'permanent' });
    const byPid = await node.processes.start(self, { restart: 'permanent' });
    const [first, old] = [await named.me(), byPid.pid];
    await failure(named.crash());
    await failure(byPid.crash());
    await settled();
    const second = await named.me();
    expect(second.equals(first)).toBe(false);
    expect(named.pid).toEqual(second);
    expect(byPid.pid).toEqual(old);
    expect(await failure(byPid.me())).toMatchObject({ code: 'NO_PROCESS' });
  });
});

// ── against a model ──────────────────────────────────────────────────────────

const count = 5;
type Relation = 'link' | 'unlink' | 'monitor';
type Step =
  | { readonly relation: Relation; readonly from: number; readonly to: number }
  | { readonly end: 'crash' | 'normal'; readonly at: number };

/** What must happen, said without processes. */
class Model {
  readonly alive = Array.from({ length: count }, () => true);
  readonly downs = Array.from({ length: count }, (): string[] => []);
  readonly #links = new Set<string>();
  #watches: { from: number; to: number }[] = [];

  take(step: Step): void {
    if ('end' in step) this.#end(step.at, step.end);
    else if (this.alive[step.from] === true) this.#relate(step.relation, step.from, step.to);
  }

  #relate(kind: Relation, from: number, to: number): void {
    const pair = from < to ? `${from},${to}` : `${to},${from}`;
    if (kind === 'unlink') this.#links.delete(pair);
    else if (this.alive[to] !== true) this.#missing(kind, from);
    else if (kind === 'monitor') this.#watches.push({ from, to });
    else if (from !== to) this.#links.add(pair);
  }

  #missing(kind: 'link' | 'monitor', from: number): void {
    if (kind === 'monitor') this.downs[from]?.push('down no_process');
    else this.#end(from, 'crash');
  }

  #end(at: number, reason: string): void {
    if (this.alive[at] !== true) return;
    this.alive[at] = false;
    for (const { from, to } of this.#watches)
      if (to === at) this.downs[from]?.push(`down ${reason}`);
    this.#watches = this.#watches.filter(({ from, to }) => from !== at && to !== at);
    for (const pair of this.#links) {
      const [a = -1, b = -1] = pair.split(',').map(Number);
      if (a !== at && b !== at) continue;
      this.#links.delete(pair);
      if (reason !== 'normal') this.#end(a === at ? b : a, reason);
    }
  }
}

describe('links and monitors', () => {
  const index = fc.nat(count - 1);
  const relation = (...kinds: readonly Relation[]): fc.Arbitrary<Step> =>
    fc.record({ relation: fc.constantFrom(...kinds), from: index, to: index });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: relation('link', 'monitor') },
    { weight: 1, arbitrary: relation('unlink') },
    { weight: 1, arbitrary: fc.record({ end: fc.constantFrom('crash', 'normal'), at: index }) },
  );

  it('do what a model of them says, whatever is linked, watched and ended in whatever order', async () => {
    await using node = await alone();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const refs = await Promise.all(
          Array.from({ length: count }, () => node.processes.start(plain)),
        );
        const at = (place: number) => present(refs[place]);
        const act = (each: Step): Promise<void> => {
          if (!('end' in each)) return at(each.from)[each.relation](at(each.to));
          return each.end === 'crash' ? at(each.at).crash() : at(each.at).stop('normal');
        };
        const model = new Model();
        for (const each of steps) {
          await act(each).catch(() => {});
          model.take(each);
          await settled();
        }
        expect(await Promise.all(refs.map((each) => isAlive(node, each)))).toEqual(model.alive);
        const living = refs.flatMap((ref, place) =>
          model.alive[place] === true ? [{ ref, place }] : [],
        );
        for (const { ref, place } of living) {
          expect((await ref.downs()).toSorted()).toEqual(model.downs[place]?.toSorted());
        }
        for (const { ref } of living) await ref.stop('normal');
      }),
      { numRuns: 1_000 },
    );
  });
});

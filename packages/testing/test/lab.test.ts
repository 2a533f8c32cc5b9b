import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import {
  eventually,
  Lab,
  labHindrance,
  spawnNode,
  type TestProcess,
} from '@foundation/testing/lab';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { LabNode, Pongs } from './lab-node.ts';
import type { LabRunner } from './lab-runner.ts';

const program = new URL('lab-node.ts', import.meta.url);
const runner = new URL('lab-runner.ts', import.meta.url);
const isSkipped = labHindrance() !== undefined && process.env['CI'] !== 'true';

const hosts = ['a', 'b', 'c'] as const;
type Host = (typeof hosts)[number];

/** Network namespaces other than this program's, with what is in them. */
function networks(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const own = readlinkSync('/proc/self/ns/net');
  for (const osPid of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const network = readlinkSync(`/proc/${osPid}/ns/net`);
      if (network !== own) found.set(network, [...(found.get(network) ?? []), osPid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function isThere(osPid: number): boolean {
  try {
    return !readFileSync(`/proc/${osPid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describe.skipIf(isSkipped)('the network of a lab', () => {
  let lab: Lab<Host>;
  const opened = new AsyncDisposableStack();
  const nodes = {} as Record<Host, TestProcess<LabNode>>;
  const ping = (from: Host, to: Host, count: number): Promise<Pongs> =>
    nodes[from].ask('ping', lab.host(to).address, { count });
  const heard = (by: Host): Promise<number> => nodes[by].ask('heard');
  const upTo = (count: number): readonly number[] =>
    Array.from({ length: count }, (_, serial) => serial);

  beforeAll(async () => {
    lab = opened.use(await Lab.open({ hosts, seed: 1 }));
    const starting = lab.hosts.map(async ({ name, address, through }) => {
      nodes[name] = opened.use(await spawnNode<LabNode>(program, { args: [address], through }));
    });
    await Promise.all(starting);
  }, 320_000);
  afterEach(() => lab.heal());
  afterAll(() => opened.disposeAsync());

  it('lets hosts reach each other, and nothing else', async () => {
    expect(await nodes.a.ask('interfaces')).toEqual(['lo', 'eth0']);
    expect((await ping('a', 'b', 20)).order).toEqual(upTo(20));
    // What is sent to all reaches the others: both answer, and so does the sender itself.
    expect((await nodes.c.ask('callAll')).order).toEqual([0, 0, 0]);
  });

  it('is cut between some, in both directions, until it is healed', async () => {
    await lab.cut(['a'], ['b']);
    const before = [await heard('a'), await heard('b')];
    expect((await ping('a', 'b', 5)).order).toHaveLength(0);
    expect((await ping('b', 'a', 5)).order).toHaveLength(0);
    expect([await heard('a'), await heard('b')]).toEqual(before);
    // A third one sees both: a bridge between them.
    expect((await ping('c', 'a', 5)).order).toHaveLength(5);
    expect((await ping('c', 'b', 5)).order).toHaveLength(5);
    expect((await lab.traffic({ from: ['a'], to: ['b'] })).cut).toBeGreaterThanOrEqual(5);
    await lab.heal();
    expect((await ping('a', 'b', 5)).order).toHaveLength(5);
    expect((await ping('b', 'a', 5)).order).toHaveLength(5);
  });

  it('is cut in one direction', async () => {
    await lab.cutOneWay(['a'], ['b']);
    const [heardA, heardB] = [await heard('a'), await heard('b')];
    expect((await ping('b', 'a', 5)).order).toHaveLength(0);
    expect(await heard('a')).toBe(heardA + 5);
    await ping('a', 'b', 5);
    expect(await heard('b')).toBe(heardB);
  });

  it('loses the share that it should', async () => {
    const before = await lab.traffic({ from: ['a'], to: ['b'] });
    await lab.impair({ lossRatio: 0.3 }, { from: ['a'] });
    const { order } = await ping('a', 'b', 600);
    expect(order.length).toBeGreaterThan(0.62 * 600);
    expect(order.length).toBeLessThan(0.78 * 600);
    const { sent, lost } = await lab.traffic({ from: ['a'], to: ['b'] });
    // Hosts also tell their groups now and then.
    expect(sent - before.sent - lost).toBeGreaterThanOrEqual(order.length);
    expect(sent - before.sent).toBeLessThan(610);
    expect((await lab.traffic({ from: ['b'] })).lost).toBe(0);
  });

  it('delays one way by what it should, and no other', async () => {
    await lab.impair({ delayMs: 60, jitterMs: 20 }, { from: ['a'], to: ['b'] });
    const [slow, quick] = await Promise.all([ping('a', 'b', 40), ping('c', 'b', 40)]);
    expect(slow.order).toEqual(upTo(40));
    expect(Math.min(...slow.tookMs)).toBeGreaterThanOrEqual(59);
    // The machine itself may be slow, but not always.
    expect(Math.min(...slow.tookMs)).toBeLessThan(90);
    expect(Math.min(...quick.tookMs)).toBeLessThan(30);
  });

  it('doubles some, and lets some overtake others', async () => {
    await lab.impair({ duplicateRatio: 0.2, reorderRatio: 0.2 }, { from: ['a'] });
    const { order } = await ping('a', 'b', 200);
    const { duplicated, reordered } = await lab.traffic({ from: ['a'], to: ['b'] });
    expect(new Set(order).size).toBe(200);
    expect(order.length).toBeGreaterThan(200 + duplicated - 5);
    expect(duplicated).toBeGreaterThan(15);
    expect(reordered).toBeGreaterThan(15);
    expect(order.some((serial, at) => serial < (order[at - 1] ?? 0))).toBe(true);
  });

  it('knows its hosts', async () => {
    expect(() => lab.host('d' as Host)).toThrow('the lab has no host d: a, b, c');
    await expect(lab.cut(['a'], ['d' as Host])).rejects.toThrow('no host d');
  });
});

describe.skipIf(isSkipped)('a lab', () => {
  it('leaves nothing behind when its program is killed, not even what is frozen', async () => {
    const before = new Set(networks().keys());
    await using killed = await spawnNode<LabRunner>(runner, { readyMs: 320_000 });
    const started = [...networks()].filter(([network]) => !before.has(network));
    const osPids = started.flatMap(([, inside]) => inside.map(Number));
    expect(osPids).toContain(killed.ready);
    expect(started).toHaveLength(3);
    await killed.kill();
    await eventually('all of it is gone', () => !osPids.some(isThere));
    const after = networks();
    expect(started.filter(([network]) => after.has(network))).toEqual([]);
    await using next = await Lab.open({ hosts: ['a'] });
    expect(next.hosts).toHaveLength(1);
  });

  it('waits until another one is closed', async () => {
    await using other = await spawnNode<LabRunner>(runner, { readyMs: 320_000 });
    let isOpen = false;
    const opening = Lab.open({ hosts: ['a'] }).then((lab) => {
      isOpen = true;
      return lab[Symbol.asyncDispose]();
    });
    await expect(Lab.open({ hosts: ['a'], waitMs: -19_000 })).rejects.toThrow(
      /waits for the lab of process \d+/,
    );
    expect(isOpen).toBe(false);
    await other.ask('close');
    await opening;
    expect(isOpen).toBe(true);
  });
});

describe('what a lab needs', () => {
  it('is told when it is missing', () => {
    const door = JSON.stringify(import.meta.resolve('@foundation/testing/lab'));
    const code = `import { labHindrance } from ${door}; console.log(labHindrance())`;
    const flags = ['--conditions=@foundation/source', '--input-type=module', '-e', code];
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { stdout } = spawnSync(process.execPath, flags, { ...asNobody, encoding: 'utf8' });
    expect(stdout).toMatch(/^a lab needs (root|Linux)/);
  });

  it.each([[[]], [['a', 'a']]])('is hosts of different names, and not %j', async (names) => {
    await expect(Lab.open({ hosts: names })).rejects.toThrow('each of another name');
  });
});

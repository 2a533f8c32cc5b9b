import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { discoveryConformance } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { systemClock, type Clock } from '../../clock.ts';
import type { Hint } from '../discovery.ts';
import { SqliteDatabase } from '../stores/sqlite-database.ts';
import { RendezvousDiscovery, type Machine } from './rendezvous.ts';

/** A machine whose time, boot and process ids the test decides. */
class TestMachine {
  readonly path = join(mkdtempSync(join(tmpdir(), 'foundation-rendezvous-')), 'cluster.db');
  nowMs = 1_000_000;
  wallMs = 1_700_000_000_000;

  /** A node in a process of its own. Its heartbeats come when the test calls `beat`. */
  node(process_: Partial<Machine> = {}): TestNode {
    const periodic = new Map<number, () => void>();
    const clock: Clock = {
      ...systemClock,
      wallNow: () => this.wallMs,
      every(periodMs, action) {
        periodic.set(periodMs, action);
        return { cancel: () => periodic.delete(periodMs) };
      },
    };
    const machine: Machine = {
      bootId: 'boot-1',
      osPid: process.pid,
      now: () => this.nowMs,
      ...process_,
    };
    const database = new SqliteDatabase({ path: this.path });
    return new TestNode(new RendezvousDiscovery({ database, clock, machine }), periodic);
  }

  /** What the table holds, without an opinion on it. */
  rows(): unknown[] {
    using database = new DatabaseSync(this.path);
    return database
      .prepare('SELECT node FROM nodes ORDER BY node')
      .all()
      .map((row) => row['node']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(join(this.path, '..'), { recursive: true });
  }
}

class TestNode {
  readonly discovery: RendezvousDiscovery;
  readonly told: (readonly Hint[])[] = [];
  readonly errors: unknown[] = [];
  readonly #periodic: ReadonlyMap<number, () => void>;

  constructor(discovery: RendezvousDiscovery, periodic: ReadonlyMap<number, () => void>) {
    this.discovery = discovery;
    this.#periodic = periodic;
  }

  async start(node: string): Promise<this> {
    const incarnation = await this.discovery.reserve(node);
    await this.discovery.start(
      { node, incarnation, address: `address-of-${node}` },
      {
        onPeers: (peers) => this.told.push(peers),
        onError: (error) => this.errors.push(error),
      },
    );
    return this;
  }

  /** Lets a heartbeat happen. */
  async beat(): Promise<void> {
    this.#periodic.get(500)?.();
    await this.discovery.refresh(); // comes after it
  }

  /** Names of the peers after another look. */
  async peers(): Promise<readonly (string | undefined)[] | undefined> {
    await this.discovery.refresh();
    return this.told.at(-1)?.map(({ node }) => node);
  }

  get hasTimers(): boolean {
    return this.#periodic.size > 0;
  }
}

discoveryConformance('RendezvousDiscovery', async () => {
  const machine = new TestMachine();
  return {
    join: () => new RendezvousDiscovery({ database: new SqliteDatabase({ path: machine.path }) }),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
});

const deadPid = spawnSync(process.execPath, ['--version']).pid;
const taken = { code: 'NAME_TAKEN', retryable: false };

describe('an incarnation', () => {
  it('is the time of day, and always more than the last one', async () => {
    await using machine = new TestMachine();
    const node = machine.node();
    expect(await node.discovery.reserve('a')).toBe(machine.wallMs);
    await node.discovery.stop();
    machine.wallMs -= 60_000; // somebody set the clock back
    expect(await node.discovery.reserve('a')).toBe(machine.wallMs + 60_001);
    await node.discovery.stop();
  });
});

describe('a name', () => {
  it('is held from its reservation on', async () => {
    await using machine = new TestMachine();
    const first = machine.node();
    await first.discovery.reserve('a');
    const second = machine.node();
    await expect(second.discovery.reserve('a')).rejects.toMatchObject({
      ...taken,
      message: `the node "a" runs in process ${process.pid} already`,
      details: { node: 'a', osPid: process.pid },
    });
    await first.discovery.stop();
    expect(await second.discovery.reserve('a')).toBeGreaterThan(0);
    await second.discovery.stop();
  });

  it('is not shown to others before it has an address', async () => {
    await using machine = new TestMachine();
    const reserved = machine.node();
    await reserved.discovery.reserve('a');
    const other = await machine.node().start('b');
    expect(await other.peers()).toEqual([]);
    await Promise.all([reserved, other].map(({ discovery }) => discovery.stop()));
  });

  it.each([
    ['whose process is gone', { osPid: deadPid }, 0],
    ['of an earlier boot', { bootId: 'boot-0' }, 0],
    ['without a heartbeat for 5 s', {}, 5_001],
  ])('is free when it belongs to a node %s', async (_, process_, silentMs) => {
    await using machine = new TestMachine();
    const dead = await machine.node(process_).start('dead');
    machine.nowMs += silentMs;
    const node = await machine.node().start('a');
    expect(await node.peers()).toEqual([]);
    expect(machine.rows()).toEqual(['a']); // swept away
    await node.discovery.stop();
    expect(await node.discovery.reserve('dead')).toBeGreaterThan(0);
    await Promise.all([dead, node].map(({ discovery }) => discovery.stop()));
  });
});

describe('a heartbeat', () => {
  it('keeps a node known', async () => {
    await using machine = new TestMachine();
    const node = await machine.node().start('a');
    const other = await machine.node().start('b');
    for (let second = 0; second < 10; second++) {
      machine.nowMs += 1_000;
      await node.beat();
    }
    expect(await other.peers()).toEqual(['a']);
    await Promise.all([node, other].map(({ discovery }) => discovery.stop()));
    expect(node.hasTimers).toBe(false);
  });

  it('brings back a node that was taken for dead', async () => {
    await using machine = new TestMachine();
    const frozen = await machine.node().start('a');
    machine.nowMs += 60_000;
    const other = await machine.node().start('b');
    expect(machine.rows()).toEqual(['b']);
    await frozen.beat();
    expect(await other.peers()).toEqual(['a']);
    await Promise.all([frozen, other].map(({ discovery }) => discovery.stop()));
  });

  it('tells a node that its name was given away while it was frozen', async () => {
    await using machine = new TestMachine();
    const frozen = await machine.node().start('a');
    machine.nowMs += 60_000;
    const successor = await machine.node().start('a');
    await frozen.beat();
    expect(frozen.errors).toEqual([expect.objectContaining(taken)]);
    await frozen.discovery.stop();
    expect(machine.rows()).toEqual(['a']); // the successor's
    await successor.discovery.stop();
  });
});

describe('the set of peers', () => {
  it('stays as it was when the file cannot be read, and the error is told', async () => {
    await using machine = new TestMachine();
    const node = await machine.node().start('a');
    const other = await machine.node().start('b');
    expect(await node.peers()).toEqual(['b']);
    new DatabaseSync(machine.path).exec('ALTER TABLE nodes RENAME TO elsewhere');
    expect(await node.peers()).toEqual(['b']);
    expect(node.errors).toEqual([expect.objectContaining({ code: 'STORE_UNAVAILABLE' })]);
    new DatabaseSync(machine.path).exec('ALTER TABLE elsewhere RENAME TO nodes');
    expect(await node.peers()).toEqual(['b']);
    await Promise.all([node, other].map(({ discovery }) => discovery.stop()));
  });

  it('never has a node of another cluster', async () => {
    await using machine = new TestMachine();
    await using elsewhere = new TestMachine();
    const node = await machine.node().start('a');
    const stranger = await elsewhere.node().start('b');
    expect(await node.peers()).toEqual([]);
    expect(await stranger.peers()).toEqual([]);
    await Promise.all([node, stranger].map(({ discovery }) => discovery.stop()));
  });
});

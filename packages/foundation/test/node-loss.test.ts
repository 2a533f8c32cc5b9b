import { startNode, type Node, type Pid, type Ref } from '@foundation/core';
import { TestCluster } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { ClusterNode } from './cluster-node.ts';
import { chatterbox, nursery, parrot, thinker, witness } from './cluster-processes.ts';

const program = new URL('cluster-node.ts', import.meta.url);
const newCluster = (): TestCluster<ClusterNode> => new TestCluster<ClusterNode>(program);
const hatchery = nursery(() => Promise.reject(new Error('hatched elsewhere')));

/** What this node sees of the comings and goings of members. */
function eventsOf(node: Node): readonly string[] {
  const events: string[] = [];
  node.events.on('member-up', ({ node: other }) => events.push(`up ${other}`));
  node.events.on('member-down', ({ node: other, reason }) =>
    events.push(`down ${other} ${reason}`),
  );
  return events;
}

/** The error with which something fails that was begun earlier. */
async function failureOf(pending: Promise<unknown>): Promise<unknown> {
  return pending.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

async function hatch(here: Node, name: string): Promise<Ref<typeof parrot>> {
  return here.ref(hatchery, name).hatch();
}

describe('a node that is killed', () => {
  it('is seen by all at once: calls, monitors and links end, its names and capabilities vanish', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const events = eventsOf(here);
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    await a.ask('start', 'nursery', { name: 'nest', capabilities: ['hatching'] });
    await cluster.eventually('its name is known', async () => {
      return here.registry.lookup('nest') !== undefined && (await b.ask('lookup', 'nest'));
    });
    expect(await b.ask('capable', 'hatching')).toEqual(['nest']);
    const remote = await hatch(here, 'nest');
    const watcher = await here.processes.start(witness);
    const linked = await here.processes.start(witness);
    const [before] = [here.registry.lookup('nest')];
    await watcher.watch(remote);
    await linked.tie(remote);
    const pending = failureOf(remote.with({ timeoutMs: 20_000 }).hang());
    expect(await remote.say('well')).toBe('well');

    await a.kill();
    const killedAt = performance.now();
    expect(await pending).toMatchObject({ code: 'NODE_DOWN', outcome: 'unknown' });
    await cluster.eventually('it is down', () => events.includes('down a crashed'));
    expect(performance.now() - killedAt).toBeLessThan(1_000);
    expect(await watcher.seen()).toEqual(['down node_down']);
    expect(await linked.seen()).toEqual(['exit node_down']);
    expect(here.registry.lookup('nest')).toBeUndefined();
    expect(here.registry.withCapability('hatching')).toEqual([]);
    expect(here.cluster.members().map(({ node }) => node)).toEqual(['b', 'here']);
    await cluster.eventually('b sees it, too', async () =>
      (await b.ask('events')).includes('down a crashed'),
    );
    expect(await b.ask('lookup', 'nest')).toBeUndefined();
    expect(await b.ask('capable', 'hatching')).toEqual([]);
    await expect(remote.say('hello')).rejects.toMatchObject({ code: 'NO_PROCESS' });

    await cluster.start('a');
    await cluster.formed(3, here);
    expect(before).toBeDefined();
    expect(await watcher.seen()).toEqual(['down node_down']);
    expect(events.filter((each) => each.endsWith('crashed'))).toEqual(['down a crashed']);
  });

  it('begins another life under its name: pids of the earlier one lead nowhere, from anywhere', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const first = await cluster.start('a');
    await cluster.formed(2, here);
    await first.ask('start', 'nursery', { name: 'nest' });
    await cluster.eventually('its name is known', () => here.registry.lookup('nest'));
    const old = await hatch(here, 'nest');
    expect(await old.say('well')).toBe('well');

    await first.kill();
    const second = await cluster.start('a');
    expect(second.ready).toBeGreaterThan(Number(first.ready));
    await second.ask('start', 'nursery', { name: 'nest' });
    await cluster.eventually('its name is known', () => here.registry.lookup('nest'));
    const fresh = await hatch(here, 'nest');
    expect(await fresh.say('well')).toBe('well');
    expect(fresh.pid?.serial).toBe(old.pid?.serial);
    await second.ask('start', 'chatterbox', { name: 'chatterbox' });
    await cluster.eventually('its name is known', () => here.registry.lookup('chatterbox'));

    await expect(old.say('hello')).rejects.toMatchObject({ code: 'NO_PROCESS' });
    // Its own node takes the old pid for somebody else's, too, though the number is in use again.
    expect(await here.ref(chatterbox, 'chatterbox').greet(old)).toBe('NO_PROCESS');
    const watcher = await here.processes.start(witness);
    await watcher.watch(old);
    await cluster.eventually('the monitor tells', async () => (await watcher.seen()).length === 1);
  });
});

describe('a node that stops', () => {
  it('says goodbye: its processes end one by one, and it is not taken for crashed', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const events = eventsOf(here);
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    await a.ask('start', 'parrot', { name: 'parrot' });
    await cluster.eventually('its name is known', () => here.registry.lookup('parrot'));
    const remote = here.ref(parrot, 'parrot');
    const watcher = await here.processes.start(witness);
    await watcher.watch(remote);
    const pending = failureOf(remote.hang());
    expect(await remote.say('well')).toBe('well');

    await a.stop();
    expect(await pending).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'shutdown' } });
    await cluster.eventually('all know', async () => {
      const told = (await b.ask('events')).includes('down a left');
      return told && events.includes('down a left');
    });
    expect(await watcher.seen()).toEqual(['down shutdown']);
    expect(here.registry.lookup('parrot')).toBeUndefined();
  });
});

describe('a node that is frozen', () => {
  it('is declared down for its silence, and begins a new life when it wakes up', async () => {
    await using cluster = newCluster();
    await using here = await startNode(cluster.options('here'));
    const events = eventsOf(here);
    const [a, b] = await cluster.startAll(['a', 'b']);
    await cluster.formed(3, here);
    await a.ask('start', 'nursery', { name: 'nest' });
    await a.ask('start', 'parrot', { name: 'crown' });
    await a.ask('start', 'parrot', { name: 'lark', restart: 'permanent' });
    await a.ask('start', 'thinker', { name: 'thinker', restart: 'permanent' });
    await cluster.eventually('its names are known', () => here.registry.lookup('thinker'));
    const names = ['crown', 'nest', 'lark', 'thinker'];
    const oldPids = names.map((name) => here.registry.lookup(name));
    const old = await hatch(here, 'nest');
    const watcher = await here.processes.start(witness);
    await watcher.watch(old);

    a.freeze();
    await cluster.eventually('both see it', async () => {
      const seen = (await b.ask('events')).includes('down a unresponsive');
      return seen && events.includes('down a unresponsive');
    });
    expect(await watcher.seen()).toEqual(['down node_down']);
    expect(names.map((name) => here.registry.lookup(name))).toEqual(names.map(() => undefined));
    const heir = await here.processes.start(parrot, { name: 'crown' });

    a.thaw();
    await cluster.formed(3, here);
    await cluster.eventually('it has given up the name that was taken over', async () =>
      (await a.ask('events')).includes('exit parrot "crown" name_conflict'),
    );
    await cluster.eventually('all agree', async () => {
      const members = here.cluster.members().map((each) => `${each.node} ${each.incarnation}`);
      const [ofA, ofB] = await Promise.all([a.ask('members'), b.ask('members')]);
      return ofA.join() === members.join() && ofB.join() === members.join();
    });
    const [member] = here.cluster.members();
    expect(member?.incarnation).toBeGreaterThan(Number(a.ready));
    expect(await here.ref(parrot, 'crown').host()).toBe(`here ${here.incarnation}`);
    expect(await a.ask('lookup', 'crown')).toBe(String(heir.pid));

    await cluster.eventually('its other names are back', () => here.registry.lookup('thinker'));
    expect(String(here.registry.lookup('nest'))).not.toBe(String(oldPids[1]));
    await expect(old.say('hello')).rejects.toMatchObject({ code: 'NO_PROCESS' });
    expect(await watcher.seen()).toEqual(['down node_down']);
    for (const survivor of [here.ref(parrot, 'lark'), here.ref(thinker, 'thinker')]) {
      await livesOn(here, cluster, survivor);
    }
  });
});

interface Mortal {
  readonly pid: Pid | undefined;
  self(): Promise<Pid>;
  crash(message: string): Promise<string>;
}

/** A process that its node took into a new life works as any other: it is watched, linked, restarted. */
async function livesOn(
  here: Node,
  cluster: TestCluster<ClusterNode>,
  survivor: Mortal,
): Promise<void> {
  const watcher = await here.processes.start(witness);
  const linked = await here.processes.start(witness);
  await watcher.watch(survivor);
  await linked.tie(survivor);
  const before = String(survivor.pid);
  expect(String(await survivor.self())).toBe(before);
  await expect(survivor.crash('old age')).rejects.toMatchObject({ code: 'PROCESS_DOWN' });
  await cluster.eventually('both are told', async () => {
    const seen = [...(await watcher.seen()), ...(await linked.seen())];
    return seen.join() === 'down crash: old age,exit crash: old age';
  });
  await cluster.eventually('it is restarted', () => {
    return survivor.pid !== undefined && String(survivor.pid) !== before;
  });
}

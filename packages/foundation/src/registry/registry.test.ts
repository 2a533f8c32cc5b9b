import { describe, expect, it } from 'vitest';

import { systemClock } from '../clock.ts';
import { Events } from '../events.ts';
import { RegistryState, type Delta, type Registration, type Share } from './registry-state.ts';
import { Registry, type Change } from './registry.ts';

/** A registry of node `b` that remembers whom it evicts and what it tells the others. */
function registryOfB(): { registry: Registry; evicted: string[]; told: Delta[] } {
  const evicted: string[] = [];
  const told: Delta[] = [];
  const registry = new Registry({
    node: 'b',
    incarnation: 1,
    clock: systemClock,
    events: new Events(),
    broadcast: (delta) => told.push(delta),
    evict: (pid, { code }) => evicted.push(`${pid.toString()} ${code}`),
  });
  return { registry, evicted, told };
}

/** What node `a` tells when a process of it took the name `ada`, long ago or much later. */
function shareOfA(when: 'earlier' | 'later'): Share {
  const named: Registration = {
    serial: 5,
    process: 'worker',
    name: 'ada',
    capabilities: ['count'],
    metadata: {},
    registeredAt: { wallMs: when === 'earlier' ? 1 : 9e15, count: 0 },
  };
  return { incarnation: 1, version: 1, registrations: [named], singletons: [] };
}

function follow(replica: RegistryState, change: Change): void {
  if (change.kind === 'share') replica.replace(change.node, change.share);
  else if (change.kind === 'delta') replica.apply(change.node, change.delta);
  else replica.drop(change.node);
}

describe('two processes that took one name', () => {
  it('the later one is withdrawn at once and ended, even while it still runs', () => {
    const { registry, evicted, told } = registryOfB();
    registry.register(1, 'worker', { name: 'ada' });
    registry.receive({ kind: 'share', node: 'a', share: shareOfA('earlier') });
    expect(evicted).toEqual(['<b.1.1> NAME_TAKEN']);
    expect(registry.all().map(({ pid }) => pid.toString())).toEqual(['<a.1.5>']);
    expect(told.at(-1)).toMatchObject({ removed: 1 });
  });

  it('the earlier one stays; the other node ends its own', () => {
    const { registry, evicted } = registryOfB();
    registry.register(1, 'worker', { name: 'ada' });
    registry.receive({ kind: 'share', node: 'a', share: shareOfA('later') });
    expect(evicted).toEqual([]);
    expect(registry.lookup('ada')?.toString()).toBe('<b.1.1>');
  });

  it('one that was taken elsewhere while a process started is seen when it registers', () => {
    const { registry, evicted } = registryOfB();
    registry.receive({ kind: 'share', node: 'a', share: shareOfA('earlier') });
    registry.register(1, 'worker', { name: 'ada' });
    expect(evicted).toEqual(['<b.1.1> NAME_TAKEN']);
    expect(registry.lookup('ada')?.toString()).toBe('<a.1.5>');
  });
});

describe('a name that an earlier strong singleton still has', () => {
  function withHolder(fencingToken?: number): Registry {
    const { registry } = registryOfB();
    const [known] = shareOfA('earlier').registrations;
    const named = { ...(known as Registration), ...(fencingToken && { fencingToken }) };
    registry.receive({
      kind: 'share',
      node: 'a',
      share: { ...shareOfA('earlier'), registrations: [named] },
    });
    return registry;
  }

  it('is free for one with a higher token, and for nobody else', () => {
    const taken = expect.objectContaining({ code: 'NAME_TAKEN' });
    expect(() => withHolder(5).claim('ada', 5)).toThrowError(taken);
    expect(() => withHolder(5).claim('ada')).toThrowError(taken);
    expect(() => withHolder().claim('ada', 6)).toThrowError(taken);
    using _claim = withHolder(5).claim('ada', 6);
  });

  it('leads to the newer one as soon as that is entered', () => {
    const registry = withHolder(5);
    registry.register(1, 'worker', { name: 'ada', fencingToken: 6 });
    expect(registry.lookup('ada')?.toString()).toBe('<b.1.1>');
    registry.rejoin(7);
    expect(registry.holder('ada')).toMatchObject({ fencingToken: 6, node: 'b' });
  });
});

describe('listeners of the registry', () => {
  it('that throw disturb neither the registration nor each other', () => {
    const { registry } = registryOfB();
    const heard: string[] = [];
    registry.onChange(() => {
      throw new Error('oops');
    });
    registry.onChange(({ kind, node }) => heard.push(`${kind} ${node}`));
    registry.register(1, 'worker', { name: 'bob' });
    registry.receive({ kind: 'share', node: 'a', share: shareOfA('earlier') });
    expect(heard).toEqual(['delta b', 'share a']);
    expect(registry.lookup('ada')).toBeDefined();
  });
});

describe('a node that begins a new life', () => {
  it('tells it to those that follow its registry, such as threads', () => {
    const { registry } = registryOfB();
    const follower = new RegistryState();
    for (const change of registry.shares()) follow(follower, change);
    registry.onChange((change) => follow(follower, change));
    registry.register(2, 'worker', { name: 'bob' });
    registry.rejoin(7);
    registry.register(3, 'worker', { name: 'eve' });
    registry.unregister(2);
    expect(follower.all().map(({ pid }) => pid.toString())).toEqual(['<b.7.3>']);
  });

  it('forgets the others and enters its own anew', () => {
    const { registry } = registryOfB();
    registry.receive({ kind: 'share', node: 'a', share: shareOfA('earlier') });
    registry.register(2, 'worker', { name: 'bob', capabilities: ['read'] });
    registry.rejoin(7);
    expect(registry.all().map(({ pid }) => pid.toString())).toEqual(['<b.7.2>']);
    expect(registry.ownShare()).toMatchObject({ incarnation: 7, version: 1 });
  });
});

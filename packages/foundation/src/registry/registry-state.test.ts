import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RegistryState, type Delta, type Registration, type Share } from './registry-state.ts';

function registration(serial: number, parts: Partial<Registration> = {}): Registration {
  return {
    serial,
    process: 'worker',
    capabilities: [],
    metadata: {},
    registeredAt: { wallMs: 1_000, count: 0 },
    ...parts,
  };
}

function share(parts: Partial<Share> = {}): Share {
  return { incarnation: 1, version: 0, registrations: [], singletons: [], ...parts };
}

function withShares(shares: Readonly<Record<string, Share>>): RegistryState {
  const state = new RegistryState();
  for (const [node, each] of Object.entries(shares)) state.replace(node, each);
  return state;
}

/** Everything that can be read, through every index. */
function view(state: RegistryState): unknown {
  const all = state.all();
  const names = [...new Set(all.flatMap(({ name }) => name ?? []))].toSorted();
  const capabilities = [...new Set(all.flatMap((each) => each.capabilities))].toSorted();
  return {
    all: all.map(({ pid }) => pid.toString()).toSorted(),
    names: names.map((name) => [name, state.holders(name).map(({ pid }) => pid.toString())]),
    capabilities: capabilities.map((each) => [
      each,
      state.withCapability(each).map(({ pid }) => pid.toString()),
    ]),
  };
}

describe('the registry', () => {
  it('finds a process by its name and by each capability', () => {
    const known = registration(7, { name: 'ada', capabilities: ['count', 'read'] });
    const state = withShares({ a: share({ incarnation: 3, registrations: [known] }) });
    expect(state.holders('ada')[0]?.pid.toString()).toBe('<a.3.7>');
    expect(state.withCapability('count')).toHaveLength(1);
    expect(state.withCapability('read')).toHaveLength(1);
    expect(state.holders('bob')).toEqual([]);
  });

  it('forgets everything of a node that is dropped, and nothing of another', () => {
    const known = registration(1, { name: 'ada', capabilities: ['count'] });
    const state = withShares({
      a: share({ registrations: [known] }),
      b: share({ registrations: [registration(1, { capabilities: ['count'] })] }),
    });
    state.drop('a');
    expect(state.holders('ada')).toEqual([]);
    expect(state.withCapability('count').map(({ node }) => node)).toEqual(['b']);
    expect(state.nodes()).toEqual(['b']);
  });

  it('gives a name to the earlier registration, of two at once to the lower node name', () => {
    const at = (wallMs: number): Share =>
      share({
        registrations: [registration(1, { name: 'ada', registeredAt: { wallMs, count: 0 } })],
      });
    const first = (state: RegistryState): string | undefined => state.holders('ada')[0]?.node;
    expect(first(withShares({ a: at(20), b: at(10) }))).toBe('b');
    expect(first(withShares({ b: at(10), a: at(10) }))).toBe('a');
  });

  it('gives a name to the newest strong singleton, whoever was entered first', () => {
    const under = (wallMs: number, fencingToken?: number): Share =>
      share({
        registrations: [
          registration(1, {
            name: 'ada',
            registeredAt: { wallMs, count: 0 },
            ...(fencingToken === undefined ? {} : { fencingToken }),
          }),
        ],
      });
    const first = (state: RegistryState): string | undefined => state.holders('ada')[0]?.node;
    expect(first(withShares({ a: under(10, 7), b: under(20, 9) }))).toBe('b');
    expect(first(withShares({ a: under(10), b: under(20, 9) }))).toBe('b');
    expect(first(withShares({ a: under(10, 9), b: under(5) }))).toBe('a');
  });

  it('passes a name on to the next holder when the first is gone', () => {
    const named = share({ registrations: [registration(1, { name: 'ada' })] });
    const state = withShares({ a: named, b: named });
    state.drop('a');
    expect(state.holders('ada').map(({ node }) => node)).toEqual(['b']);
  });

  it('takes changes in turn, refuses old ones, and asks for the whole share when one is missing', () => {
    const state = withShares({ a: share({ version: 4 }) });
    const delta = (version: number, incarnation = 1): Delta => ({
      incarnation,
      version,
      set: registration(version),
    });
    expect(state.apply('a', delta(4))).toBe('old');
    expect(state.apply('a', delta(6))).toBe('gap');
    expect(state.apply('a', delta(5))).toBe('applied');
    expect(state.apply('a', delta(6))).toBe('applied');
    expect(state.apply('a', delta(1, 2))).toBe('gap');
    expect(state.apply('stranger', delta(1))).toBe('gap');
    expect(state.all().map(({ serial }) => serial)).toEqual([5, 6]);
  });

  it('keeps the newer of two shares: of a later life, or with more changes', () => {
    const state = withShares({ a: share({ incarnation: 2, version: 3 }) });
    const old = [registration(9)];
    expect(state.replace('a', share({ incarnation: 1, version: 8, registrations: old }))).toBe(
      false,
    );
    expect(state.replace('a', share({ incarnation: 2, version: 2, registrations: old }))).toBe(
      false,
    );
    expect(state.all()).toEqual([]);
    expect(state.replace('a', share({ incarnation: 3, version: 0 }))).toBe(true);
  });

  it('replaces what a process is known by when it registers again', () => {
    const state = withShares({
      a: share({ registrations: [registration(1, { name: 'ada', capabilities: ['count'] })] }),
    });
    state.apply('a', {
      incarnation: 1,
      version: 1,
      set: registration(1, { name: 'bob', capabilities: ['read'] }),
    });
    expect([state.holders('ada'), state.withCapability('count')]).toEqual([[], []]);
    expect(state.holders('bob')).toHaveLength(1);
  });

  it('carries the records of singletons with the share', () => {
    const record = { name: 'ledger', process: 'ledger', init: 5, listing: {} };
    const state = withShares({ a: share() });
    state.apply('a', { incarnation: 1, version: 1, setSingleton: record });
    expect(state.share('a')?.singletons).toEqual([record]);
    state.apply('a', { incarnation: 1, version: 2, removedSingleton: 'ledger' });
    expect(state.singletons('a')).toEqual([]);
  });

  // ── laws ───────────────────────────────────────────────────────────────────

  const nodes = ['a', 'b', 'c'] as const;
  const change = fc.oneof(
    fc
      .record({
        serial: fc.nat(3),
        name: fc.constantFrom('ada', 'bob', undefined),
        capabilities: fc.uniqueArray(fc.constantFrom('count', 'read')),
        wallMs: fc.nat(3),
      })
      .map(({ serial, name, capabilities, wallMs }) => ({
        set: registration(serial, {
          capabilities,
          registeredAt: { wallMs, count: 0 },
          ...(name === undefined ? {} : { name }),
        }),
      })),
    fc.nat(3).map((removed) => ({ removed })),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom(...nodes), change), {
    maxLength: 30,
    size: 'max',
  });

  /** The changes of each node, numbered, and the order in which they were made. */
  function numbered(
    made: readonly (readonly [string, Partial<Delta>])[],
  ): readonly (readonly [string, Delta])[] {
    const versions = new Map<string, number>();
    return made.map(([node, each]) => {
      const version = (versions.get(node) ?? 0) + 1;
      versions.set(node, version);
      return [node, { incarnation: 1, version, ...each }];
    });
  }

  function empty(): RegistryState {
    return withShares({ a: share(), b: share(), c: share() });
  }

  it('is the same on every node, in whatever order the changes of different nodes arrive', () => {
    fc.assert(
      fc.property(changes, fc.nat(), (made, turn) => {
        const deltas = numbered(made);
        const [one, other] = [empty(), empty()];
        for (const [node, delta] of deltas) one.apply(node, delta);
        const order = [...nodes.slice(turn % 3), ...nodes.slice(0, turn % 3)];
        for (const node of order) {
          for (const [owner, delta] of deltas) if (owner === node) other.apply(owner, delta);
        }
        expect(view(other)).toEqual(view(one));
      }),
    );
  });

  it('does not care about changes that arrive twice', () => {
    fc.assert(
      fc.property(changes, (made) => {
        const [once, twice] = [empty(), empty()];
        for (const [node, delta] of numbered(made)) {
          once.apply(node, delta);
          twice.apply(node, delta);
          expect(twice.apply(node, delta)).toBe('old');
        }
        expect(view(twice)).toEqual(view(once));
      }),
    );
  });

  it('knows from a share what all the changes before it would have told', () => {
    fc.assert(
      fc.property(changes, (made) => {
        const [owner, late] = [empty(), empty()];
        for (const [node, delta] of numbered(made)) owner.apply(node, delta);
        for (const node of nodes) {
          const whole = owner.share(node);
          if (whole !== undefined) late.replace(node, whole);
        }
        expect(view(late)).toEqual(view(owner));
      }),
    );
  });

  it('holds exactly what was set and not removed, in every index, in order', () => {
    fc.assert(
      fc.property(changes, fc.constantFrom(...nodes), (made, gone) => {
        const state = empty();
        const model = new Map<string, Registration & { readonly node: string }>();
        for (const [node, delta] of numbered(made)) {
          state.apply(node, delta);
          if (delta.removed !== undefined) model.delete(`${node} ${delta.removed}`);
          if (delta.set !== undefined)
            model.set(`${node} ${delta.set.serial}`, { ...delta.set, node });
        }
        state.drop(gone);
        const left = [...model.values()].filter(({ node }) => node !== gone);
        const address = (each: { node: string; serial: number }): string =>
          `${each.node} ${each.serial}`;
        const byAddress = left.toSorted((x, y) => (address(x) < address(y) ? -1 : 1));
        expect(state.all().map(address).toSorted()).toEqual(byAddress.map(address));
        for (const name of ['ada', 'bob']) {
          const holders = byAddress
            .filter((each) => each.name === name)
            .toSorted((x, y) => x.registeredAt.wallMs - y.registeredAt.wallMs);
          expect(state.holders(name).map(address)).toEqual(holders.map(address));
        }
        for (const capability of ['count', 'read']) {
          const able = byAddress.filter((each) => each.capabilities.includes(capability));
          expect(state.withCapability(capability).map(address)).toEqual(able.map(address));
        }
      }),
    );
  });
});

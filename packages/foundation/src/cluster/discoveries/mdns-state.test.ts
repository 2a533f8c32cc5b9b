import assert from 'node:assert/strict';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { unexpired, withoutPeer, withPeer, type AnnouncedPeers } from './mdns-state.ts';

const peersMax = 3;
const step = fc.oneof(
  fc.record({
    kind: fc.constant('here' as const),
    instance: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    ttlMs: fc.integer({ min: 1, max: 500_000 }),
  }),
  fc.record({ kind: fc.constant('gone' as const), instance: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('time' as const), passMs: fc.nat(200_000) }),
);

describe('those who were announced', () => {
  it('are as many as may be known, and nobody is known longer than it said, or than 120 s', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let nowMs = 0;
        let peers: AnnouncedPeers = new Map();
        const until = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === 'time') peers = unexpired(peers, (nowMs += each.passMs));
          if (each.kind === 'gone') peers = withoutPeer(peers, each.instance);
          if (each.kind === 'here') {
            const told = { ...each, address: each.instance };
            const next = withPeer(peers, told, { nowMs, peersMax });
            const isFull = !peers.has(each.instance) && peers.size === peersMax;
            assert.equal(next === undefined, isFull);
            if (next !== undefined) until.set(each.instance, nowMs + Math.min(each.ttlMs, 120_000));
            peers = next ?? peers;
          }
          expect(peers.size).toBeLessThanOrEqual(peersMax);
          for (const name of peers.keys()) expect(until.get(name)).toBeGreaterThan(nowMs);
        }
      }),
    );
  });

  it('are forgotten when they say goodbye', () => {
    const told = { instance: 'a', address: 'x', ttlMs: 10 };
    const peers = withPeer(new Map(), told, { nowMs: 0, peersMax });
    expect(withoutPeer(peers ?? new Map(), 'a').size).toBe(0);
    expect(withoutPeer(peers ?? new Map(), 'b').size).toBe(1);
  });
});

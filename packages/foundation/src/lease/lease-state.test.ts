import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  marginShare,
  newContender,
  nextLease,
  planLease,
  remainingMs,
  type LeaseEvent,
  type LeaseState,
  type LeaseTerms,
  type Moment,
} from './lease-state.ts';

const time = (ms: number, wallMs = ms): Moment => ({ monotonicMs: ms, wallMs });
const termsOf = (nonce: string, ttlMs: number): LeaseTerms => {
  return { nonce, ttlMs, marginMs: ttlMs * marginShare };
};

/** What is known after some events, each at its moment. */
function after(
  terms: LeaseTerms,
  events: readonly (readonly [at: Moment, event: LeaseEvent])[],
): LeaseState {
  return events.reduce(
    (state, [at, event]) => nextLease(state, event, { at, terms }),
    newContender(),
  );
}

describe('the rules of a lease', () => {
  it('end it for its holder before anybody else may write, however long messages take and clocks run apart', () => {
    const rate = fc.double({ min: 1 - 0.0526, max: 1 + 0.0526, noNaN: true });
    const delay = fc.double({ min: 0, max: 5_000, noNaN: true });
    const ttl = fc.integer({ min: 100, max: 60_000 });
    fc.assert(
      fc.property(fc.tuple(rate, rate), fc.tuple(delay, delay), ttl, (rates, delays, ttlMs) => {
        const [own, others] = rates;
        const [written, seen] = [delays[0], delays[0] + delays[1]];
        const holder = termsOf('a', ttlMs);
        const held = after(holder, [
          [time(written * own), { kind: 'written', version: 1, sentAt: time(0) }],
        ]);
        const lastMs = remainingMs(held, time(0), holder) / own;

        const other = termsOf('b', ttlMs);
        const record = { holder: 'a', nonce: 'a', ttlMs };
        const sawIt = time(seen * others);
        const waiting = after(other, [[sawIt, { kind: 'found', version: 1, record }]]);
        const { ask, lookInMs } = planLease(waiting, sawIt, other);
        expect(ask).toBeUndefined();
        expect(seen + lookInMs / others).toBeGreaterThanOrEqual(lastMs);
      }),
    );
  });

  it('give it back to nobody who has lost it, and no time that was not acknowledged', () => {
    const terms = termsOf('a', 1_000);
    const record = fc.constantFrom('a', 'b').map((nonce) => ({ holder: '', nonce, ttlMs: 1_000 }));
    const version = fc.nat(9);
    const event = fc.oneof(
      fc
        .constantFrom('looked', 'poked', 'refused', 'failed', 'removed', 'released')
        .map((kind) => ({ kind })),
      fc.record({ kind: fc.constant('found' as const), version, record }),
      fc.record({ kind: fc.constant('written' as const), version, sentAt: fc.constant(time(0)) }),
    );
    const step = fc.tuple(event, fc.nat(300), fc.nat(300));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const breaches: string[] = [];
        let state = newContender();
        let [monotonicMs, wallMs] = [0, 0];
        for (const [happened, monotonicBy, wallBy] of steps) {
          const sentAt = time(monotonicMs, wallMs);
          monotonicMs += monotonicBy;
          wallMs += wallBy;
          const at = time(monotonicMs, wallMs);
          const before = state;
          state = nextLease(
            before,
            happened.kind === 'written' ? { ...happened, sentAt } : happened,
            { at, terms },
          );
          breaches.push(
            ...breachesOf([before, state], happened, (each) => remainingMs(each, at, terms)),
          );
        }
        expect(breaches).toEqual([]);
      }),
    );
  });

  it('let one renew after a quarter, and ask for nothing before', () => {
    const terms = termsOf('a', 1_000);
    const held = after(terms, [[time(10), { kind: 'written', version: 4, sentAt: time(0) }]]);
    expect(planLease(held, time(249), terms)).toMatchObject({ ask: undefined, lookInMs: 125 });
    expect(planLease(held, time(250), terms)).toMatchObject({ ask: 'write', version: 4 });
  });

  it('let one who waits see the same version again without beginning anew, and another one only then', () => {
    const terms = termsOf('b', 1_000);
    const record = { holder: 'a', nonce: 'a', ttlMs: 1_000 };
    const found = (version: number): LeaseEvent => ({ kind: 'found', version, record });
    const sameAgain = after(terms, [
      [time(0), found(3)],
      [time(900), { kind: 'poked' }],
      [time(950), found(3)],
    ]);
    expect(planLease(sameAgain, time(950), terms)).toMatchObject({ ask: undefined, lookInMs: 50 });
    expect(planLease(sameAgain, time(1_000), terms)).toMatchObject({ ask: 'write', version: 3 });
    const anotherOne = nextLease(sameAgain, found(4), { at: time(960), terms });
    expect(planLease(anotherOne, time(1_000), terms)).toMatchObject({ lookInMs: 960 });
  });
});

/** What must not come of an event. */
function breachesOf(
  [before, state]: readonly [LeaseState, LeaseState],
  { kind }: LeaseEvent,
  leftOf: (state: LeaseState) => number,
): readonly string[] {
  const [wasMs, leftMs] = [leftOf(before), leftOf(state)];
  const wasHeld = before.phase === 'held';
  return [
    before.phase === 'over' && state.phase !== 'over' ? 'it goes on after its end' : '',
    wasHeld && state.phase === 'contending' ? 'it is asked for again' : '',
    wasHeld && wasMs === 0 && state.phase !== 'over' ? 'it does not end in time' : '',
    kind !== 'written' && leftMs > wasMs ? 'it has time that nobody has acknowledged' : '',
    wasHeld && state.phase === 'held' && before.token !== state.token ? 'its token changes' : '',
  ].filter(Boolean);
}

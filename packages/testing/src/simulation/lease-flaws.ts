import { leaseRules, type LeaseRules, type Moment } from '@foundation/core/internal';

import type { LeaseFlaw } from './lease-fault.ts';

const { next, plan, remainingMs } = leaseRules;

/** The rules of a lease with one bug in them. */
export function flawedRules(flaw: LeaseFlaw | undefined): LeaseRules {
  switch (flaw) {
    case undefined:
    case 'no-fence':
      return leaseRules;
    case 'counts-from-the-reply':
      return {
        ...leaseRules,
        next: (state, event, { at, terms }) =>
          next(state, event.kind === 'written' ? { ...event, sentAt: at } : event, { at, terms }),
      };
    case 'no-margin':
      return {
        next: (state, event, { at, terms }) =>
          next(state, event, { at, terms: { ...terms, marginMs: 0 } }),
        plan: (state, at, terms) => plan(state, at, { ...terms, marginMs: 0 }),
        remainingMs: (state, at, terms) => remainingMs(state, at, { ...terms, marginMs: 0 }),
      };
    case 'wall-clock':
      return {
        ...leaseRules,
        plan: (state, at, terms) => {
          if (state.phase !== 'contending' || state.seen === undefined)
            return plan(state, at, terms);
          if (at.monotonicMs < state.pausedUntilMs) return plan(state, at, terms);
          const seen = { ...state.seen, since: byWall(state.seen.since) };
          return plan({ ...state, seen }, byWall(at), terms);
        },
      };
    case 'sleeps-on':
      return {
        next: (state, event, { at, terms }) => {
          if (event.kind !== 'written') return next(state, event, { at: awake(at), terms });
          const sentAt = awake(event.sentAt);
          return next(state, { ...event, sentAt }, { at: awake(at), terms });
        },
        plan: (state, at, terms) => plan(state, awake(at), terms),
        remainingMs: (state, at, terms) => remainingMs(state, awake(at), terms),
      };
    case 'any-nonce':
      return {
        ...leaseRules,
        next: (state, event, { at, terms }) => {
          const isUnsure = state.phase === 'contending' && state.pausedUntilMs > -Infinity;
          const isOurs = event.kind === 'found' && event.record !== undefined && isUnsure;
          if (!isOurs) return next(state, event, { at, terms });
          const record = { holder: '', ttlMs: terms.ttlMs, nonce: terms.nonce };
          return next(state, { ...event, record }, { at, terms });
        },
      };
    case 'no-waiting':
      return {
        ...leaseRules,
        next: (state, event, { at, terms }) => {
          if (event.kind !== 'found' || event.record === undefined || state.phase !== 'contending')
            return next(state, event, { at, terms });
          return next(state, { ...event, record: { ...event.record, ttlMs: 1 } }, { at, terms });
        },
      };
  }
}

function byWall(at: Moment): Moment {
  return { ...at, monotonicMs: at.wallMs };
}

function awake(at: Moment): Moment {
  return { ...at, wallMs: at.monotonicMs };
}

/** A moment by both clocks of a machine: the wall clock goes on while it sleeps, the monotonic one may not. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What is written in the store while a lease is held. */
export interface LeaseRecord {
  /** Whose it is, for people: the name of the node. */
  readonly holder: string;
  /** Tells one who asks for the lease from all others, and from its own earlier and later lives. */
  readonly nonce: string;
  /** Milliseconds that others must see it unchanged before they take it over. */
  readonly ttlMs: number;
}

/** A record as it was read, and since when it has been seen so. */
export interface Sighting {
  /** 0 where there is none. */
  readonly version: number;
  readonly record: LeaseRecord | undefined;
  readonly since: Moment;
}

/**
 * Why a lease is not held any more. `expired`: it was not renewed in time. `taken`: the store says that it is
 * another's. `stalled`: the program stood still for so long that nobody knows what has become of it.
 */
export type LeaseEnd = 'expired' | 'taken' | 'stalled' | 'released';

/** What one who asks for a lease knows. */
export type LeaseState = Contending | Held | Over;

interface Contending {
  readonly phase: 'contending';
  readonly seen: Sighting | undefined;
  /** Whether `seen` is still what is to be acted upon. */
  readonly isFresh: boolean;
  /** Asks nothing of the store before that, by the monotonic clock. */
  readonly pausedUntilMs: number;
}

interface Held {
  readonly phase: 'held';
  readonly token: number;
  /** When the write was sent that was acknowledged last. */
  readonly sentAt: Moment;
  /** When anything happened last. */
  readonly lookedAt: Moment;
  readonly version: number;
  readonly isFresh: boolean;
  readonly pausedUntilMs: number;
}

interface Over {
  readonly phase: 'over';
  readonly end: LeaseEnd;
  /** Whether its holder is done, so that the next one need not wait. One who has lost it may still be at work. */
  readonly isLeft: boolean;
  /** What is still to be done about that. */
  readonly cleaning: 'read' | 'remove' | undefined;
  readonly version: number;
  readonly triesLeft: number;
}

/** What happens to one who asks for a lease. `sentAt`: when the store was asked. */
export type LeaseEvent =
  | { readonly kind: 'looked' | 'poked' | 'refused' | 'failed' | 'removed' | 'released' }
  | ({ readonly kind: 'found' } & Omit<Sighting, 'since'>)
  | { readonly kind: 'written'; readonly version: number; readonly sentAt: Moment };

/** What to ask of the store now, if anything, and when to look again if nothing happens before. */
export interface LeasePlan {
  readonly ask: 'read' | 'write' | 'remove' | undefined;
  /** The version to write over, or to remove. */
  readonly version: number;
  readonly lookInMs: number;
}

/** Who asks, and for how long. */
export interface LeaseTerms {
  readonly nonce: string;
  readonly ttlMs: number;
  /** Milliseconds before the end of its time at which a holder lets go. */
  readonly marginMs: number;
}

/**
 * The share of its time that a holder gives away: no lease is held twice as long as the clocks of two machines
 * do not run apart by more than that.
 */
export const marginShare = 0.1;

/** How often something may go wrong before a record is left to its time. */
const cleaningTries = 3;

const nothing = { ask: undefined, version: 0, lookInMs: Infinity } as const;

/** One who has just begun to ask. @param seen - What was known before. */
export function newContender(seen?: Sighting): LeaseState {
  return { phase: 'contending', seen, isFresh: false, pausedUntilMs: -Infinity };
}

/**
 * What one who asks for a lease knows after an event. Three rules keep it from being held twice: the time of a
 * holder counts from the moment at which the acknowledged write was *sent*; others wait for the whole of it from the moment
 * at which they have *seen* a version, each by its own clock; and a write replaces the version that was seen, or nothing.
 *
 * Source: Gray and Cheriton 1989, "Leases".
 */
export function nextLease(
  state: LeaseState,
  event: LeaseEvent,
  { at, terms }: { readonly at: Moment; readonly terms: LeaseTerms },
): LeaseState {
  if (state.phase === 'over') return cleaned(state, event, terms);
  if (event.kind === 'released') return over(state, 'released');
  if (state.phase === 'contending') return contended(state, event, { at, terms });
  const end = endOf(state, at, terms);
  return end === undefined ? kept(state, event, { at, terms }) : over(state, end);
}

/** What to do now. Ask for nothing while an answer is awaited. */
export function planLease(state: LeaseState, at: Moment, terms: LeaseTerms): LeasePlan {
  switch (state.phase) {
    case 'over':
      return { ...nothing, ask: state.cleaning, version: state.version };
    case 'contending':
      return planToTake(state, at, terms);
    case 'held':
      return planToKeep(state, at, terms);
  }
}

/** Milliseconds for which a lease is still held, as far as its holder knows; 0 when it is not. */
export function remainingMs(state: LeaseState, at: Moment, terms: LeaseTerms): number {
  if (state.phase !== 'held') return 0;
  return Math.max(0, terms.ttlMs - terms.marginMs - elapsedMs(state.sentAt, at));
}

/** By the clock that says more: the monotonic one stands still while the machine sleeps, the wall clock may be set back. */
function elapsedMs(since: Moment, at: Moment): number {
  return Math.max(at.monotonicMs - since.monotonicMs, at.wallMs - since.wallMs);
}

/** The rules as one, so that a simulation can break one of them and see that it is found out. */
export interface LeaseRules {
  readonly next: typeof nextLease;
  readonly plan: typeof planLease;
  readonly remainingMs: typeof remainingMs;
}

export const leaseRules: LeaseRules = { next: nextLease, plan: planLease, remainingMs };

// ── asking ───────────────────────────────────────────────────────────────────

function contended(
  state: Contending,
  event: LeaseEvent,
  { at, terms }: { readonly at: Moment; readonly terms: LeaseTerms },
): LeaseState {
  switch (event.kind) {
    case 'found':
      return { ...state, seen: sighting(state.seen, event, at), isFresh: true };
    case 'written':
      return granted(event, at, terms);
    case 'failed':
      return { ...state, isFresh: false, pausedUntilMs: at.monotonicMs + retryMs(terms) };
    case 'poked':
    case 'refused':
      return { ...state, isFresh: false };
    case 'looked':
    case 'removed':
    case 'released':
      return state;
  }
}

/** What is there, seen again or anew. What a watch tells may be older than what was read. */
function sighting(
  before: Sighting | undefined,
  { version, record }: Omit<Sighting, 'since'>,
  at: Moment,
): Sighting {
  const isOld = before !== undefined && version > 0 && version <= before.version;
  return isOld ? before : { version, record, since: at };
}

/** An acknowledgement that comes too late is of no use, but says that nobody else has it. */
function granted(
  { version, sentAt }: { readonly version: number; readonly sentAt: Moment },
  at: Moment,
  terms: LeaseTerms,
): LeaseState {
  const common = { version, isFresh: true, pausedUntilMs: -Infinity };
  const held: Held = { phase: 'held', token: version, sentAt, lookedAt: at, ...common };
  if (remainingMs(held, at, terms) > 0) return held;
  return newContender();
}

function planToTake(
  { seen, isFresh, pausedUntilMs }: Contending,
  { monotonicMs }: Moment,
  { nonce }: LeaseTerms,
): LeasePlan {
  if (monotonicMs < pausedUntilMs) return { ...nothing, lookInMs: pausedUntilMs - monotonicMs };
  if (seen === undefined || !isFresh) return { ...nothing, ask: 'read' };
  const { version, record, since } = seen;
  const isFree = record === undefined || record.nonce === nonce;
  const waitMs = isFree ? 0 : since.monotonicMs + record.ttlMs - monotonicMs;
  return waitMs > 0 ? { ...nothing, lookInMs: waitMs } : { ...nothing, ask: 'write', version };
}

// ── holding ──────────────────────────────────────────────────────────────────

function endOf(state: Held, at: Moment, terms: LeaseTerms): LeaseEnd | undefined {
  if (remainingMs(state, at, terms) === 0) return 'expired';
  // It looks each eighth: so long without a look, and whatever runs here has been held up for as long.
  return elapsedMs(state.lookedAt, at) > terms.ttlMs / 4 ? 'stalled' : undefined;
}

function kept(
  held: Held,
  event: LeaseEvent,
  { at, terms }: { readonly at: Moment; readonly terms: LeaseTerms },
): LeaseState {
  const state = { ...held, lookedAt: at };
  switch (event.kind) {
    case 'written':
      return { ...state, version: event.version, sentAt: event.sentAt, isFresh: true };
    case 'found':
      // Only an acknowledged write gives time: which of several this one is nobody knows.
      if (event.record?.nonce !== terms.nonce) return over(state, 'taken');
      return { ...state, version: event.version, isFresh: true };
    case 'refused':
      return { ...state, isFresh: false };
    case 'failed':
      return { ...state, isFresh: false, pausedUntilMs: at.monotonicMs + retryMs(terms) };
    case 'looked':
    case 'poked':
    case 'removed':
    case 'released':
      return state;
  }
}

function planToKeep(state: Held, at: Moment, terms: LeaseTerms): LeasePlan {
  const lookInMs = Math.min(terms.ttlMs / 8, remainingMs(state, at, terms));
  const later = { ask: undefined, version: state.version, lookInMs };
  if (at.monotonicMs < state.pausedUntilMs) return later;
  if (!state.isFresh) return { ...later, ask: 'read' };
  return elapsedMs(state.sentAt, at) < terms.ttlMs / 4 ? later : { ...later, ask: 'write' };
}

function retryMs({ ttlMs }: LeaseTerms): number {
  return ttlMs / 16;
}

// ── the end ──────────────────────────────────────────────────────────────────

function over(state: Contending | Held, end: LeaseEnd): Over {
  const isLeft = end === 'released';
  const common = { phase: 'over', end, isLeft, triesLeft: cleaningTries } as const;
  if (state.phase === 'contending') {
    // What it was told last is another's; of what it has not been told yet it hears.
    return { ...common, cleaning: isLeft && !state.isFresh ? 'read' : undefined, version: 0 };
  }
  const first = state.isFresh ? 'remove' : 'read';
  return { ...common, cleaning: isLeft ? first : undefined, version: state.version };
}

/** What it may have written is removed by whoever is done. If that fails, the others wait for the end of its time. */
function cleaned(state: Over, event: LeaseEvent, { nonce }: LeaseTerms): Over {
  switch (event.kind) {
    case 'released':
      return { ...state, isLeft: true, cleaning: 'read' };
    case 'written':
      return { ...state, cleaning: state.isLeft ? 'remove' : undefined, version: event.version };
    case 'found': {
      const isOurs = event.record?.nonce === nonce;
      return { ...state, cleaning: isOurs ? 'remove' : undefined, version: event.version };
    }
    case 'refused':
    case 'failed': {
      const triesLeft = state.triesLeft - 1;
      const cleaning = state.isLeft && triesLeft > 0 ? 'read' : undefined;
      return { ...state, cleaning, triesLeft };
    }
    case 'removed':
      return { ...state, cleaning: undefined };
    case 'looked':
    case 'poked':
      return state;
  }
}

import { byKey, type Operation, type Request } from './operation.ts';

/** What a search for a linear order has found. */
export type LinearVerdict =
  | { readonly verdict: 'linearizable'; readonly states: number }
  /** `at` could not be placed, whatever order was tried for those before. */
  | {
      readonly verdict: 'violation';
      readonly key: string;
      readonly at: Operation;
      readonly states: number;
    }
  /** The search was given up: that says nothing, and is never a pass. */
  | { readonly verdict: 'undecided'; readonly key: string; readonly states: number };

export interface LinearOptions {
  /** What each register holds at first. @defaultValue undefined */
  readonly initial?: string;
  /** Configurations that are looked at for one key before the search is given up. @defaultValue 2_000_000 */
  readonly statesMax?: number;
}

/**
 * Whether a history is linearizable: whether each operation can have taken effect at one moment between its
 * call and its reply. Keys are searched one by one: a history is linearizable if that of each key is.
 *
 * Give every write a value of its own. With few values a wrong history mostly has some right order, too, and
 * passes. Up to ten clients and a thousand operations a key are decided at once; more clients may not be.
 *
 * Source: Wing and Gong 1993; Lowe 2017, "Testing for linearizability" (configurations seen before, keys apart).
 */
export function checkLinearizable(
  history: readonly Operation[],
  { initial, statesMax = 2_000_000 }: LinearOptions = {},
): LinearVerdict {
  let states = 0;
  for (const [key, operations] of byKey(history)) {
    const found = new Search(operations, initial).run(statesMax);
    states += found.states;
    if (found.verdict === 'linearizable') continue;
    return { ...found, key, states };
  }
  return { verdict: 'linearizable', states };
}

type Value = string | undefined;

/** A call or a reply in the order of time. Those of operations that have been placed are cut out. */
interface Event {
  /** Of its operation, by the time of their calls; -1 for both ends of the list. */
  readonly index: number;
  readonly isCall: boolean;
  /** Of a call, its reply, if there was one. */
  reply: Event | undefined;
  before: Event;
  after: Event;
}

/** An operation that has been placed, and what was before. */
interface Placed {
  readonly call: Event;
  readonly value: Value;
  readonly highest: number;
  /** It changes nothing wherever it is placed: to place it later would not help either. */
  readonly isPure: boolean;
}

type KeyVerdict =
  | { readonly verdict: 'linearizable' | 'undecided'; readonly states: number }
  | { readonly verdict: 'violation'; readonly at: Operation; readonly states: number };

/** Tries the orders of the operations on one register, the earliest calls first. */
class Search {
  readonly #operations: readonly Operation[];
  readonly #head = end();
  readonly #seen = new Set<string>();
  readonly #stack: Placed[] = [];
  #value: Value;
  /** The latest call that has been placed. */
  #highest = -1;
  /** Operations with a reply that are still to be placed. */
  #left: number;
  /** The reply that was in the way when fewest were left. */
  #obstacle: { readonly left: number; readonly index: number };

  constructor(operations: readonly Operation[], initial: Value) {
    // What was read and not told says nothing.
    this.#operations = operations
      .filter(({ request, reply }) => reply !== 'unknown' || request.kind !== 'read')
      .toSorted((a, b) => a.calledAt - b.calledAt);
    this.#value = initial;
    this.#left = this.#operations.filter(({ reply }) => reply !== 'unknown').length;
    this.#obstacle = { left: Infinity, index: 0 };
    chain(this.#head, eventsOf(this.#operations));
  }

  run(statesMax: number): KeyVerdict {
    let event = this.#head.after;
    while (this.#left > 0) {
      const { size: states } = this.#seen;
      if (states >= statesMax) return { verdict: 'undecided', states };
      const next = event.isCall ? this.#place(event) : this.#meet(event);
      if (next === undefined) {
        const at = this.#operations[this.#obstacle.index] as Operation;
        return { verdict: 'violation', at, states };
      }
      event = next;
    }
    return { verdict: 'linearizable', states: this.#seen.size };
  }

  /**
   * Lets an operation be the next one, if it fits and that leads to where the search has not been. Returns
   * what to look at next; undefined when nothing is left to be tried.
   */
  #place(call: Event): Event | undefined {
    const operation = this.#operations[call.index] as Operation;
    const step = apply(this.#value, operation.request, operation.reply);
    if (step === undefined) return call.after;
    cutOut(call);
    const isPure = changesNothing(operation);
    const highest = Math.max(this.#highest, call.index);
    const configuration = this.#configuration(highest, step.value);
    if (this.#seen.has(configuration)) {
      putBack(call);
      return isPure ? this.#back() : call.after;
    }
    this.#seen.add(configuration);
    this.#stack.push({ call, value: this.#value, highest: this.#highest, isPure });
    this.#value = step.value;
    this.#highest = highest;
    if (operation.reply !== 'unknown') this.#left--;
    return this.#head.after;
  }

  /** An operation had its reply, and has not been placed: something before must be otherwise. */
  #meet({ index }: Event): Event | undefined {
    if (this.#left < this.#obstacle.left) this.#obstacle = { left: this.#left, index };
    return this.#back();
  }

  /** Takes back the last one that could as well come later. Returns the call to be tried in its place. */
  #back(): Event | undefined {
    for (let last = this.#stack.pop(); last !== undefined; last = this.#stack.pop()) {
      const { call, value, highest, isPure } = last;
      putBack(call);
      this.#value = value;
      this.#highest = highest;
      if (this.#operations[call.index]?.reply !== 'unknown') this.#left++;
      if (!isPure) return call.after;
    }
    return undefined;
  }

  /** The value, and which operations have been placed: all up to the latest, but those named. */
  #configuration(highest: number, value: Value): string {
    const open: number[] = [];
    for (let each = this.#head.after; each.index >= 0; each = each.after) {
      if (!each.isCall) continue;
      if (each.index > highest) break;
      open.push(each.index);
    }
    return `${highest}|${open.join()}|${value === undefined ? '' : `=${value}`}`;
  }
}

/** A read, or a compare-and-set that missed. A write of what is there already may be needed later. */
function changesNothing({ request, reply }: Operation): boolean {
  return request.kind === 'read' || (reply !== 'unknown' && reply.output === false);
}

/** What the register holds after an operation; undefined when that cannot have had such a reply. */
function apply(
  value: Value,
  request: Request,
  reply: Operation['reply'],
): { readonly value: Value } | undefined {
  switch (request.kind) {
    case 'read':
      return reply !== 'unknown' && reply.output === value ? { value } : undefined;
    case 'write':
      return { value: request.value };
    case 'compare-and-set': {
      const isHit = value === request.expected;
      // One that misses changes nothing: as if it had never been.
      if (reply === 'unknown') return isHit ? { value: request.value } : undefined;
      if (reply.output !== isHit) return undefined;
      return { value: isHit ? request.value : value };
    }
  }
}

// ── the list of events ───────────────────────────────────────────────────────

function eventsOf(operations: readonly Operation[]): readonly Event[] {
  const events = operations.flatMap(({ calledAt, reply }, index) => {
    const call = newEvent(index, true);
    if (reply === 'unknown') return [{ at: calledAt, event: call }];
    call.reply = newEvent(index, false);
    return [
      { at: calledAt, event: call },
      { at: reply.at, event: call.reply },
    ];
  });
  // What happened at the same moment may have overlapped: calls come first.
  return events
    .toSorted((a, b) => a.at - b.at || Number(b.event.isCall) - Number(a.event.isCall))
    .map(({ event }) => event);
}

function newEvent(index: number, isCall: boolean): Event {
  const event = { index, isCall, reply: undefined } as Omit<Event, 'before' | 'after'> & Event;
  event.before = event;
  event.after = event;
  return event;
}

function end(): Event {
  return newEvent(-1, false);
}

/** Puts events behind the head of a list, which is a ring. */
function chain(head: Event, events: readonly Event[]): void {
  for (const event of events) {
    const last = head.before;
    event.before = last;
    event.after = head;
    last.after = event;
    head.before = event;
  }
}

function cutOut(call: Event): void {
  for (const event of call.reply === undefined ? [call] : [call, call.reply]) {
    event.before.after = event.after;
    event.after.before = event.before;
  }
}

/** Undoes {@link cutOut}; those cut out later must have been put back before. */
function putBack(call: Event): void {
  for (const event of call.reply === undefined ? [call] : [call.reply, call]) {
    event.before.after = event;
    event.after.before = event;
  }
}

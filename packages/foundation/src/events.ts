import { channel } from 'node:diagnostics_channel';

import { messageOf } from './errors.ts';
import type { ExitReason } from './process/exit.ts';
import type { Pid } from './process/pid.ts';

/** What a node tells about itself, by name; the same names with the prefix `foundation:` are diagnostics channels. */
export interface NodeEvents {
  spawn: { readonly pid: Pid; readonly who: string };
  exit: { readonly pid: Pid; readonly who: string; readonly reason: ExitReason };
  crash: { readonly pid: Pid; readonly who: string; readonly error: string };
  restart: { readonly who: string; readonly reason: ExitReason };
  'gave-up': { readonly who: string; readonly restartsMax: number };
  abandoned: { readonly pid: Pid; readonly who: string; readonly shutdownMs: number };
  /** A handler has not settled for `afterMs` milliseconds. */
  stuck: { readonly pid: Pid; readonly who: string; readonly afterMs: number };
  overflow: { readonly pid: Pid; readonly rule: string; readonly kind: string };
  'unknown-message': { readonly pid: Pid; readonly message: string };
  'invalid-message': { readonly pid: Pid; readonly message: string; readonly why: string };
  'member-up': { readonly node: string; readonly incarnation: number };
  'member-down': { readonly node: string; readonly incarnation: number; readonly reason: string };
  refused: { readonly code: string; readonly message: string };
  failover: { readonly name: string; readonly from: string; readonly to: string };
  'name-conflict': { readonly name: string; readonly winner: Pid; readonly loser: Pid };
  problem: { readonly what: string; readonly error: unknown };
}

type Listener<Name extends keyof NodeEvents> = (event: NodeEvents[Name]) => void;

/** Events of one node: to its own listeners, and to `node:diagnostics_channel` for everybody. */
export class Events {
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  on<Name extends keyof NodeEvents>(name: Name, listener: Listener<Name>): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  emit<Name extends keyof NodeEvents>(name: Name, event: NodeEvents[Name]): void {
    // Listeners are kept by the name whose events they take.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    for (const listener of this.#listeners.get(name) ?? []) tell(listener as Listener<Name>, event);
    const published = channel(`foundation:${name}`);
    if (published.hasSubscribers) published.publish(event);
  }
}

/** A listener that throws must not disturb what it listens to; it is warned of. */
export function tell<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    listener(event);
  } catch (error) {
    process.emitWarning(`a listener threw: ${messageOf(error)}`);
  }
}

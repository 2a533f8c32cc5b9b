import { channel, type Channel } from 'node:diagnostics_channel';

import { runForNobody } from './context/scope.ts';
import { messageOf } from './errors.ts';
import { checkChoice, invalidOption } from './options.ts';
import type { ExitReason } from './process/exit.ts';
import type { Pid } from './process/pid.ts';

/** What a node tells about itself, by name; the same names with the prefix `foundation:` are diagnostics channels. */
export interface NodeEvents {
  spawn: { readonly pid: Pid; readonly who: string };
  exit: { readonly pid: Pid; readonly who: string; readonly reason: ExitReason };
  crash: {
    readonly pid: Pid;
    readonly who: string;
    readonly error: string;
    /** Where it was thrown; undefined for what is no error. */
    readonly stack: string | undefined;
  };
  /** A supervisor is about to start a child again, after `delayMs` milliseconds. */
  restart: {
    readonly node: string;
    readonly who: string;
    readonly child: string;
    readonly reason: ExitReason;
    readonly delayMs: number;
  };
  /** A child failed too often: its supervisor goes on without it. */
  quarantine: {
    readonly node: string;
    readonly who: string;
    readonly child: string;
    readonly reason: ExitReason;
    readonly error: string;
  };
  'gave-up': { readonly node: string; readonly who: string; readonly restartsMax: number };
  /** A child did not end in time: left behind inline, or terminated with its thread. */
  abandoned: {
    readonly pid: Pid;
    readonly who: string;
    readonly shutdownMs: number;
    readonly how: 'abandoned' | 'terminated';
  };
  /** A handler has not settled for `afterMs` milliseconds. */
  stuck: { readonly pid: Pid; readonly who: string; readonly afterMs: number };
  overflow: { readonly pid: Pid; readonly rule: string; readonly kind: string };
  /** The event loop is later than `lagMaxMs` allows, or is not any more. */
  overload: { readonly node: string; readonly lagMs: number; readonly isShedding: boolean };
  'unknown-message': { readonly pid: Pid; readonly message: string };
  'invalid-message': { readonly pid: Pid; readonly message: string; readonly why: string };
  'invalid-reply': { readonly pid: Pid; readonly message: string; readonly why: string };
  /** A worker thread has ended with the processes in it. */
  'thread-lost': {
    readonly node: string;
    readonly thread: number;
    readonly group: string | undefined;
    readonly why: string;
    /** The process that was at work, where it is known to be the cause. */
    readonly pid: Pid | undefined;
  };
  'member-up': { readonly node: string; readonly incarnation: number };
  /** A member is suspect now, or up again; `link` and `isSilent` tell why. */
  'member-changed': {
    readonly node: string;
    readonly incarnation: number;
    readonly status: 'up' | 'suspect';
    readonly link: 'up' | 'lost' | 'reset';
    readonly isSilent: boolean;
  };
  'member-down': { readonly node: string; readonly incarnation: number; readonly reason: string };
  refused: { readonly code: string; readonly message: string };
  failover: { readonly name: string; readonly from: string; readonly to: string };
  'name-conflict': { readonly name: string; readonly winner: Pid; readonly loser: Pid };
  problem: { readonly what: string; readonly error: unknown };
}

/** What listens to events of one name. */
export type EventListener<Name extends keyof NodeEvents> = (event: NodeEvents[Name]) => void;

// Held here: the channels themselves are kept by whoever uses them only.
const channels: Readonly<Record<keyof NodeEvents, Channel>> = {
  spawn: channel('foundation:spawn'),
  exit: channel('foundation:exit'),
  crash: channel('foundation:crash'),
  restart: channel('foundation:restart'),
  quarantine: channel('foundation:quarantine'),
  'gave-up': channel('foundation:gave-up'),
  abandoned: channel('foundation:abandoned'),
  stuck: channel('foundation:stuck'),
  overflow: channel('foundation:overflow'),
  overload: channel('foundation:overload'),
  'unknown-message': channel('foundation:unknown-message'),
  'invalid-message': channel('foundation:invalid-message'),
  'invalid-reply': channel('foundation:invalid-reply'),
  'thread-lost': channel('foundation:thread-lost'),
  'member-up': channel('foundation:member-up'),
  'member-changed': channel('foundation:member-changed'),
  'member-down': channel('foundation:member-down'),
  refused: channel('foundation:refused'),
  failover: channel('foundation:failover'),
  'name-conflict': channel('foundation:name-conflict'),
  problem: channel('foundation:problem'),
};

/**
 * Listens to an event of every node of this program, also of those that start later: the diagnostics
 * channel `foundation:NAME`, with its type.
 */
export function onNodeEvent<Name extends keyof NodeEvents>(
  name: Name,
  listener: EventListener<Name>,
): Disposable {
  checkListener('onNodeEvent', name, listener);
  // What is published under a name is that event, see `emit`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const tellIt = (event: unknown): void => tell(listener, event as NodeEvents[Name]);
  channels[name].subscribe(tellIt);
  return {
    [Symbol.dispose]: () => {
      channels[name].unsubscribe(tellIt);
    },
  };
}

/** @throws FoundationError `INVALID_OPTION` */
function checkListener(who: string, name: unknown, listener: unknown): void {
  checkChoice(who, { name }, Object.keys(channels));
  if (typeof listener !== 'function') throw invalidOption(who, { listener }, 'a function');
}

/** Events of one node: to its own listeners, and to `node:diagnostics_channel` for everybody. */
export class Events {
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  on<Name extends keyof NodeEvents>(name: Name, listener: EventListener<Name>): Disposable {
    checkListener('events.on', name, listener);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  /** Whether anybody listens: what an event tells need not be put together for nobody. */
  isHeard(name: keyof NodeEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0 || channels[name].hasSubscribers;
  }

  emit<Name extends keyof NodeEvents>(name: Name, event: NodeEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      // Listeners are kept by the name whose events they take.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      tell(listener as EventListener<Name>, event);
    }
    if (channels[name].hasSubscribers) channels[name].publish(event);
  }
}

/**
 * Tells a listener. What it does is not done for whoever set the event off; one that throws must not
 * disturb what it listens to, and is warned of.
 */
export function tell<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    runForNobody(() => listener(event));
  } catch (error) {
    process.emitWarning(`a listener threw: ${messageOf(error)}`);
  }
}

import type { Timer } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import type { AnyDefinition } from './definition.ts';
import type { Exit } from './exit.ts';
import { fresh } from './fresh.ts';
import type { Pid } from './pid.ts';
import type { HeldLease, Process } from './process.ts';
import type { Restart, Streak } from './restart-state.ts';
import type { Listing } from './runtime.ts';

/** How a child is started and kept. */
export interface ChildOptions extends Listing {
  readonly name?: string | undefined;
  /** @defaultValue 'permanent' */
  readonly restart?: Restart;
  /** Milliseconds to end by itself when asked to, before it is abandoned. @defaultValue 5000; a supervisor's: none */
  readonly shutdownMs?: number;
}

/** A child of a supervisor: made by {@link child}. */
export interface ChildSpec {
  readonly definition: AnyDefinition;
  readonly options: ChildOptions & {
    readonly init?: unknown;
    /** The lease under which it runs, of a strong singleton. */
    readonly lease?: HeldLease;
  };
}

/** `waiting`: to be started again, after its backoff. `quarantined`: it failed too often. */
export type ChildStatus = 'starting' | 'running' | 'waiting' | 'quarantined' | 'stopped';

/** A child as `supervisor.children()` shows it. */
export interface ChildInfo {
  /** What it is called among its siblings: its name, otherwise its definition's with a number. */
  readonly id: string;
  readonly process: string;
  readonly name: string | undefined;
  readonly pid: Pid | undefined;
  readonly status: ChildStatus;
  readonly restart: Restart;
  readonly restarts: number;
  /** Why it ended last, if it did. */
  readonly lastExit: string | undefined;
}

/** A child inside its supervisor. */
export interface Child extends ChildSpec {
  readonly id: string;
  readonly behaviour: Behaviour;
  readonly restart: Restart;
  readonly shutdownMs: number;
  pid: Pid | undefined;
  status: ChildStatus;
  restarts: number;
  streak: Streak;
  /** Its own restarts in the window, for its quarantine. */
  restartTimes: readonly number[];
  lastExit: Exit | undefined;
  /** Until it is started again. */
  wait: Wait | undefined;
}

/** One wait of a child; what stops the child makes it void. */
export interface Wait {
  readonly child: Child;
  timer: Timer | undefined;
}

export function newChild(spec: ChildSpec, id: string): Child {
  const { options } = spec;
  const behaviour = behaviourOf(spec.definition);
  const isSupervisor = behaviour.spec.start !== undefined;
  return {
    ...spec,
    id,
    behaviour,
    restart: options.restart ?? 'permanent',
    shutdownMs: options.shutdownMs ?? (isSupervisor ? Infinity : 5_000),
    pid: undefined,
    status: 'stopped',
    restarts: 0,
    streak: { count: 0, startedAt: -Infinity },
    restartTimes: [],
    lastExit: undefined,
    wait: undefined,
  };
}

export function infoOf(child: Child): ChildInfo {
  const { id, behaviour, options, pid, status, restart, restarts, lastExit } = child;
  return {
    id,
    process: behaviour.name,
    name: options.name,
    pid,
    status,
    restart,
    restarts,
    lastExit: lastExit && exitText(lastExit),
  };
}

/** Why something ended, in a few words. */
export function exitText({ reason, error }: Exit): string {
  return error === undefined ? reason : `${reason}: ${messageOf(error)}`;
}

/** Starts a child of a supervisor, wherever its definition wants to run. */
export async function startChild(supervisor: Process, child: Child): Promise<Pid> {
  const { runtime, pid, relations } = supervisor;
  child.status = 'starting';
  try {
    const own = await runtime.spawner(child.behaviour, startOptions(child), pid);
    child.pid = own;
    child.status = 'running';
    child.streak = { ...child.streak, startedAt: runtime.clock.now() };
    relations.link(own);
    return own;
  } catch (error) {
    child.status = 'stopped';
    child.lastExit = { reason: 'start_failed', error };
    // It has not run since its last good start: the row goes on, however long ago that was.
    child.streak = { ...child.streak, startedAt: runtime.clock.now() };
    throw error;
  }
}

function startOptions({ options, restarts }: Child): ChildSpec['options'] & { restarts: number } {
  // What one life has made of it is not what the next begins with.
  return { ...options, init: fresh(options.init), restarts };
}

/** Stops a child and waits for its end; after its limit it is left behind, or its thread is ended. */
export async function stopChild(supervisor: Process, child: Child): Promise<void> {
  const { pid } = child;
  const { runtime, relations, isAlive } = supervisor;
  child.wait?.timer?.cancel();
  child.wait = undefined;
  // A supervisor that was killed hears nothing any more; its links have told its children.
  child.status = 'stopped';
  if (pid === undefined || !isAlive) return;
  child.pid = undefined;
  const ended = new Promise<void>((resolve) => {
    relations.monitor(pid, () => resolve());
  });
  runtime.signal(pid, { kind: 'stop', exit: { reason: 'shutdown' } });
  if (await isWithin(supervisor, ended, child.shutdownMs)) return;
  const how = await runtime.abandon(pid);
  const { shutdownMs, behaviour } = child;
  runtime.events.emit('abandoned', { pid, who: behaviour.name, shutdownMs, how });
}

/** Whether something happens in time. */
export async function isWithin(
  { runtime }: Process,
  ended: Promise<void>,
  limitMs: number,
): Promise<boolean> {
  if (limitMs === Infinity) return ended.then(() => true);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = runtime.clock.after(limitMs, () => resolve(false));
  void ended.then(() => resolve(true));
  const isEnded = await promise;
  timer.cancel();
  return isEnded;
}

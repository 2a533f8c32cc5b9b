import { isFoundationError } from '../errors.ts';
import {
  behaviourOf,
  compileInternal,
  type AnyDefinition,
  type Behaviour,
  type Definition,
  type Notice,
} from './definition.ts';
import type { Exit } from './exit.ts';
import type { Pid } from './pid.ts';
import type { ProcessContext } from './process-context.ts';
import type { Process } from './process.ts';
import {
  admitRestart,
  sharedFate,
  wantsRestart,
  type Intensity,
  type Restart,
  type Strategy,
} from './restart-state.ts';
import type { Listing } from './runtime.ts';
import { checkChild, checkSupervisor } from './supervisor-check.ts';

/** How a child is started and kept. */
export interface ChildOptions extends Listing {
  readonly name?: string;
  /** @defaultValue 'permanent' */
  readonly restart?: Restart;
  /** Milliseconds to end by itself when asked to, before it is abandoned. @defaultValue 5000; a supervisor's: none */
  readonly shutdownMs?: number;
}

/** A child of a supervisor: made by {@link child}. */
export interface ChildSpec {
  readonly definition: AnyDefinition;
  readonly options: ChildOptions & { readonly init?: unknown };
}

type ChildArgs<I> = undefined extends I
  ? [options?: ChildOptions & { readonly init?: I }]
  : [options: ChildOptions & { readonly init: I }];

/** Describes a child: which process, with which `init`, and how it is kept. */
export function child<I, A>(process: Definition<I, A>, ...options: ChildArgs<I>): ChildSpec {
  return { definition: process, options: options[0] ?? {} };
}

/** Which children a supervisor has, and when it gives up. */
export interface SupervisorOptions extends Partial<Intensity> {
  /** @defaultValue 'one-for-one' */
  readonly strategy?: Strategy;
  /** Started in this order, stopped in reverse. */
  readonly children: readonly (ChildSpec | AnyDefinition)[];
}

/** What a supervisor does unless told otherwise. */
export const supervisorDefaults: Intensity & { readonly strategy: Strategy } = {
  restartsMax: 3,
  restartWindowMs: 5_000,
  strategy: 'one-for-one',
};

/** A child as `supervisor.children()` shows it. */
export interface ChildInfo {
  readonly process: string;
  readonly name: string | undefined;
  readonly pid: Pid | undefined;
  readonly restart: Restart;
  readonly restarts: number;
}

interface SupervisorApi {
  readonly calls: { readonly children: () => readonly ChildInfo[] };
}

/**
 * Defines a process that keeps others alive. More than `restartsMax` restarts within
 * `restartWindowMs` end it with its children, in reverse start order.
 *
 * @throws FoundationError `INVALID_OPTION` naming the option that is wrong.
 */
export function defineSupervisor(
  name: string,
  options: SupervisorOptions,
): Definition<void, SupervisorApi> {
  checkSupervisor(name, options);
  const limits = { ...supervisorDefaults, ...options, keeps: 'children' as const };
  return supervise(name, limits, options.children.map(toChild));
}

function supervise(name: string, limits: Limits, children: readonly ChildSpec[]): Behaviour {
  for (const each of children) checkChild(each);
  return compileInternal(name, {
    trapExits: true,
    start: (process: Process) => Supervisor.start(process, limits, children),
    calls: { children: (ctx) => supervisorOf(ctx).children() },
    info: { exit: (ctx, notice) => supervisorOf(ctx).onExit(notice as Notice) },
    terminate: (ctx) => supervisorOf(ctx).stopAll(),
  });
}

/** Whether a definition is a supervisor's. */
export function isSupervisor(definition: AnyDefinition): boolean {
  return behaviourOf(definition).spec.start !== undefined;
}

function toChild(given: ChildSpec | AnyDefinition): ChildSpec {
  return 'definition' in given ? given : { definition: given, options: {} };
}

function supervisorOf(ctx: unknown): Supervisor {
  return (ctx as ProcessContext).state as Supervisor;
}

/** Starts a child anywhere on this node and tells its address. */
export type Spawner = (
  behaviour: Behaviour,
  options: ChildSpec['options'],
  // oxlint-disable-next-line eslint/max-params -- the parent belongs to the start, not to the spec
  linkTo: Pid | undefined,
) => Promise<Pid>;

/** What a keeper keeps: a process of this node, or one that may live on elsewhere. */
export type Kept = 'local' | 'singleton';

/** What the state of a {@link keeper} tells. */
export interface KeptChild {
  firstPid(): Pid;
}

/** A supervisor of a single process, which ends when that process has ended for good. */
export function keeper(
  spec: ChildSpec,
  { intensity, keeps }: { readonly intensity?: Intensity | undefined; readonly keeps: Kept },
): Behaviour {
  const limits: Limits = { ...supervisorDefaults, ...intensity, keeps };
  return supervise(`keeper of ${spec.definition.name}`, limits, [spec]);
}

interface Limits extends Intensity {
  readonly strategy: Strategy;
  readonly keeps: 'children' | Kept;
}

interface Child extends ChildSpec {
  readonly behaviour: Behaviour;
  readonly restart: Restart;
  readonly shutdownMs: number;
  pid: Pid | undefined;
  restarts: number;
}

class Supervisor implements KeptChild {
  readonly #process: Process;
  readonly #limits: Limits;
  #children: Child[];
  #restartTimes: readonly number[] = [];

  private constructor(process: Process, limits: Limits, specs: readonly ChildSpec[]) {
    this.#process = process;
    this.#limits = limits;
    this.#children = specs.map(newChild);
  }

  static async start(
    process: Process,
    limits: Limits,
    specs: readonly ChildSpec[],
  ): Promise<Supervisor> {
    const supervisor = new Supervisor(process, limits, specs);
    try {
      for (const each of supervisor.#children) await supervisor.#start(each);
    } catch (error) {
      await supervisor.stopAll();
      throw error;
    }
    return supervisor;
  }

  children(): readonly ChildInfo[] {
    return this.#children.map((each) => ({
      process: each.behaviour.name,
      name: each.options.name,
      pid: each.pid,
      restart: each.restart,
      restarts: each.restarts,
    }));
  }

  /** A linked process ended: a child, or one that is none any more. */
  async onExit(told: Notice): Promise<void> {
    const notice = this.#limits.keeps === 'singleton' ? asLossOfName(told) : told;
    const failed = this.#children.findIndex((each) => each.pid?.place === notice.pid.place);
    const gone = this.#children[failed];
    if (gone === undefined) return;
    gone.pid = undefined;
    if (wantsRestart(gone.restart, notice)) await this.#restartFrom(failed, notice);
    else if (gone.restart === 'temporary') this.#children.splice(failed, 1);
    const isLast = this.#children.every(({ pid }) => pid === undefined);
    if (isLast && this.#limits.keeps !== 'children') this.#process.stop(endOfKeeper(notice));
  }

  firstPid(): Pid {
    return this.#children[0]?.pid ?? this.#process.pid;
  }

  async stopAll(): Promise<void> {
    for (const each of this.#children.toReversed()) await this.#stop(each);
  }

  async #restartFrom(failed: number, notice: Notice): Promise<void> {
    const fate = sharedFate(this.#limits.strategy, this.#children.length, failed);
    const affected = fate.flatMap((index) => this.#children[index] ?? []);
    for (const each of affected.toReversed()) await this.#stop(each);
    const kept = affected.filter((each) => each.restart !== 'temporary');
    this.#children = this.#children.filter(
      (each) => kept.includes(each) || !affected.includes(each),
    );
    let isAdmitted = this.#admit(notice);
    for (let index = 0; isAdmitted && index < kept.length;) {
      const each = kept[index] as Child;
      try {
        await this.#start(each);
        each.restarts++;
        index++;
      } catch (error) {
        // A restart that fails counts as another one, and is tried again until the limit is passed.
        isAdmitted = this.#admit({ pid: notice.pid, reason: 'start_failed', error });
      }
    }
    if (!isAdmitted) this.#process.stop({ reason: 'shutdown' });
  }

  #admit(notice: Notice): boolean {
    const { runtime } = this.#process;
    const admitted = admitRestart(this.#restartTimes, runtime.clock.now(), this.#limits);
    const who = this.#process.describe();
    if (admitted === undefined) {
      runtime.events.emit('gave-up', { who, restartsMax: this.#limits.restartsMax });
      return false;
    }
    this.#restartTimes = admitted;
    runtime.events.emit('restart', { who, reason: notice.reason });
    return true;
  }

  async #start(each: Child): Promise<void> {
    const { runtime, pid, relations } = this.#process;
    each.pid = await runtime.spawner(each.behaviour, each.options, pid);
    relations.link(each.pid);
  }

  async #stop(each: Child): Promise<void> {
    const { pid } = each;
    const { runtime, relations, isAlive } = this.#process;
    // A supervisor that was killed hears nothing any more; its links have told its children.
    if (pid === undefined || !isAlive) return;
    each.pid = undefined;
    const ended = new Promise<void>((resolve) => {
      relations.monitor(pid, resolve);
    });
    runtime.signal(pid, { kind: 'stop', exit: { reason: 'shutdown' } });
    if (await this.#within(ended, each.shutdownMs)) return;
    runtime.events.emit('abandoned', {
      pid,
      who: each.behaviour.name,
      shutdownMs: each.shutdownMs,
    });
    await runtime.abandon(pid);
  }

  async #within(ended: Promise<void>, limitMs: number): Promise<boolean> {
    if (limitMs === Infinity) return ended.then(() => true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = this.#process.runtime.clock.after(limitMs, () => resolve(false));
    void ended.then(() => resolve(true));
    const isEnded = await promise;
    timer.cancel();
    return isEnded;
  }
}

/** A singleton whose state another holder has written is not the one any more: it must not take it back. */
function asLossOfName(notice: Notice): Notice {
  const isLost = isFoundationError(notice.error) && notice.error.code === 'STORE_CONFLICT';
  return isLost ? { ...notice, reason: 'name_conflict' } : notice;
}

/** A keeper ends like its child where others must know: its name lives on elsewhere. */
function endOfKeeper({ reason }: Notice): Exit {
  return { reason: reason === 'name_conflict' ? reason : 'normal' };
}

function newChild(spec: ChildSpec): Child {
  const { options } = spec;
  const shutdownMs = options.shutdownMs ?? (isSupervisor(spec.definition) ? Infinity : 5_000);
  return {
    ...spec,
    behaviour: behaviourOf(spec.definition),
    restart: options.restart ?? 'permanent',
    shutdownMs,
    pid: undefined,
    restarts: 0,
  };
}

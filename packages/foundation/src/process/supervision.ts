import { isFoundationError } from '../errors.ts';
import { Failure, refuse, type Refused } from './answer.ts';
import {
  exitText,
  infoOf,
  newChild,
  startChild,
  stopChild,
  type Child,
  type ChildInfo,
  type ChildSpec,
  type Wait,
} from './child.ts';
import type { Notice } from './definition.ts';
import { Note } from './envelope.ts';
import { processDown, type Exit } from './exit.ts';
import type { Process } from './process.ts';
import {
  admitRestart,
  backoffMs,
  restartsInARow,
  sharedFate,
  wantsRestart,
  type Backoff,
  type Intensity,
  type OnExceeded,
  type Strategy,
} from './restart-state.ts';

/**
 * What a keeper keeps: a process of this node, or one that may live on elsewhere; its end is the keeper's. `lasting`: a
 * keeper that stays when its process has ended, and starts it when told to.
 */
export type Kept = 'local' | 'singleton' | 'lasting';

/** When children are started again, and what happens when they fail too often. */
export interface RestartRules extends Intensity {
  readonly backoff: Backoff | 'off';
  readonly onExceeded: OnExceeded;
}

export interface SupervisionLimits extends RestartRules {
  readonly strategy: Strategy;
  readonly keeps: 'children' | Kept;
  /** Told whenever a child has come to another status. */
  readonly onChange?: ((child: ChildInfo) => void) | undefined;
}

/**
 * Judges failing children: counts restarts, for the supervisor or for each child where failing ones
 * are put in quarantine, and makes those wait that fail again and again.
 */
export class RestartJudge {
  readonly #process: Process;
  readonly #rules: RestartRules;
  #restartTimes: readonly number[] = [];

  constructor(process: Process, rules: RestartRules) {
    this.#process = process;
    this.#rules = rules;
  }

  /** Milliseconds to wait before the child is started again; otherwise what is to be done. */
  judge(child: Child, exit: Exit): number | OnExceeded {
    const { runtime } = this.#process;
    const { backoff, restartWindowMs } = this.#rules;
    const now = runtime.clock.now();
    if (!this.#admits(child, now)) return this.#exceeded(child, exit);
    const count = restartsInARow(child.streak, now, restartWindowMs);
    child.streak = { ...child.streak, count };
    const delayMs = backoffMs(count, backoff, runtime.random);
    runtime.counters.restarts++;
    this.#tell(child, exit, delayMs);
    return delayMs;
  }

  #admits(child: Child, now: number): boolean {
    const isEach = this.#rules.onExceeded === 'quarantine';
    const times = isEach ? child.restartTimes : this.#restartTimes;
    const admitted = admitRestart(times, now, this.#rules);
    if (admitted === undefined) return false;
    if (isEach) child.restartTimes = admitted;
    else this.#restartTimes = admitted;
    return true;
  }

  #exceeded(child: Child, exit: Exit): OnExceeded {
    const { runtime } = this.#process;
    const { onExceeded, restartsMax } = this.#rules;
    const [node, who] = [runtime.name, this.#process.describe()];
    if (onExceeded === 'stop') {
      runtime.events.emit('gave-up', { node, who, restartsMax });
    } else {
      child.status = 'quarantined';
      child.lastExit = exit;
      const { reason } = exit;
      const told = { node, who, child: child.id, reason, error: exitText(exit) };
      runtime.events.emit('quarantine', told);
    }
    return onExceeded;
  }

  #tell(child: Child, { reason }: Exit, delayMs: number): void {
    const { runtime } = this.#process;
    if (!runtime.events.isHeard('restart')) return;
    const who = this.#process.describe();
    runtime.events.emit('restart', { node: runtime.name, who, child: child.id, reason, delayMs });
  }
}

/** The children of one supervisor that were given in its definition: started in order, kept together. */
export class Supervision {
  readonly #process: Process;
  readonly #limits: SupervisionLimits;
  readonly #judge: RestartJudge;
  #children: Child[];

  private constructor(process: Process, limits: SupervisionLimits, specs: readonly ChildSpec[]) {
    this.#process = process;
    this.#limits = limits;
    this.#judge = new RestartJudge(process, limits);
    this.#children = withIds(specs);
    endWaitsWith(process, () => this.#children);
  }

  static async start(
    process: Process,
    limits: SupervisionLimits,
    specs: readonly ChildSpec[],
  ): Promise<Supervision> {
    const supervision = new Supervision(process, limits, specs);
    if (limits.keeps === 'lasting') return supervision;
    try {
      for (const each of supervision.#children) {
        await supervision.#start(each);
        // It was told to end meanwhile, or has ended.
        if (process.exit !== undefined) throw processDown(process.describe(), process.exit);
      }
    } catch (error) {
      await supervision.stopAll();
      throw error;
    }
    return supervision;
  }

  children(): readonly ChildInfo[] {
    return this.#children.map(infoOf);
  }

  /** The only child of a keeper. */
  get kept(): Child | undefined {
    return this.#limits.keeps === 'children' ? undefined : this.#children[0];
  }

  async stopAll(): Promise<void> {
    for (const each of this.#children.toReversed()) await stopChild(this.#process, each);
  }

  async #start(child: Child): Promise<void> {
    const started = startChild(this.#process, child);
    this.#tell(child);
    await started;
    this.#tell(child);
  }

  #tell(child: Child): void {
    this.#limits.onChange?.(infoOf(child));
  }

  // ── by hand ────────────────────────────────────────────────────────────────

  /** Starts a child (again), whether it runs, waits, was stopped or is in quarantine. */
  async restart(id: string): Promise<true | Refused<'NO_CHILD'> | Failure> {
    const child = this.#children.find((each) => each.id === id);
    if (child === undefined) return refuse('NO_CHILD');
    await stopChild(this.#process, child);
    const isFirst = child.streak.startedAt === -Infinity;
    if (!isFirst) child.restarts++;
    forgive(child);
    try {
      await this.#start(child);
      return true;
    } catch (error) {
      this.#tell(child);
      return new Failure(error);
    } finally {
      // Those that waited with it wait for nothing any more.
      await this.#startWaiting(child);
    }
  }

  /** Stops a child until it is started again by hand. Returns whether it ran. */
  async stop(id: string): Promise<boolean | Refused<'NO_CHILD'>> {
    const child = this.#children.find((each) => each.id === id);
    if (child === undefined) return refuse('NO_CHILD');
    const [wasRunning, wasAwaited] = [child.pid !== undefined, child.wait !== undefined];
    await stopChild(this.#process, child);
    this.#tell(child);
    if (wasAwaited) await this.#startWaiting(child);
    return wasRunning;
  }

  // ── when one fails ─────────────────────────────────────────────────────────

  /** A linked process ended: a child, or one that is none any more. */
  onExit(told: Notice): void | Promise<void> {
    const { keeps } = this.#limits;
    const notice = keeps === 'singleton' ? asLossOfName(told) : told;
    const child = this.#children.find((each) => each.pid?.place === notice.pid.place);
    if (child === undefined) return undefined;
    noteExit(child, notice);
    if (wantsRestart(child.restart, notice)) return this.#recover(child, notice);
    if (child.restart === 'temporary') this.#forget(child);
    this.#tell(child);
    const isLast = this.#children.every(({ pid }) => pid === undefined);
    // Where its name lives on there is nothing to be started here any more.
    const isOver = keeps === 'lasting' ? notice.reason === 'name_conflict' : isLast;
    if (isOver && keeps !== 'children') this.#process.stop(endOfKeeper(notice));
    return undefined;
  }

  /** The wait of a child is over, unless it was stopped or taken along meanwhile. */
  onRestart(wait: Wait): void | Promise<void> {
    const { child } = wait;
    if (child.wait !== wait) return undefined;
    child.wait = undefined;
    return this.#startWaiting(child);
  }

  async #recover(failed: Child, exit: Exit): Promise<void> {
    const verdict = this.#judge.judge(failed, exit);
    if (verdict === 'stop') return this.#process.stop({ reason: 'shutdown' });
    if (verdict !== 'quarantine') failed.status = 'waiting';
    this.#tell(failed);
    await this.#takeAlong(failed);
    if (verdict === 'quarantine' || verdict === 0) return this.#startWaiting(failed);
    waitFor(this.#process, failed, verdict);
    return undefined;
  }

  /** Stops those that share the fate of a child that failed, last one first; they wait with it. */
  async #takeAlong(failed: Child): Promise<void> {
    const others = this.#fateOf(failed).filter((each) => each !== failed);
    const stopped = others.filter(({ status }) => status === 'running' || status === 'waiting');
    for (const each of stopped.toReversed()) await stopChild(this.#process, each);
    for (const each of stopped) {
      if (each.restart === 'temporary') this.#forget(each);
      else each.status = 'waiting';
    }
  }

  #fateOf(failed: Child): readonly Child[] {
    const at = this.#children.indexOf(failed);
    const fate = sharedFate(this.#limits.strategy, this.#children.length, at);
    return fate.flatMap((index) => this.#children[index] ?? []);
  }

  /** Starts a child that failed and those that it took along, in order. */
  async #startWaiting(failed: Child): Promise<void> {
    for (const each of this.#fateOf(failed)) {
      if (each.status !== 'waiting' || !this.#process.isAlive) continue;
      each.restarts++;
      try {
        await this.#start(each);
      } catch (error) {
        return this.#startFailed(each, { reason: 'start_failed', error });
      }
    }
    return undefined;
  }

  /** A restart that fails counts as another one, behind what waits in the mailbox. */
  async #startFailed(failed: Child, exit: Exit): Promise<void> {
    const verdict = this.#judge.judge(failed, exit);
    if (verdict === 'stop') return this.#process.stop({ reason: 'shutdown' });
    if (verdict !== 'quarantine') failed.status = 'waiting';
    this.#tell(failed);
    await this.#takeAlong(failed);
    waitFor(this.#process, failed, verdict === 'quarantine' ? 0 : verdict);
    return undefined;
  }

  #forget(child: Child): void {
    this.#children = this.#children.filter((each) => each !== child);
  }
}

/** Has a supervisor told, behind what waits in its mailbox, that a child is to be started again. */
export function waitFor(supervisor: Process, child: Child, delayMs: number): void {
  const wait: Wait = { child, timer: undefined };
  const tell = (): void => void supervisor.deliver(new Note('restart', 'restart', [wait]));
  child.wait = wait;
  if (delayMs === 0) tell();
  else wait.timer = supervisor.runtime.clock.after(delayMs, tell);
}

/** When a supervisor has ended, nobody is started any more. */
export function endWaitsWith(supervisor: Process, children: () => Iterable<Child>): void {
  supervisor.onEnded(() => {
    for (const { wait } of children()) wait?.timer?.cancel();
  });
}

/** A child has ended by itself. */
export function noteExit(child: Child, exit: Exit): void {
  child.pid = undefined;
  child.status = 'stopped';
  child.lastExit = exit;
}

/** Restarts of the past do not count any more. */
export function forgive(child: Child): void {
  child.streak = { count: 0, startedAt: -Infinity };
  child.restartTimes = [];
}

/** Children with ids: their names, otherwise their definitions' names, with a number where these repeat. */
function withIds(specs: readonly ChildSpec[]): Child[] {
  const taken = new Map<string, number>();
  return specs.map((spec) => {
    const word = spec.options.name ?? spec.definition.name;
    const count = (taken.get(word) ?? 0) + 1;
    taken.set(word, count);
    return newChild(spec, count === 1 ? word : `${word}#${count}`);
  });
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

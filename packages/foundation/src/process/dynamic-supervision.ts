import { refuseUnknown } from '../options.ts';
import { Failure, refuse, type Refused } from './answer.ts';
import {
  infoOf,
  isWithin,
  newChild,
  startChild,
  stopChild,
  type Child,
  type ChildInfo,
  type ChildSpec,
  type Wait,
} from './child.ts';
import type { Notice } from './definition.ts';
import type { Exit } from './exit.ts';
import { checkListing } from './listing-check.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';
import { wantsRestart } from './restart-state.ts';
import type { Listing } from './runtime.ts';
import {
  endWaitsWith,
  forgive,
  noteExit,
  RestartJudge,
  waitFor,
  type RestartRules,
} from './supervision.ts';

export interface DynamicLimits extends RestartRules {
  readonly childrenMax: number;
}

/** How a child is started by `supervisor.start`. */
export type DynamicStart = Listing & { readonly init?: unknown };

/**
 * Children that come and go, all of one definition. They are started, stopped and started again side by
 * side: nothing here waits for a child but what is to be done next with that very child.
 */
export class DynamicSupervision {
  readonly #process: Process;
  readonly #template: ChildSpec;
  readonly #limits: DynamicLimits;
  readonly #judge: RestartJudge;
  readonly #children = new Map<string, Child>();
  /** Running children, by the place of their process. */
  readonly #running = new Map<string, Child>();
  /** What is done with a child last: the next thing waits for it. */
  readonly #work = new WeakMap<Child, Promise<unknown>>();
  /**
   * Ends of processes that are none of the running ones, while some child starts: it may be that child. With
   * the moment at which they were heard.
   */
  readonly #early = new Map<string, { readonly notice: Notice; readonly moment: number }>();
  /** When each start began that is under way, the oldest first. */
  readonly #starts = new Set<number>();
  #moment = 0;
  #started = 0;

  constructor(process: Process, template: ChildSpec, limits: DynamicLimits) {
    this.#process = process;
    this.#template = template;
    this.#limits = limits;
    this.#judge = new RestartJudge(process, limits);
    endWaitsWith(process, () => this.#children.values());
  }

  children(): readonly ChildInfo[] {
    return [...this.#children.values()].map(infoOf);
  }

  get count(): number {
    return this.#children.size;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children.values()].map((each) => this.#stopAtLast(each)));
  }

  /** One that is starting is waited for as long as it may take to stop; later it ends by itself, an orphan. */
  async #stopAtLast(child: Child): Promise<void> {
    const isStarting = child.status === 'starting';
    const stopped = this.#inTurn(child, () => this.#stop(child));
    if (isStarting) await isWithin(this.#process, stopped, child.shutdownMs);
    else await stopped;
  }

  /** Starts a child; a ref to it, or why there is none. */
  async start(options: DynamicStart = {}): Promise<unknown> {
    const { childrenMax } = this.#limits;
    if (this.#children.size >= childrenMax) return refuse('TOO_MANY_CHILDREN', { childrenMax });
    const { definition, options: common } = this.#template;
    try {
      refuseUnknown('supervisor.start', options, ['init', 'name', 'capabilities', 'metadata']);
      checkListing('supervisor.start', options);
    } catch (error) {
      return new Failure(error);
    }
    const { init, name, capabilities, metadata } = options;
    const id = name ?? `${definition.name}#${++this.#started}`;
    const own = { init, name, capabilities, metadata };
    const child = newChild({ definition, options: { ...common, ...own } }, id);
    // A child of that name that is still on its way must not be forgotten for one that cannot start.
    if (this.#children.has(id)) return refuse('CHILD_EXISTS', { id });
    this.#children.set(id, child);
    try {
      const pid = await this.#inTurn(child, () => this.#start(child));
      const { runtime } = this.#process;
      return runtime.refTo(child.behaviour, name === undefined ? { pid } : { name });
    } catch (error) {
      this.#children.delete(id);
      return new Failure(error);
    }
  }

  /** Starts a child again by hand, whether it runs, waits or is in quarantine. */
  async restart(id: string): Promise<true | Refused<'NO_CHILD'> | Failure> {
    const child = this.#children.get(id);
    if (child === undefined) return refuse('NO_CHILD');
    return this.#inTurn(child, async () => {
      if (!this.#has(child)) return refuse('NO_CHILD');
      await this.#stop(child);
      forgive(child);
      child.restarts++;
      try {
        await this.#start(child);
        return true;
      } catch (error) {
        return new Failure(error);
      }
    });
  }

  /** Stops a child for good. */
  async stop(id: string): Promise<true | Refused<'NO_CHILD'>> {
    const child = this.#children.get(id);
    if (child === undefined) return refuse('NO_CHILD');
    await this.#inTurn(child, () => this.#stop(child));
    if (this.#has(child)) this.#children.delete(id);
    return true;
  }

  onExit(notice: Notice): void {
    const { place } = notice.pid;
    const child = this.#running.get(place);
    if (child === undefined) {
      if (this.#starts.size > 0) this.#early.set(place, { notice, moment: ++this.#moment });
      return;
    }
    this.#running.delete(place);
    noteExit(child, notice);
    if (wantsRestart(child.restart, notice)) this.#recover(child, notice);
    else this.#children.delete(child.id);
  }

  onRestart(wait: Wait): void {
    const { child } = wait;
    if (child.wait !== wait) return;
    child.wait = undefined;
    void this.#inTurn(child, () => this.#startAgain(child));
  }

  #recover(child: Child, exit: Exit): void {
    const verdict = this.#judge.judge(child, exit);
    if (verdict === 'stop') this.#process.stop({ reason: 'shutdown' });
    if (typeof verdict === 'string') return;
    child.status = 'waiting';
    if (verdict === 0 && exit.reason !== 'start_failed') {
      void this.#inTurn(child, () => this.#startAgain(child));
    } else {
      waitFor(this.#process, child, verdict);
    }
  }

  async #startAgain(child: Child): Promise<void> {
    // It may have been stopped, or started by hand, meanwhile.
    if (child.status !== 'waiting') return;
    child.restarts++;
    try {
      await this.#start(child);
    } catch (error) {
      this.#recover(child, { reason: 'start_failed', error });
    }
  }

  async #start(child: Child): Promise<Pid> {
    const begun = ++this.#moment;
    this.#starts.add(begun);
    try {
      const pid = await startChild(this.#process, child);
      this.#running.set(pid.place, child);
      const ended = this.#early.get(pid.place);
      if (ended !== undefined) this.onExit(ended.notice);
      return pid;
    } finally {
      this.#starts.delete(begun);
      this.#forgetEarly();
    }
  }

  /** Ends that were heard before any start began that is under way are of nobody. */
  #forgetEarly(): void {
    const [oldest = Infinity] = this.#starts;
    for (const [place, { moment }] of this.#early) {
      if (moment > oldest) return;
      this.#early.delete(place);
    }
  }

  async #stop(child: Child): Promise<void> {
    if (child.pid !== undefined) this.#running.delete(child.pid.place);
    await stopChild(this.#process, child);
  }

  #has(child: Child): boolean {
    return this.#children.get(child.id) === child;
  }

  /** Does something with a child when what was begun before is done. */
  #inTurn<R>(child: Child, action: () => Promise<R>): Promise<R> {
    const before = this.#work.get(child);
    const work = before === undefined ? action() : before.then(action, action);
    this.#work.set(child, work);
    return work;
  }
}

import { Failure, refuse, type Refused } from './answer.ts';
import {
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
import type { Exit } from './exit.ts';
import { checkListing } from './listing-check.ts';
import type { Process } from './process.ts';
import { wantsRestart } from './restart-state.ts';
import type { Listing } from './runtime.ts';
import { forgive, noteExit, RestartJudge, waitFor, type RestartRules } from './supervision.ts';

export interface DynamicLimits extends RestartRules {
  readonly childrenMax: number;
}

/** How a child is started by `supervisor.start`. */
export type DynamicStart = Listing & { readonly init?: unknown };

/** Children that come and go, all of one definition: started side by side, stopped side by side. */
export class DynamicSupervision {
  readonly #process: Process;
  readonly #template: ChildSpec;
  readonly #limits: DynamicLimits;
  readonly #judge: RestartJudge;
  readonly #children = new Map<string, Child>();
  /** Running children, by the place of their process. */
  readonly #running = new Map<string, Child>();
  #started = 0;

  constructor(process: Process, template: ChildSpec, limits: DynamicLimits) {
    this.#process = process;
    this.#template = template;
    this.#limits = limits;
    this.#judge = new RestartJudge(process, limits);
  }

  children(): readonly ChildInfo[] {
    return [...this.#children.values()].map(infoOf);
  }

  get count(): number {
    return this.#children.size;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#children.values()].map((each) => this.#stop(each)));
  }

  /** Starts a child; a ref to it, or why there is none. */
  async start(options: DynamicStart = {}): Promise<unknown> {
    const { childrenMax } = this.#limits;
    if (this.#children.size >= childrenMax) return refuse('TOO_MANY_CHILDREN', { childrenMax });
    const { definition, options: common } = this.#template;
    const { init, name, capabilities, metadata } = options;
    try {
      checkListing(options);
    } catch (error) {
      return new Failure(error);
    }
    const id = name ?? `${definition.name}#${++this.#started}`;
    const own = { init, name, capabilities, metadata };
    const child = newChild({ definition, options: { ...common, ...own } }, id);
    // A child of that name that is still on its way must not be forgotten for one that cannot start.
    if (this.#children.has(id)) return refuse('CHILD_EXISTS', { id });
    this.#children.set(id, child);
    try {
      await this.#start(child);
    } catch (error) {
      this.#children.delete(id);
      return new Failure(error);
    }
    const { pid } = child;
    return this.#process.runtime.refTo(child.behaviour, name === undefined ? { pid } : { name });
  }

  /** Starts a child again by hand, whether it runs, waits or is in quarantine. */
  async restart(id: string): Promise<true | Refused<'NO_CHILD'> | Failure> {
    const child = this.#children.get(id);
    if (child === undefined) return refuse('NO_CHILD');
    await this.#stop(child);
    forgive(child);
    child.restarts++;
    try {
      await this.#start(child);
      return true;
    } catch (error) {
      return new Failure(error);
    }
  }

  /** Stops a child for good. */
  async stop(id: string): Promise<true | Refused<'NO_CHILD'>> {
    const child = this.#children.get(id);
    if (child === undefined) return refuse('NO_CHILD');
    await this.#stop(child);
    this.#children.delete(id);
    return true;
  }

  onExit(notice: Notice): void | Promise<void> {
    const child = this.#running.get(notice.pid.place);
    if (child === undefined) return undefined;
    this.#running.delete(notice.pid.place);
    noteExit(child, notice);
    if (wantsRestart(child.restart, notice)) return this.#recover(child, notice);
    this.#children.delete(child.id);
    return undefined;
  }

  onRestart(wait: Wait): void | Promise<void> {
    const { child } = wait;
    if (child.wait !== wait) return undefined;
    child.wait = undefined;
    return this.#startAgain(child);
  }

  #recover(child: Child, exit: Exit): void | Promise<void> {
    const verdict = this.#judge.judge(child, exit);
    if (verdict === 'stop') return this.#process.stop({ reason: 'shutdown' });
    if (verdict === 'quarantine') return undefined;
    child.status = 'waiting';
    if (verdict === 0 && exit.reason !== 'start_failed') return this.#startAgain(child);
    return waitFor(this.#process, child, verdict);
  }

  async #startAgain(child: Child): Promise<void> {
    child.restarts++;
    try {
      await this.#start(child);
    } catch (error) {
      await this.#recover(child, { reason: 'start_failed', error });
    }
  }

  async #start(child: Child): Promise<void> {
    await startChild(this.#process, child);
    if (child.pid !== undefined) this.#running.set(child.pid.place, child);
  }

  async #stop(child: Child): Promise<void> {
    if (child.pid !== undefined) this.#running.delete(child.pid.place);
    await stopChild(this.#process, child);
  }
}

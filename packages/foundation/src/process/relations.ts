import { Note } from './envelope.ts';
import { noProcess, type Exit } from './exit.ts';
import { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { Signal } from './signal.ts';

const nobody = new Pid('', 0, 0);

interface Watch {
  readonly target: Pid;
  readonly onDown: ((exit: Exit) => void) | undefined;
  /** What tells of the end, and may still wait in the mailbox. */
  notice: DownNote | undefined;
}

/** Tells of an end, unless nobody wants to know any more. */
class DownNote extends Note {
  isTakenBack = false;

  constructor(pid: Pid, exit: Exit) {
    super('down', 'down', [{ pid, ...exit }]);
  }

  override get isOpen(): boolean {
    return !this.isTakenBack;
  }
}

/** Links and monitors of one process. */
export class Relations {
  readonly #process: Process;
  /** Linked processes, by their place. */
  readonly links = new Map<string, Pid>();
  /** Groups that it has joined. */
  groups: Set<string> | undefined = undefined;
  /** Processes this one watches, by the number of the monitor. */
  #watched: Map<number, Watch> | undefined = undefined;
  /** Who watches this process. */
  #watchers: Map<string, { readonly id: number; readonly watcher: Pid }> | undefined = undefined;

  constructor(process: Process) {
    this.#process = process;
  }

  /** Processes that watch this one. */
  get watcherCount(): number {
    return this.#watchers?.size ?? 0;
  }

  /** Processes that this one watches. */
  get watchedCount(): number {
    return this.#watched?.size ?? 0;
  }

  /** @param onDown - Told instead of the process's `down` handler. */
  monitor(target: Pid | undefined, onDown?: (exit: Exit) => void): () => void {
    const { runtime, pid, isAlive } = this.#process;
    if (!isAlive) return () => {};
    const id = runtime.nextNumber();
    const watch: Watch = { target: target ?? nobody, onDown, notice: undefined };
    (this.#watched ??= new Map()).set(id, watch);
    if (target === undefined) this.#down(id, nobody, { reason: 'no_process' });
    else runtime.relate(this.#process, target, { kind: 'monitor', id, watcher: pid });
    return () => {
      if (watch.notice !== undefined) watch.notice.isTakenBack = true;
      if (target === undefined || this.#watched?.delete(id) !== true) return;
      runtime.signal(target, { kind: 'demonitor', id, watcher: pid });
    };
  }

  link(target: Pid | undefined): void {
    const { runtime, pid, exit, isAlive } = this.#process;
    if (target === undefined) {
      this.#process.exitSignal(nobody, linkedToNobody('of that name'));
      return;
    }
    if (!isAlive) {
      // A supervisor that was killed while it started a child: the child must not outlive it.
      runtime.signal(target, { kind: 'exit', from: pid, exit: exit ?? { reason: 'normal' } });
      return;
    }
    this.links.set(target.place, target);
    runtime.relate(this.#process, target, { kind: 'link', from: pid });
  }

  unlink(target: Pid | undefined): void {
    if (target === undefined || !this.links.delete(target.place)) return;
    this.#process.runtime.signal(target, { kind: 'unlink', from: this.#process.pid });
  }

  receive(signal: Signal): void {
    switch (signal.kind) {
      case 'monitor':
        (this.#watchers ??= new Map()).set(watcherKey(signal), signal);
        this.#process.runtime.noteRelation(this.#process, signal.watcher);
        return;
      case 'demonitor':
        this.#watchers?.delete(watcherKey(signal));
        return;
      case 'down':
        this.#down(signal.id, signal.from, signal.exit);
        return;
      case 'link':
        this.links.set(signal.from.place, signal.from);
        this.#process.runtime.noteRelation(this.#process, signal.from);
        return;
      case 'unlink':
        this.links.delete(signal.from.place);
        return;
      case 'exit':
        // A child may end before its supervisor has linked it: only the supervisor can tell which it is.
        if (this.links.has(signal.from.place) || this.#process.isSupervisor) {
          this.#process.exitSignal(signal.from, signal.exit);
        }
        return;
      case 'stop':
        return this.#stop(signal.exit);
    }
  }

  #stop(exit: Exit): void {
    if (exit.reason === 'killed') return this.#process.kill(exit);
    this.#process.stop(exit);
    // Its name is another's: it may finish what it is at, but not go on for ever.
    if (exit.reason === 'name_conflict') this.#process.killLater(exit);
  }

  /** The runtime or node of some processes is gone. */
  lost(isLost: (pid: Pid) => boolean, exit: Exit): void {
    for (const [key, { watcher }] of this.#watchers ?? []) {
      if (isLost(watcher)) this.#watchers?.delete(key);
    }
    for (const [id, { target }] of this.#watched ?? []) {
      if (isLost(target)) this.#down(id, target, exit);
    }
    for (const pid of this.links.values()) {
      if (isLost(pid)) this.#process.exitSignal(pid, exit);
    }
  }

  /** Tells everybody that the process has ended. */
  end(exit: Exit): void {
    const { runtime, pid } = this.#process;
    for (const [id, { target }] of this.#watched ?? []) {
      if (target !== nobody) runtime.signal(target, { kind: 'demonitor', id, watcher: pid });
    }
    for (const { id, watcher } of this.#watchers?.values() ?? []) {
      runtime.signal(watcher, { kind: 'down', id, from: pid, exit });
    }
    for (const linked of this.links.values()) {
      runtime.signal(linked, { kind: 'exit', from: pid, exit });
    }
    this.#watched = undefined;
    this.#watchers = undefined;
    this.groups = undefined;
    this.links.clear();
  }

  #down(id: number, from: Pid, exit: Exit): void {
    const watch = this.#watched?.get(id);
    if (watch === undefined) return;
    this.#watched?.delete(id);
    if (watch.onDown !== undefined) return watch.onDown(exit);
    watch.notice = new DownNote(from, exit);
    this.#process.deliver(watch.notice);
    return undefined;
  }
}

/** Who links itself to nobody hears of a failure: `no_process` is what monitors are told. */
export function linkedToNobody(who: string): Exit {
  return { reason: 'crash', error: noProcess(who) };
}

function watcherKey({ id, watcher }: { readonly id: number; readonly watcher: Pid }): string {
  return `${watcher.place}#${id}`;
}

import type { ExitReason, Node } from '@foundation/core';

import type { Books } from './books.ts';
import { groupNames, plain, terminated } from './subject.ts';

/** Counts what a node tells of itself, to be compared with what it counts and lists. */
export class Witness implements Disposable {
  readonly #books: Books;
  readonly #listening = new DisposableStack();
  spawned = 0;
  exited = 0;
  /** Exits by an error on the main thread, and crashes in threads: what `counters().crashes` counts. */
  crashes = 0;
  restarts = 0;
  quarantines = 0;
  overflows = 0;
  floatingRejections = 0;
  /** What was told last of how many are in each group. */
  readonly #members = new Map<string, number>();
  /** Ends of subjects on the main thread after which `terminate` must have run. */
  #orderlyEnds = 0;

  constructor(node: Node, books: Books) {
    const { events } = node;
    this.#books = books;
    const listen = (listening: Disposable): void => void this.#listening.use(listening);
    listen(events.on('spawn', () => this.spawned++));
    listen(
      events.on('exit', ({ pid, who, reason }) => pid.thread === 0 && this.#exit(who, reason)),
    );
    listen(events.on('crash', ({ pid }) => pid.thread > 0 && this.crashes++));
    listen(events.on('restart', () => this.restarts++));
    listen(events.on('quarantine', () => this.quarantines++));
    listen(events.on('overflow', () => this.overflows++));
    listen(events.on('problem', ({ what, error }) => this.#problem(what, error)));
    listen(events.on('thread-lost', ({ why }) => books.problem(`a thread was lost: ${why}`)));
    listen(events.on('stuck', ({ who }) => books.problem(`${who} is stuck`)));
    for (const name of groupNames) {
      const group = node.group(plain, name);
      listen(group.onChange((members) => void this.#members.set(name, members.length)));
    }
  }

  /** Processes of the main thread, without the node's own. */
  get living(): number {
    return this.spawned - this.exited;
  }

  #exit(who: string, reason: ExitReason): void {
    this.exited++;
    if (reason === 'crash') this.crashes++;
    if (who.startsWith('subject.') && reason !== 'killed' && reason !== 'stuck')
      this.#orderlyEnds++;
  }

  #problem(what: string, error: unknown): void {
    if (what === 'a promise that nobody waits for was rejected') this.floatingRejections++;
    else this.#books.problem(`${what}: ${String(error)}`);
  }

  /** When nothing is going on: everything that was told adds up. */
  check(node: Node, living: number): void {
    const { crashes, restarts, overflow, floatingRejections } = node.counters();
    const expectEqual = this.#books.expectEqual.bind(this.#books);
    expectEqual('crashes counted and told', crashes, this.crashes);
    expectEqual('restarts counted and told', restarts, this.restarts);
    expectEqual('overflows counted and told', overflow, this.overflows);
    // Those of threads are told, but not counted.
    if (floatingRejections > this.floatingRejections) {
      this.#books.problem(
        `${floatingRejections} floating rejections, ${this.floatingRejections} told`,
      );
    }
    for (const [name, count] of this.#members) expectEqual(`members of ${name} told`, count, 0);
    expectEqual('processes started and not ended', this.living, living);
    expectEqual('ends in good order and runs of terminate', this.#orderlyEnds, terminated.count);
  }

  [Symbol.dispose](): void {
    this.#listening.dispose();
  }
}

import type { Envelope } from './envelope.ts';
import { Mailbox } from './mailbox.ts';

/** Messages that a process has put off. Bounded; calls whose callers gave up make room. */
export class Stash {
  #waiting = new Mailbox<Envelope>();
  /** How often messages were put off. */
  deferrals = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Returns false when it is full. */
  add(envelope: Envelope, deferredMax: number): boolean {
    if (this.size >= deferredMax) this.#prune();
    if (this.size >= deferredMax) return false;
    this.deferrals++;
    this.#waiting.push(envelope);
    return true;
  }

  /** Puts everything back before what waits in the mailbox, in the order in which it came. */
  restore(mailbox: Mailbox<Envelope>): void {
    mailbox.prepend(this.#waiting);
  }

  #prune(): void {
    const open = new Mailbox<Envelope>();
    for (let each = this.#waiting.shift(); each; each = this.#waiting.shift()) {
      if (each.isOpen) open.push(each);
    }
    this.#waiting = open;
  }
}

import type { Timer } from '../clock.ts';
import type { Request } from '../context/request.ts';
import { runIn, type Scope } from '../context/scope.ts';
import { isCall, type Envelope } from './envelope.ts';
import type { Process } from './process.ts';

/** Aborts a signal when nobody waits any more for what a handler does: the caller, the request, the process. */
export class Abortion {
  readonly #controller = new AbortController();
  /** Who listens is code of whoever asked for the signal. */
  readonly #scope: Scope;
  #timer: Timer | undefined;

  constructor(owner: Process, served: Envelope | undefined, request: Request | undefined) {
    this.#scope = { owner, message: served, request };
    if (!owner.isAlive || served?.isOpen === false) this.abort();
    else if (served !== undefined && isCall(served)) served.onGivenUp = () => this.abort();
    else if (request !== undefined) this.#follow(owner, request);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A call's deadline is never later than that of its request; other messages have no other one. */
  #follow({ runtime }: Process, { remainingMs }: Request): void {
    if (remainingMs === Infinity) return;
    this.#timer = runtime.clock.after(remainingMs, () => this.abort(), 'background');
  }

  abort(): void {
    this.forget();
    runIn(this.#scope, () => this.#controller.abort());
  }

  /** The next message is another's business. */
  forget(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

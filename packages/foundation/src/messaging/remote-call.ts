import type { FoundationError } from '../errors.ts';
import type { Deadlines } from '../process/deadlines.ts';
import { Pending, type CallTerms } from '../process/envelope.ts';
import type { Pid } from '../process/pid.ts';
import type { Exchange } from './exchange.ts';

/** A call of this runtime to a process elsewhere. */
export class RemoteCall extends Pending {
  #exchange: Exchange | undefined = undefined;
  #id = 0;
  #target: Pid | undefined = undefined;
  readonly describe: () => string;

  constructor(deadlines: Deadlines, terms: CallTerms, timeoutMs: number) {
    super(deadlines, terms, timeoutMs);
    this.describe = terms.describe;
  }

  get target(): Pid {
    return this.#target as Pid;
  }

  track(exchange: Exchange, id: number, target: Pid): void {
    this.#exchange = exchange;
    this.#id = id;
    this.#target = target;
  }

  /** The one who is called need not go on. */
  protected override giveUp(error: FoundationError): void {
    super.giveUp(error);
    this.#exchange?.cancel(this.target, this.#id);
  }

  protected override close(): void {
    super.close();
    this.#exchange?.closed(this.#id);
  }
}

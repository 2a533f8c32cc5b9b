import type { Behaviour } from './behaviour.ts';
import { isCall, type Envelope } from './envelope.ts';
import type { Pid } from './pid.ts';
import { overRate } from './process-errors.ts';
import { isBounded, Process } from './process.ts';
import { fullAllowance, spendOne } from './rate-state.ts';
import type { Runtime } from './runtime.ts';

/** A process that takes so many calls and casts in a second, and refuses the others. */
export class RatedProcess extends Process {
  readonly #perSecond: number;
  #allowance: ReturnType<typeof fullAllowance>;

  // oxlint-disable-next-line eslint/max-params -- made in one place only
  constructor(runtime: Runtime, behaviour: Behaviour, pid: Pid, name: string | undefined) {
    super(runtime, behaviour, pid, name);
    this.#perSecond = behaviour.own?.messagesPerSecond ?? Infinity;
    this.#allowance = fullAllowance(this.#perSecond, runtime.clock.now());
  }

  override deliver(envelope: Envelope): boolean {
    if (!isBounded(envelope) || !this.isAlive) return super.deliver(envelope);
    const { counters, events, clock } = this.runtime;
    const left = spendOne(this.#allowance, clock.now(), this.#perSecond);
    if (left !== undefined) {
      this.#allowance = left;
      return super.deliver(envelope);
    }
    counters.overflow++;
    events.emit('overflow', { pid: this.pid, rule: 'rate', kind: envelope.kind });
    if (isCall(envelope)) envelope.fail(overRate(this.describe(), this.#perSecond));
    return false;
  }
}

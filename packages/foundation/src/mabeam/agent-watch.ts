import type { Timer } from '../clock.ts';
import { runForNobody } from '../context/scope.ts';
import { messageOf } from '../errors.ts';
import type { Pid } from '../process/pid.ts';
import {
  healthAfter,
  stoodStill,
  unknownHealth,
  type HealthState,
  type Work,
} from './agent-health-state.ts';
import type { AgentUsage } from './agent-info.ts';
import { AgentMeter, type Measurement, type MeterParts } from './agent-meter.ts';
import type { ResolvedAgentRegistration } from './agent-registration.ts';

/** Whom to watch, and how. */
export interface Watched {
  readonly pid: Pid;
  /** What holds now: it may be changed. */
  readonly rules: () => Pick<
    ResolvedAgentRegistration<{ readonly name: string }>,
    'health' | 'limits'
  >;
  /** Makes the call of its process that says whether it is well. */
  readonly call: (name: string, timeoutMs: number) => Promise<unknown>;
  /** Told when a check has found something else than the one before. */
  readonly onChange: (health: HealthState) => void;
}

/** Looks after one life of an agent, check by check, until it is over. */
export class AgentWatch implements Disposable {
  readonly #clock: MeterParts['clock'];
  readonly #watched: Watched;
  readonly #meter: AgentMeter;
  #state = unknownHealth;
  #work: Work | undefined;
  #next: Timer | undefined;
  #isOver = false;

  constructor(parts: MeterParts, watched: Watched) {
    this.#clock = parts.clock;
    this.#watched = watched;
    this.#meter = new AgentMeter(parts, watched.pid);
    this.schedule();
  }

  /** What it uses now. @throws FoundationError `UNRESPONSIVE`, `NO_PROCESS` */
  async usage(): Promise<AgentUsage> {
    const { timeoutMs } = this.#watched.rules().health;
    return (await this.#meter.read({ timeoutMs, withState: true })).usage;
  }

  /** The next check is that long from now; call it when the rules have changed. */
  schedule(): void {
    const { everyMs } = this.#watched.rules().health;
    this.#next?.cancel();
    if (everyMs === Infinity || this.#isOver) return;
    this.#next = this.#clock.after(everyMs, () => void this.#check(), 'background');
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#next?.cancel();
  }

  async #check(): Promise<void> {
    const problems = await runForNobody(() => this.#problems());
    if (this.#isOver) return;
    const before = this.#state;
    this.#state = healthAfter(before, problems, this.#watched.rules().health.checksMax);
    this.schedule();
    const { health, problem } = this.#state;
    const isNews = health !== before.health || problem !== before.problem;
    if (isNews) this.#watched.onChange(this.#state);
  }

  async #problems(): Promise<readonly string[]> {
    const { health, limits } = this.#watched.rules();
    const { timeoutMs, call } = health;
    try {
      const withState = limits.memoryMb !== undefined;
      const found = this.#findings(await this.#meter.read({ timeoutMs, withState }));
      if (call === undefined) return found;
      const answer = await this.#watched.call(call, timeoutMs);
      return answer === false ? [...found, `its \`${call}\` says no`] : found;
    } catch (error) {
      return [messageOf(error)];
    }
  }

  #findings({ usage, isSilent }: Measurement): readonly string[] {
    const { handled, mailbox, current } = usage;
    const work = { handled, mailbox, current };
    const isStill = stoodStill(this.#work, work);
    this.#work = work;
    this.#meter.mark();
    return [
      ...(isSilent ? ['its thread does not answer'] : []),
      ...(isStill ? [`it is still at ${current}, and ${mailbox} messages wait`] : []),
      ...this.#excesses(usage),
    ];
  }

  #excesses({ cpuShare, memoryBytes }: AgentUsage): readonly string[] {
    const { cpuShare: shareMax = Infinity, memoryMb = Infinity } = this.#watched.rules().limits;
    const problems: string[] = [];
    if (cpuShare.value > shareMax) {
      const used = `${percent(cpuShare.value)} of a core (${cpuShare.by})`;
      problems.push(`it uses ${used}, more than ${percent(shareMax)}`);
    }
    if (memoryBytes !== undefined && memoryBytes.value > memoryMb * 2 ** 20) {
      const used = `${(memoryBytes.value / 2 ** 20).toFixed(1)} MB (${memoryBytes.by})`;
      problems.push(`it uses ${used}, more than ${memoryMb} MB`);
    }
    return problems;
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

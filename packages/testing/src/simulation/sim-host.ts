import type { Owner, Simulation } from './simulation.ts';

/** `kill`: the process ends, its system resets its connections. `power-off`: silence. */
export type CrashKind = 'kill' | 'power-off';

/** One operating-system process: from its start to its crash. */
export class SimHost implements Owner {
  readonly node: string;
  readonly #simulation: Simulation;
  #standsStillUntilMs = 0;
  #crashed: CrashKind | undefined;

  constructor(simulation: Simulation, node: string) {
    this.#simulation = simulation;
    this.node = node;
  }

  get isAlive(): boolean {
    return this.#crashed === undefined;
  }

  /** How it ended, if it has. */
  get crashed(): CrashKind | undefined {
    return this.#crashed;
  }

  get standsStillUntilMs(): number {
    return this.#standsStillUntilMs;
  }

  /** Stands still, as after SIGSTOP: nothing is handled, nothing is lost. */
  freeze(durationMs: number): void {
    const untilMs = this.#simulation.nowMs + durationMs;
    this.#standsStillUntilMs = Math.max(this.#standsStillUntilMs, untilMs);
  }

  crash(kind: CrashKind): void {
    this.#crashed ??= kind;
  }
}

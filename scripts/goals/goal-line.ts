/** What one goal of reliability has come to; see docs/operate/reliability.md. */
export interface GoalResult {
  /** Its number and what it is about, for instance `G5 detector, 30 % loss`. */
  readonly goal: string;
  /** What was measured; its unit is part of `limit`. */
  readonly value: number;
  /** What it must keep to, in words: `0 false verdicts`, `<= 8000 ms`. */
  readonly limit: string;
  readonly ok: boolean;
  /** Does the run again when it is given with `--seed`. */
  readonly seed: string | number;
}

/** Prints one JSON line a goal on stdout and remembers whether all were kept. */
export class GoalReport {
  #failed = 0;
  #told = 0;

  tell(result: GoalResult): void {
    this.#told++;
    if (!result.ok) this.#failed++;
    const { goal, value, limit, ok, seed } = result;
    console.log(JSON.stringify({ goal, value, limit, ok, seed }));
  }

  /** 0 when at least one goal was told and all were kept. */
  get exitCode(): 0 | 1 {
    return this.#told > 0 && this.#failed === 0 ? 0 : 1;
  }
}

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
  /** Why it could not be found out here: nobody to ask. It is not kept then, and not missed. @defaultValue it was */
  readonly unchecked?: string;
  /** Why it was missed, where the value does not say it. @defaultValue the value says it */
  readonly because?: string | undefined;
}

/** Prints one JSON line a goal on stdout and remembers whether all were kept. */
export class GoalReport {
  #failed = 0;
  #told = 0;

  tell(result: GoalResult): void {
    this.#told++;
    const { goal, value, limit, ok, seed, unchecked, because } = result;
    if (!ok && unchecked === undefined) this.#failed++;
    console.log(JSON.stringify({ goal, value, limit, ok, seed, unchecked, because }));
  }

  /** 0 when at least one goal was told and none was missed. */
  get exitCode(): 0 | 1 {
    return this.#told > 0 && this.#failed === 0 ? 0 : 1;
  }
}

import { isFoundationError, type FoundationErrorCode } from '@foundation/core';

/** How a call ended: with an answer, or with one of the codes that it may fail with. */
export type Outcome<T> =
  | { readonly isAnswered: true; readonly value: T }
  | {
      readonly isAnswered: false;
      readonly code: string;
      /** Whether it was certainly not carried out. */
      readonly isHarmless: boolean;
    };

/** Codes of calls whose process may end at any time. */
export const gone = ['NO_PROCESS', 'PROCESS_DOWN'] as const;
/** Codes of calls to whatever lives: it may end, be full, or take too long. */
export const uncertain = [...gone, 'CALL_TIMEOUT', 'OVERLOADED'] as const;

const problemsMax = 50;

/** What was asked, what came of it, and what should not have happened. */
export class Books {
  readonly problems: string[] = [];
  readonly failures = new Map<string, number>();
  readonly deeds = new Map<string, number>();
  made = 0;
  answered = 0;
  failed = 0;
  problemCount = 0;
  #lastNumber = 0;

  /** Calls that have not settled. */
  get open(): number {
    return this.made - this.answered - this.failed;
  }

  get deedCount(): number {
    return [...this.deeds.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A number that only one call can be answered with. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** Makes a call, and counts how it settles. Failing with another code than those allowed is a problem. */
  async call<T>(
    what: string,
    work: () => Promise<T>,
    mayFailWith: readonly FoundationErrorCode[] = uncertain,
  ): Promise<Outcome<T>> {
    this.made++;
    try {
      const value = await work();
      this.answered++;
      return { isAnswered: true, value };
    } catch (error) {
      this.failed++;
      return this.#failed(what, error, mayFailWith);
    }
  }

  #failed(what: string, error: unknown, mayFailWith: readonly string[]): Outcome<never> {
    const code = isFoundationError(error) ? error.code : 'no code';
    increment(this.failures, code);
    if (!mayFailWith.includes(code)) this.problem(`${what} failed: ${describe(error)}`);
    const isHarmless = isFoundationError(error) && error.outcome === 'not-executed';
    return { isAnswered: false, code, isHarmless };
  }

  /** Notes a problem unless two counts are equal. */
  expectEqual(what: string, found: unknown, expected: unknown): void {
    if (found !== expected) this.problem(`${what}: ${String(found)}, not ${String(expected)}`);
  }

  problem(text: string): void {
    this.problemCount++;
    if (this.problems.length < problemsMax) this.problems.push(text);
  }
}

export function increment(counts: Map<string, number>, key: string, by: number = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message}` : String(error);
}

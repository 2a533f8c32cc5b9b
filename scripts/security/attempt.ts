import { isFoundationError, messageOf } from '../../packages/foundation/src/errors.ts';

/** A threat of the list in docs/operate/security.md. */
export type Threat =
  | 'T1 plaintext and downgrade'
  | 'T2 guessed or stolen secret'
  | 'T3 spoofed identity'
  | 'T4 replay'
  | 'T6 code from the wire'
  | 'T7 malformed bytes'
  | 'T8 exhaustion'
  | 'T9 decompression'
  | 'T15 forged registry'
  | 'T16 forged bids'
  | 'T21 log injection and leaks'
  | 'T23 prototype pollution'
  | 'T24 slow patterns';

/** One thing that somebody tries who should not succeed. */
export interface Attempt {
  /** What is tried, in words; unique. */
  readonly name: string;
  readonly threat: Threat;
  /** The code that it is refused with. */
  readonly expected: string;
  /** Tries it, and throws or returns the code that it was refused with. Anything else got through. */
  readonly run: () => unknown;
}

/** Attempts on one target. */
export interface Area extends AsyncDisposable {
  readonly attempts: readonly Attempt[];
  /** What an attempt has changed that it may not change, or undefined. Asked after each. */
  readonly damage: () => Promise<string | undefined>;
}

/** What came of an attempt. */
export interface Finding {
  readonly attempt: Attempt;
  readonly outcome: string;
  /** `admitted`: it had an effect. `otherwise`: it was refused, with another code than expected. */
  readonly verdict: 'refused' | 'otherwise' | 'admitted';
}

/** A target that keeps nothing: whatever happens there is in what the attempts return. */
export function pureArea(attempts: readonly Attempt[]): Area {
  return { attempts, damage: async () => undefined, [Symbol.asyncDispose]: async () => {} };
}

/** Tries everything in an area, one after the other. */
export async function tryAll(area: Area, tell: (finding: Finding) => void): Promise<void> {
  const { attempts, damage } = area;
  for (const attempt of attempts) {
    const said = await outcomeOf(attempt.run);
    const harm = prototypeDamage() ?? (await damage());
    tell(judge(attempt, said, harm));
  }
}

// oxlint-disable-next-line eslint/max-params -- what was tried, what was said, what was done
function judge(attempt: Attempt, said: string, harm: string | undefined): Finding {
  if (harm !== undefined) return { attempt, outcome: harm, verdict: 'admitted' };
  if (said === attempt.expected) return { attempt, outcome: said, verdict: 'refused' };
  return { attempt, outcome: said, verdict: isCode.test(said) ? 'otherwise' : 'admitted' };
}

/** Longest that an attempt may take, in milliseconds. */
const attemptMs = 30_000;

const isCode = /^[A-Z][A-Z_]+$/;

/** The code of what an action throws, or what it says itself. */
async function outcomeOf(action: () => unknown): Promise<string> {
  try {
    const said = await inTime(action());
    return typeof said === 'string' ? said : 'it went through';
  } catch (error) {
    return isFoundationError(error) ? error.code : `it threw ${messageOf(error)}`;
  }
}

/** Whoever is let in may stay for ever. */
async function inTime(action: unknown): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, attemptMs, `it was not refused within ${attemptMs} ms`);
  return Promise.race([action, promise]).finally(() => clearTimeout(timer));
}

const ownNames = Object.getOwnPropertyNames(Object.prototype).toSorted().join();

/** What was put onto the prototype of all objects. */
function prototypeDamage(): string | undefined {
  const names = Object.getOwnPropertyNames(Object.prototype).toSorted().join();
  return names === ownNames ? undefined : `Object.prototype has ${names}`;
}

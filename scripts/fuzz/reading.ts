import { isFoundationError } from '../../packages/foundation/src/errors.ts';
import { seededRandom } from '../../packages/foundation/src/random.ts';
import type { GoalResult } from '../goals/goal-line.ts';
import type { Decoder } from './decoder.ts';
import { badInput } from './mutate.ts';

/** What is to be read. */
export interface ReadingOrder {
  readonly decoder: string;
  readonly inputs: number;
  readonly seed: string;
}

/** An input that did harm. */
interface Harm {
  readonly what: string;
  /** The input, as base64. */
  readonly input: string;
}

/** What came of the inputs to one decoder. */
export interface Reading {
  readonly inputs: number;
  /** How many were something after all; the others were refused. */
  readonly accepted: number;
  readonly slowestMs: number;
  readonly harms: readonly Harm[];
}

/** Longest that an input may take to be read, in milliseconds. */
export const readMsMax = 50;
/** Inputs after which the prototypes are looked at. */
const lookEvery = 1_000;
/** More than these tell nothing new. */
const harmsMax = 5;
/** One that takes longer than this, in milliseconds, is read again: the machine may have been busy. */
const suspiciousMs = 5;
const retries = 5;

/** Reads many bad inputs. The same seed gives the same inputs. */
export function readMany(
  decoder: Decoder,
  { inputs, seed }: Pick<ReadingOrder, 'inputs' | 'seed'>,
): Reading {
  const random = seededRandom(`${seed} ${decoder.name}`);
  const harms: Harm[] = [];
  const found = (what: string, input: Buffer): void => {
    harms.push({ what, input: input.toString('base64') });
  };
  let [accepted, slowestMs, count] = [0, 0, 0];
  const expected = prototypes();
  for (; count < inputs && harms.length < harmsMax; count++) {
    const input = badInput(random, decoder.corpus);
    const { outcome, ms } = timed(decoder, input);
    slowestMs = Math.max(slowestMs, ms);
    if (outcome === 'accepted') accepted++;
    else if (outcome !== 'refused') found(outcome, input);
    if (ms > readMsMax) found(`it took ${ms.toFixed(0)} ms`, input);
    const isTime = count % lookEvery === 0 || count === inputs - 1;
    if (isTime && prototypes() !== expected) found('a prototype was changed before', input);
  }
  return { inputs: count, accepted, slowestMs, harms };
}

function timed(decoder: Decoder, input: Buffer): { outcome: string; ms: number } {
  const began = performance.now();
  const outcome = read(decoder, input);
  const ms = performance.now() - began;
  return { outcome, ms: ms <= suspiciousMs ? ms : leastMs(() => read(decoder, input)) };
}

/** The least that something takes of several times: others use the machine, and garbage is collected. */
export function leastMs(run: () => unknown): number {
  const times = Array.from({ length: retries }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  });
  return Math.min(...times);
}

/** What a decoder makes of an input: `accepted`, `refused`, or what it must not do. */
export function read(decoder: Decoder, input: Buffer): string {
  try {
    return decoder.read(Buffer.from(input)) ? 'accepted' : 'refused';
  } catch (error) {
    if (isFoundationError(error)) return 'refused';
    return `it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** Names of what all objects have. */
function prototypes(): string {
  return [Object.prototype, Array.prototype, Function.prototype, Map.prototype, String.prototype]
    .map((prototype) => Object.getOwnPropertyNames(prototype).length)
    .join();
}

/** What several came to with the same decoder. */
export function together(readings: readonly Reading[]): Reading {
  const sum = (key: 'inputs' | 'accepted'): number =>
    readings.reduce((total, each) => total + each[key], 0);
  return {
    inputs: sum('inputs'),
    accepted: sum('accepted'),
    slowestMs: Math.max(...readings.map(({ slowestMs }) => slowestMs)),
    harms: readings.flatMap(({ harms }) => harms),
  };
}

/** Where all inputs are good, or all are refused, nothing was tried: that is a failure, too. */
export function verdictOf(decoder: string, reading: Reading): Omit<GoalResult, 'seed'> {
  const { inputs, accepted, harms } = reading;
  return {
    goal: `G10 ${decoder}, bad inputs that did harm`,
    value: harms.length,
    limit: `0 of ${inputs}; each <= ${readMsMax} ms`,
    ok: harms.length === 0 && accepted > 0 && accepted < inputs,
  };
}

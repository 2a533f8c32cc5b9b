import { setTimeout as pause } from 'node:timers/promises';

import type { Random } from '@foundation/core';

import { machineMs } from './machine-clock.ts';

/** Something that can be made to go wrong, until it is ended. */
export interface Fault {
  readonly kind: string;
  /** Whom it silences, where it does. */
  readonly silences?: string;
  begin(): Promise<void>;
  end(): Promise<void>;
  /** How many times it has struck since it began, where that is counted; asked before it ends. */
  readonly hits?: () => Promise<number>;
}

/** A fault that was there, by the machine's clock in milliseconds. */
export interface FaultSpan {
  readonly kind: string;
  readonly silences: string | undefined;
  readonly hits: number | undefined;
  readonly from: number;
  readonly to: number;
}

export interface NemesisOptions {
  /** Makes the next fault of each kind. */
  readonly faults: readonly (() => Fault)[];
  readonly random: Random;
  /** By the machine's clock, in milliseconds. */
  readonly endsAt: number;
  /** Longest that a fault lasts, in milliseconds. @defaultValue 2000 */
  readonly faultMs?: number;
  /** How much longer it lasts at most when it has struck nothing yet, in milliseconds. @defaultValue 5000 */
  readonly strikeMs?: number;
  /** The longest peace between two faults, in milliseconds. @defaultValue 2000 */
  readonly peaceMs?: number;
}

/** Lets one fault after the other happen, each kind as often as any other, in an order drawn by chance. */
export async function torment({
  faults,
  random,
  endsAt,
  faultMs = 2_000,
  strikeMs = 5_000,
  peaceMs = 2_000,
}: NemesisOptions): Promise<readonly FaultSpan[]> {
  const spans: FaultSpan[] = [];
  for (;;) {
    for (const next of shuffled(faults, random)) {
      await pause(peaceMs * random.next());
      if (machineMs() > endsAt) return spans;
      const fault = next();
      const from = machineMs();
      await fault.begin();
      await pause(faultMs * (0.25 + 0.75 * random.next()));
      try {
        const { hits, to } = await hitsOf(fault, machineMs() + strikeMs);
        spans.push({ kind: fault.kind, silences: fault.silences, hits, from, to });
      } finally {
        await fault.end();
      }
    }
  }
}

/**
 * How many times a fault has struck, after it has or a moment has come: two servers that are cut off from each other may
 * have little to say to each other, as followers of a third.
 */
async function hitsOf({ hits }: Fault, until: number): Promise<Pick<FaultSpan, 'hits' | 'to'>> {
  for (;;) {
    const count = await hits?.();
    if (count !== 0 || machineMs() > until) return { hits: count, to: machineMs() };
    await pause(50);
  }
}

function shuffled<T>(all: readonly T[], random: Random): readonly T[] {
  return all
    .map((each) => ({ each, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

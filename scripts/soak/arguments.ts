import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  readonly seed: string;
  /** One JSON object on stdout, and nothing else there. */
  readonly json: boolean;
}

export const usage = `npm run soak -- processes [--minutes N] [--seed S] [--json]

  --minutes N   how long, also a part of a minute or 1440 for a day   (5)
  --seed S      of all that is left to chance                         (a new one)
  --json        print one JSON object on stdout, and nothing else`;

/** @throws Error saying which argument is wrong. */
export function soakArguments(words: readonly string[], newSeed: () => string): SoakArguments {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.join(' ') !== 'processes') throw new Error('say what to soak: `processes`');
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && Number.isFinite(minutes))) {
    throw new Error(`--minutes ${values.minutes}: expected a number above 0`);
  }
  return { minutes, seed: values.seed ?? newSeed(), json: values.json };
}

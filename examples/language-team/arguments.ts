import { parseArgs } from 'node:util';

import { FoundationError } from '@foundation/core';

export interface DemoOptions {
  /** Prints one JSON object and nothing else. */
  readonly json: boolean;
  /** Of the corpus and of the search. */
  readonly seed: number;
  readonly nodes: number;
  /** Whether the node with the ledger is killed half-way. */
  readonly kill: boolean;
  readonly candidates: number;
}

export const usage = `npm run demo -- [--seed N] [--nodes N] [--candidates N] [--no-kill] [--json]

  --seed N        of the snippets and of the search         (1)
  --nodes N       nodes of the cluster, 1 to 9              (3)
  --candidates N  teams to try, at least 8                  (240)
  --no-kill       let the node with the ledger live
  --json          print one JSON object and nothing else`;

/** @throws FoundationError `INVALID_OPTION` naming the argument. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const { values } = parse(args);
  return {
    json: values.json ?? false,
    kill: !(values['no-kill'] ?? false),
    seed: whole('seed', values.seed ?? '1', [0, 2 ** 31]),
    nodes: whole('nodes', values.nodes ?? '3', [1, 9]),
    candidates: whole('candidates', values.candidates ?? '240', [8, 10_000]),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        'no-kill': { type: 'boolean' },
        seed: { type: 'string' },
        nodes: { type: 'string' },
        candidates: { type: 'string' },
      },
    });
  } catch (cause) {
    throw new FoundationError('INVALID_OPTION', (cause as Error).message, { hint: usage, cause });
  }
}

function whole(name: string, text: string, [min, max]: readonly [number, number]): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new FoundationError(
    'INVALID_OPTION',
    `--${name} ${text}: expected a whole number from ${min} to ${max}`,
    {
      hint: usage,
    },
  );
}

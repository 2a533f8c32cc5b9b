import { InvalidArgumentError, type Command } from 'commander';

import type { ObserveOptions } from './observe.ts';

/** What every look into a cluster is told. */
export interface ViewOptions {
  readonly cluster?: string;
  readonly directory?: string;
  readonly json?: true;
  readonly wait: number;
}

/** Longest time to look for nodes, in milliseconds. */
const defaultWaitMs = 2_000;

/** Adds a command that looks into a cluster. */
export function viewCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .option('--cluster <name>', 'name of the cluster (default: that of the nearest package.json)')
    .option('--directory <path>', 'where clusters keep their files (default: $FOUNDATION_HOME)')
    .option('--json', 'print one JSON object')
    .option('--wait <ms>', 'longest time to look for nodes', positive, defaultWaitMs);
}

/** Which cluster is meant. */
export function observed({ wait, cluster, directory }: ViewOptions): ObserveOptions {
  return {
    waitMs: wait,
    ...(cluster === undefined ? {} : { cluster }),
    ...(directory === undefined ? {} : { directory }),
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a positive number of milliseconds.');
}

import type { NodeOptions } from '@foundation/core';
import type { SettingsFrom } from '@foundation/core/internal';
import { InvalidArgumentError, type Command } from 'commander';

import type { Observed } from './observe.ts';

/** What a command is told about the configuration of nodes. */
export interface SettingsOptions {
  readonly cluster?: string;
  readonly directory?: string;
  readonly profile?: string;
  readonly file?: string;
  readonly json?: true;
}

/** What every look into a cluster is told. */
export interface ViewOptions extends SettingsOptions {
  readonly wait?: number;
}

/** Adds a command that goes by the configuration of nodes. */
export function settingsCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .option('--cluster <name>', 'name of the cluster (default: that of the nearest package.json)')
    .option('--directory <path>', 'where clusters keep their files (default: $FOUNDATION_HOME)')
    .option('--profile <name>', 'as if this were the profile')
    .option('--file <path>', 'the file of settings (default: the nearest foundation.config.ts)')
    .option('--json', 'print one JSON object');
}

/** Adds a command that looks into a cluster. */
export function viewCommand(program: Command, name: string): Command {
  return settingsCommand(program, name).option(
    '--wait <ms>',
    'longest time to look for nodes (default: 2000, beyond one machine 5000)',
    positive,
  );
}

/** Which cluster is meant. */
export function observed(options: ViewOptions): Observed {
  return { options: nodeOptions(options), from: surroundings(), waitMs: options.wait };
}

export function nodeOptions({ cluster, directory, profile, file }: SettingsOptions): NodeOptions {
  const given = { clusterName: cluster, directory, profile, config: file };
  // What is wrong is refused with its value where settings are checked.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function surroundings(): SettingsFrom {
  return { environment: process.env, cwd: process.cwd(), program: 'arguments' };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a positive number of milliseconds.');
}

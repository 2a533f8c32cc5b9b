import { readFileSync } from 'node:fs';

import { type FoundationError, isFoundationError } from '@foundation/core';
import { printable } from '@foundation/core/internal';
import { Command, CommanderError } from 'commander';

import { agentCommands } from './agent-commands.ts';
import { printConfig, viewConfig } from './config.ts';
import { coordinationCommands } from './coordination-commands.ts';
import { printDoctor, viewDoctor } from './doctor.ts';
import { Incomplete, tellUnanswered } from './incomplete.ts';
import { keyCommands } from './key-commands.ts';
import { printNodes, viewNodes } from './nodes.ts';
import { observe } from './observe.ts';
import { printProcesses, viewProcesses } from './processes.ts';
import {
  nodeOptions,
  observed,
  settingsCommand,
  surroundings,
  viewCommand,
  type SettingsOptions,
  type ViewOptions,
} from './view-command.ts';

/** The exit code of a program: done; it could not be done; the command line cannot be understood. */
export type ExitCode = 0 | 1 | 2;

/** Carries out one command line; writes the answer to stdout and problems to stderr. */
export async function runCommandLine(words: readonly string[]): Promise<ExitCode> {
  try {
    await commandLine().parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Incomplete) return 1;
    if (!isFoundationError(error)) throw error;
    // What another node has said may be part of it.
    console.error(printable(`error: ${error.message}`));
    for (const problem of problemsOf(error)) console.error(printable(`  ${problem}`));
    if (error.hint !== undefined) console.error(printable(error.hint));
    return error.code === 'INVALID_OPTION' ? 2 : 1;
  }
}

/** All that is wrong with a file. */
function problemsOf({ details }: FoundationError): readonly string[] {
  const problems: unknown = Object(details).problems;
  return Array.isArray(problems) ? problems.map(String) : [];
}

function commandLine(): Command {
  const program = new Command('fnd')
    .description('Looks into a running cluster, at what a node would do here, and makes keys.')
    .version(version())
    .exitOverride();
  viewCommand(program, 'nodes')
    .description('lists the nodes')
    .action((options: ViewOptions) => showNodes(options));
  viewCommand(program, 'processes')
    .description('lists the processes of all nodes')
    .action((options: ViewOptions) => showProcesses(options));
  settingsCommand(program, 'config')
    .description('shows every setting, its value and where that comes from')
    .action((options: SettingsOptions) => showConfig(options));
  settingsCommand(program, 'doctor')
    .description('says how a node would find others here, with evidence, and what it lacks')
    .action((options: SettingsOptions) => showDoctor(options));
  agentCommands(program);
  coordinationCommands(program);
  keyCommands(program);
  return program;
}

async function showConfig(options: SettingsOptions): Promise<void> {
  const view = await viewConfig(nodeOptions(options), surroundings());
  console.log(options.json ? JSON.stringify(view) : printConfig(view));
}

async function showDoctor(options: SettingsOptions): Promise<void> {
  const view = await viewDoctor(nodeOptions(options), surroundings());
  console.log(options.json ? JSON.stringify(view) : printDoctor(view));
  if (!view.isFine) throw new Incomplete();
}

async function showNodes(options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), viewNodes);
  console.log(options.json ? JSON.stringify(view) : printNodes(view));
}

async function showProcesses(options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), viewProcesses);
  console.log(options.json ? JSON.stringify(view) : printProcesses(view));
  tellUnanswered(view.unanswered);
}

function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return String(Object(manifest).version);
}

import { existsSync, readFileSync } from 'node:fs';

import { FoundationError, messageOf } from '@foundation/core';
import { printable } from '@foundation/core/internal';
import { withoutSecret, type Outcome } from '@foundation/core/mabeam';
import type { Command } from 'commander';

import { type Evidence, readEvidence, recompute } from './evidence.ts';
import { Incomplete, tellUnanswered } from './incomplete.ts';
import { jsonOf } from './json.ts';
import { observe, type Observed } from './observe.ts';
import { protocolsOf } from './protocols.ts';
import { runScenario } from './scenario-run.ts';
import { readScenario } from './scenario.ts';
import { printSession, printSessions, viewSession, viewSessions } from './sessions.ts';
import { observed, viewCommand, type ViewOptions } from './view-command.ts';

/** Adds the commands about agents that decide together. */
export function coordinationCommands(program: Command): void {
  const coordination = program
    .command('coordination')
    .description('holds sessions, looks into those of a cluster, and checks how they ended');
  coordination
    .command('run')
    .description('holds a session among scripted participants and prints how it ended, as JSON')
    .argument('<file>', 'protocol, spec, options and participants, as JSON')
    .option('--json', 'as it does anyway')
    .option('--no-record', 'leave out how it came about')
    .option(...protocolsOption)
    .action(run);
  viewCommand(coordination, 'list')
    .description('lists the sessions that nodes hold or remember')
    .action(list);
  viewCommand(coordination, 'show')
    .description('shows one session')
    .argument('<session>', 'its id')
    .action(show);
  viewCommand(coordination, 'replay')
    .description('computes how a session ended once more, from its record')
    .argument(
      '<file>',
      'an outcome, a record or an audit log as JSON; or the id of a durable session',
    )
    .option(...protocolsOption)
    .action(replayed);
  viewCommand(coordination, 'verify')
    .description('checks that a session ended as somebody says')
    .argument(
      '<file>',
      'an outcome, a record or an audit log as JSON; or the id of a durable session',
    )
    .option(...protocolsOption)
    .option('--signer <key>', 'public key, in base64, of who must have signed the audit log')
    .action(verified);
}

const protocolsOption = [
  '--protocols <module>',
  'module that exports protocols of your own, which are known besides those of Foundation',
] as const;

interface KnownProtocols {
  readonly protocols?: string;
}

async function run(
  file: string,
  options: KnownProtocols & { readonly record: boolean },
): Promise<void> {
  const outcome = await runScenario(readScenario(file, await protocolsOf(options.protocols)));
  console.log(jsonOf(options.record ? outcome : withoutRecord(outcome)));
}

async function list(options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), viewSessions);
  console.log(options.json ? jsonOf(view) : printSessions(view));
  if (view.omitted > 0) console.error(`${view.omitted} older sessions are not listed`);
  tellUnanswered(view.unanswered);
}

async function show(id: string, options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), (node) => viewSession(node, id));
  console.log(options.json ? jsonOf(view) : printSession(view));
}

async function replayed(source: string, options: ViewOptions & KnownProtocols): Promise<void> {
  const protocols = await protocolsOf(options.protocols);
  const { outcome, problems } = recompute(await evidenceAt(source, options), protocols);
  console.log(options.json ? jsonOf(outcome) : printOutcome(outcome));
  complain(problems);
}

interface VerifyOptions extends ViewOptions, KnownProtocols {
  readonly signer?: string;
}

async function verified(source: string, options: VerifyOptions): Promise<void> {
  const problems = await problemsOf(source, options);
  if (options.json) console.log(jsonOf({ ok: problems.length === 0, problems }));
  else if (problems.length === 0) console.log('all is well');
  complain(problems);
}

/** What is wrong is the answer here, and no failure to give one. */
async function problemsOf(source: string, options: VerifyOptions): Promise<readonly string[]> {
  const protocols = await protocolsOf(options.protocols);
  try {
    return recompute(await evidenceAt(source, options), protocols).problems;
  } catch (error) {
    if (error instanceof FoundationError && error.code === 'MALFORMED') return [error.message];
    throw error;
  }
}

function complain(problems: readonly string[]): void {
  for (const problem of problems) console.error(printable(problem));
  if (problems.length > 0) throw new Incomplete();
}

async function evidenceAt(
  source: string,
  options: ViewOptions & { readonly signer?: string },
): Promise<Evidence> {
  if (existsSync(source)) return readEvidence(parse(source), options.signer);
  if (/^[\da-f]{32}$/.test(source)) return storedIn(observed(options), source);
  throw new FoundationError('INVALID_OPTION', `there is no file ${source}, and it is no id`);
}

async function storedIn(cluster: Observed, id: string): Promise<Evidence> {
  return observe({ ...cluster, usesStore: true }, async (node) => ({
    record: withoutSecret(await node.mabeam.coordination.stored(id)),
  }));
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FoundationError('INVALID_OPTION', `${path} is no JSON: ${messageOf(error)}`);
  }
}

function printOutcome({ status, result, reasons, detail }: Outcome<unknown>): string {
  return [
    status,
    ...(result === undefined ? [] : [`result: ${jsonOf(result)}`]),
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...Object.entries(reasons).map(([id, reason]) => `${id}: ${reason}`),
  ]
    .map(printable)
    .join('\n');
}

function withoutRecord(outcome: Outcome<unknown>): Omit<Outcome<unknown>, 'record'> {
  const { record: _, ...claim } = outcome;
  return claim;
}

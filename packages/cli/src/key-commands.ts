import { applicationName } from '@foundation/core/internal';
import { InvalidArgumentError, type Command } from 'commander';

import { makeSecret } from './secret.ts';

interface NewCertificates {
  readonly cluster?: string;
  readonly out: string;
  readonly days?: number;
  readonly renew?: true;
}

const daysMax = 3_650;

/** Adds the commands that make keys. */
export function keyCommands(program: Command): void {
  program
    .command('secret')
    .description('makes secrets')
    .command('new')
    .description('makes a secret, for all nodes of a cluster')
    .option('--out <file>', 'write it to a new file that only you can read (default: to stdout)')
    .action(({ out }: { readonly out?: string }) => makeSecret(out));
  program
    .command('cert')
    .description('makes certificates')
    .command('new')
    .description('makes a folder with a certificate for each node, and their authority once')
    .argument('<node...>', 'names of the nodes')
    .option('--cluster <name>', 'name of the cluster (default: that of the nearest package.json)')
    .option('--out <folder>', 'where the folders are made', 'certificates')
    .option(
      '--days <n>',
      'how long they hold (default: 365, or as long as the one that is replaced)',
      days,
    )
    .option('--renew', 'replace the certificates of nodes that have one')
    .action(newCertificates);
}

async function newCertificates(
  nodes: readonly string[],
  { cluster = applicationName(process.cwd()), renew, ...options }: NewCertificates,
): Promise<void> {
  // Only here: it takes a while to load.
  const { makeCertificates } = await import('./certificates.ts');
  await makeCertificates(nodes, { cluster, renew: renew === true, ...options });
}

function days(text: string): number {
  const value = Number(text);
  if (value >= 1 && value <= daysMax && Number.isInteger(value)) return value;
  throw new InvalidArgumentError(`Expected a whole number of days, 1 to ${daysMax}.`);
}

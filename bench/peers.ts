import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { hasCommand } from './spinner.ts';
import type { Subject } from './suite.ts';

const cache = new URL('.cache/', import.meta.url);
const peersFile = new URL('peers.json', import.meta.url);

/** Peers by name: npm packages with their exact versions, and Debian packages. */
interface Peers {
  readonly npm: Readonly<Record<string, string>>;
  readonly debian: Readonly<Record<string, readonly string[]>>;
}

/**
 * Installs what the subjects need and this machine lacks: npm packages into `.cache`, never into the
 * product; Debian packages through apt-get.
 *
 * @returns why a subject is absent, by its name; subjects that can run are not in it.
 */
export function installPeers(subjects: readonly Subject[]): ReadonlyMap<string, string> {
  const peers = readPeers();
  const absent = new Map<string, string>();
  for (const { name, needs } of subjects) {
    const problem =
      (needs?.npm === undefined ? undefined : installNpm(needs.npm, peers)) ??
      (needs?.debian === undefined ? undefined : installDebian(needs.debian, peers));
    if (problem !== undefined) absent.set(name, problem);
  }
  return absent;
}

function installNpm(name: string, { npm }: Peers): string | undefined {
  const wanted = npm[name];
  if (wanted === undefined) return `${name} is not in peers.json`;
  if (installedVersion(name) === wanted) return undefined;
  mkdirSync(cache, { recursive: true });
  const manifest = { name: 'bench-peers', private: true, dependencies: npm };
  writeFileSync(new URL('package.json', cache), `${JSON.stringify(manifest, undefined, 2)}\n`);
  run('npm', [
    'install',
    '--prefix',
    cache.pathname,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
  ]);
  return installedVersion(name) === wanted ? undefined : `npm could not install ${name} ${wanted}`;
}

function installDebian(name: string, { debian }: Peers): string | undefined {
  const packages = debian[name] ?? [];
  if (hasCommand('erl') && hasCommand('elixir')) return undefined;
  if (!hasCommand('apt-get')) return `needs ${packages.join(' and ')}, and there is no apt-get`;
  if (process.getuid?.() !== 0) return `needs \`apt-get install ${packages.join(' ')}\` (as root)`;
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  if (hasCommand('erl') && hasCommand('elixir')) return undefined;
  return `apt-get could not install ${packages.join(' ')}`;
}

/** Runs an installer. All that it says goes to stderr; whether it worked is seen by what is there. */
function run(command: string, args: readonly string[]): void {
  process.stderr.write(`installing: ${command} ${args.join(' ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr], env });
}

function installedVersion(name: string): string | undefined {
  try {
    const file = new URL(`node_modules/${name}/package.json`, cache);
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(found) && typeof found['version'] === 'string' ? found['version'] : undefined;
  } catch {
    return undefined; // not installed, or broken: installing decides
  }
}

function readPeers(): Peers {
  const found: unknown = JSON.parse(readFileSync(peersFile, 'utf8'));
  if (isPeers(found)) return found;
  throw new Error('expected peers.json to hold { npm, debian }');
}

function isPeers(value: unknown): value is Peers {
  return isRecord(value) && isRecord(value['npm']) && isRecord(value['debian']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

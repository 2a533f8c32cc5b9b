import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { FoundationError, messageOf } from '../errors.ts';
import { fnv1a } from '../random.ts';
import { isClusterName } from './names.ts';

/** Where to look for a cluster's directory. */
export interface ClusterHomeOptions {
  /** Name of the cluster. @defaultValue the `name` of the nearest package.json at or above `cwd` */
  readonly cluster?: string | undefined;
  /**
   * Directory that holds one directory a cluster.
   * @defaultValue `FOUNDATION_HOME`, or `foundation` in the user's state directory
   */
  readonly directory?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Where a cluster keeps its files on this machine. */
export interface ClusterHome {
  /** Name of the cluster. */
  readonly name: string;
  /** For this user's eyes only: mode 0700. */
  readonly directory: string;
  readonly databasePath: string;
  /** A secret that somebody has put there. */
  readonly secretPath: string;
  /** The one that nodes make where they may: production does not take it. */
  readonly madeSecretPath: string;
}

/**
 * Finds a cluster's directory and makes it. Applications with different names never meet.
 *
 * @throws FoundationError `INVALID_OPTION` for a bad cluster name, or a directory that cannot be made
 * private to this user.
 */
export function clusterHome(options: ClusterHomeOptions): ClusterHome {
  const home = locateHome(options);
  makePrivate(home.directory);
  return home;
}

/**
 * Where a cluster's directory is or would be.
 *
 * @throws FoundationError `INVALID_OPTION` for a bad cluster name.
 */
export function locateHome(options: ClusterHomeOptions): ClusterHome {
  const name = options.cluster ?? applicationName(options.cwd);
  if (!isClusterName(name)) {
    throw new FoundationError('INVALID_OPTION', `"${name}" cannot be the name of a cluster`, {
      hint: 'Use 1 to 64 lower-case letters, digits, ".", "_" or "-", a letter or digit first.',
      details: { option: 'cluster', value: name },
    });
  }
  const root = options.directory ?? (options.env['FOUNDATION_HOME'] || stateDirectory(options.env));
  const directory = join(resolve(options.cwd, root), name);
  return {
    name,
    directory,
    databasePath: join(directory, 'cluster.db'),
    secretPath: join(directory, 'secret'),
    madeSecretPath: join(directory, 'development-secret'),
  };
}

/** The nearest package.json's name, fit for a cluster; without one, a name that no other directory has. */
export function applicationName(cwd: string): string {
  const start = resolve(cwd);
  for (let directory = start; ; directory = dirname(directory)) {
    const name = sanitize(packageName(join(directory, 'package.json')) ?? '');
    if (name !== '') return name;
    if (dirname(directory) === directory) return `unnamed-${fnv1a(start).toString(16)}`;
  }
}

function packageName(path: string): string | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null || !('name' in content)) return undefined;
    return typeof content.name === 'string' ? content.name : undefined;
  } catch {
    return undefined;
  }
}

/** `@acme/shop` becomes `acme--shop`, so that it is not taken for a package `acme-shop`. */
function sanitize(text: string): string {
  return text
    .toLowerCase()
    .replaceAll('/', '--')
    .replaceAll(/[^a-z0-9._-]/g, '')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
}

function stateDirectory(env: ClusterHomeOptions['env']): string {
  const home = homedir();
  const standard = {
    darwin: join(home, 'Library', 'Application Support'),
    win32: env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'),
  };
  const state =
    process.platform === 'darwin' || process.platform === 'win32'
      ? standard[process.platform]
      : env['XDG_STATE_HOME'] || join(env['HOME'] || home, '.local', 'state');
  return join(state, 'foundation');
}

function makePrivate(directory: string): void {
  try {
    makeAll(directory);
    if ((statSync(directory).mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (error) {
    throw new FoundationError(
      'INVALID_OPTION',
      `the cluster's directory ${directory} cannot be made: ${messageOf(error)}`,
      {
        hint: 'Set FOUNDATION_HOME to a directory that this user may write.',
        details: { option: 'directory', value: directory },
        cause: error,
      },
    );
  }
}

/** Not `recursive` of `mkdirSync`: that never returns below a directory that takes none, such as /proc. */
function makeAll(directory: string): void {
  if (existsSync(directory)) return;
  makeAll(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another node may have been faster.
    if (!existsSync(directory)) throw error;
  }
}

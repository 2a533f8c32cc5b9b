import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A program of a Debian package. */
export interface DebianProgram {
  readonly package: string;
  /** Its path inside the package, for instance `usr/bin/etcd`. */
  readonly path: string;
  /**
   * A newer suite than the machine's, for instance `forky`, for a package that needs no library of it.
   * @defaultValue the machine's own
   */
  readonly suite?: string;
  /**
   * `unpack`: only the package's own files, in a cache of this user, beside what the system has; no service is
   * started. `install`: with `apt-get install`, for a package that needs others.
   * @defaultValue 'unpack'
   */
  readonly how?: 'unpack' | 'install';
}

/** Longest that another process may be at it, in milliseconds: apt is slow on some days. */
const lockMs = 180_000;
const mirror = 'http://deb.debian.org/debian';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Brings a program onto this machine, unless it is there. Test files that need the same one at once wait for the
 * first.
 *
 * @returns its path
 * @throws Error with what apt said when it cannot be had.
 */
export async function debianProgram(program: DebianProgram): Promise<string> {
  const root = join(cacheDirectory(), `${program.package}-${program.suite ?? 'own'}`);
  const path = program.how === 'install' ? `/${program.path}` : join(root, program.path);
  if (existsSync(path)) return path;
  mkdirSync(cacheDirectory(), { recursive: true });
  await withLock(join(cacheDirectory(), 'lock'), () => {
    if (existsSync(path)) return;
    if (program.how === 'install') install(program);
    else unpack(program, root);
  });
  if (existsSync(path)) return path;
  throw new Error(`the package ${program.package} has no ${program.path}`);
}

function cacheDirectory(): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(caches, 'foundation-test-servers');
}

function install({ package: name }: DebianProgram): void {
  // Without a policy the package's scripts would start the service.
  const policy = '/usr/sbin/policy-rc.d';
  if (!existsSync(policy)) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  updateLists();
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name]);
}

function unpack({ package: name, suite }: DebianProgram, root: string): void {
  const work = mkdtempSync(join(tmpdir(), 'foundation-debian-'));
  try {
    const options = suite === undefined ? [] : privateLists(suite);
    if (suite === undefined) updateLists();
    else run('apt-get', [...options, 'update', '-qq']);
    run('apt-get', [...options, 'download', '-qq', name], work);
    const file = readdirSync(work).find((each) => each.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get has downloaded no ${name}`);
    run('dpkg', ['-x', join(work, file), join(work, 'root')]);
    rmSync(root, { recursive: true, force: true });
    renameOrCopy(join(work, 'root'), root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function renameOrCopy(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    run('cp', ['-a', from, `${to}.part`]); // another file system
    renameSync(`${to}.part`, to);
  }
}

/** Lists of packages apart from the system's, which knows nothing of the other suite. */
function privateLists(suite: string): readonly string[] {
  const home = join(cacheDirectory(), `apt-${suite}`);
  mkdirSync(join(home, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(home, 'cache', 'archives', 'partial'), { recursive: true });
  const list = join(home, 'sources.list');
  writeFileSync(list, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(home, 'lists'),
    'Dir::Cache': join(home, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

let isUpdated = false;

function updateLists(): void {
  if (isUpdated) return;
  isUpdated = true;
  // One foreign source that does not answer is no reason to give up: what is needed decides.
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
}

function run(command: string, args: readonly string[], cwd?: string): void {
  const { status, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}

/** A directory is made by one only. One that is old belongs to a process that was killed. */
async function withLock(path: string, action: () => void): Promise<void> {
  for (;;) {
    try {
      mkdirSync(path);
      break;
    } catch {
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > lockMs) rmSync(path, { recursive: true, force: true });
      await pause(100);
    }
  }
  try {
    action();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { clusterHome } from './home.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'foundation-home-')));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Makes a directory below the test's own, with a package.json when it is given one. */
function project(path: string, packageJson?: string): string {
  const directory = join(root, path);
  mkdirSync(directory, { recursive: true });
  if (packageJson !== undefined) writeFileSync(join(directory, 'package.json'), packageJson);
  return directory;
}

const nameFor = (cwd: string): string =>
  clusterHome({ env: { FOUNDATION_HOME: join(root, 'state') }, cwd }).name;

describe("a cluster's name", () => {
  it('is that of the nearest package with a name', () => {
    project('shop', '{ "name": "shop" }');
    project('shop/src', '{ "type": "module" }');
    project('shop/src/broken', '{ not json');
    expect(nameFor(project('shop/src/broken/deep'))).toBe('shop');
  });

  it('keeps packages of one name but another scope apart', () => {
    expect(nameFor(project('1', '{ "name": "@acme/shop" }'))).toBe('acme--shop');
    expect(nameFor(project('2', '{ "name": "@other/shop" }'))).toBe('other--shop');
  });

  it('differs from directory to directory where there is no package', () => {
    const names = [nameFor(project('one')), nameFor(project('two')), nameFor(project('one'))];
    expect(names[0]).toMatch(/^unnamed-/);
    expect(names[1]).not.toBe(names[0]);
    expect(names[2]).toBe(names[0]);
  });

  it.each(['', '..', '../other', 'a/b', 'A', '-a', 'a b', 'ü', 'a'.repeat(65)])(
    'cannot be %j',
    (cluster) => {
      const start = (): unknown => clusterHome({ cluster, directory: root, env: {}, cwd: root });
      expect(start).toThrow(`"${cluster}" cannot be the name of a cluster`);
      expect(start).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          hint: expect.stringContaining('lower-case'),
          details: { option: 'cluster', value: cluster },
        }),
      );
    },
  );
});

describe("a cluster's directory", () => {
  it('is in the directory given, else in FOUNDATION_HOME, else with the state of the user', () => {
    const env = { XDG_STATE_HOME: join(root, 'xdg'), HOME: join(root, 'me') };
    const home = { ...env, FOUNDATION_HOME: join(root, 'home') };
    const at = (options: { directory?: string; env: Record<string, string> }): string =>
      clusterHome({ cluster: 'shop', cwd: root, ...options }).directory;
    expect(at({ directory: 'given', env: home })).toBe(join(root, 'given/shop'));
    expect(at({ env: home })).toBe(join(root, 'home/shop'));
    if (process.platform !== 'linux') return;
    expect(at({ env })).toBe(join(root, 'xdg/foundation/shop'));
    expect(at({ env: { HOME: env.HOME } })).toBe(join(root, 'me/.local/state/foundation/shop'));
  });

  it('holds the database and the secrets', () => {
    const home = clusterHome({ cluster: 'shop', directory: root, env: {}, cwd: root });
    expect(home).toEqual({
      name: 'shop',
      directory: join(root, 'shop'),
      databasePath: join(root, 'shop/cluster.db'),
      secretPath: join(root, 'shop/secret'),
      madeSecretPath: join(root, 'shop/development-secret'),
    });
  });

  it.skipIf(process.platform === 'win32')('is for this user only, also when it was not', () => {
    const make = (): number =>
      statSync(clusterHome({ cluster: 'shop', directory: root, env: {}, cwd: root }).directory)
        .mode & 0o777;
    expect(make()).toBe(0o700);
    chmodSync(join(root, 'shop'), 0o755);
    expect(make()).toBe(0o700);
  });

  it.skipIf(process.platform !== 'linux')('is refused at once below /proc', () => {
    const start = (): unknown => clusterHome({ directory: '/proc/nope', env: {}, cwd: root });
    expect(start).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('is refused where it cannot be made', () => {
    writeFileSync(join(root, 'file'), '');
    const start = (): unknown =>
      clusterHome({ cluster: 'shop', directory: join(root, 'file'), env: {}, cwd: root });
    expect(start).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        hint: expect.stringContaining('FOUNDATION_HOME'),
        details: { option: 'directory', value: join(root, 'file/shop') },
      }),
    );
  });
});

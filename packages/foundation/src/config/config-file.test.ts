import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { fileSources, findConfigFile, readConfigFile } from './config-file.ts';

const root = mkdtempSync(join(tmpdir(), 'foundation-config-'));
afterAll(() => rmSync(root, { recursive: true }));

function write(directory: string, content: string, name = 'foundation.config.mjs'): string {
  mkdirSync(join(root, directory), { recursive: true });
  const path = join(root, directory, name);
  writeFileSync(path, content);
  return path;
}

describe('a file of settings', () => {
  it('is found in the nearest directory above', () => {
    const outer = write('found', 'export default {}');
    mkdirSync(join(root, 'found/a/b'), { recursive: true });
    expect(findConfigFile(join(root, 'found/a/b'))).toBe(outer);
    const inner = write('found/a', 'export default {}', 'foundation.config.ts');
    expect(findConfigFile(join(root, 'found/a/b'))).toBe(inner);
    expect(findConfigFile(join(root, 'nowhere'))).toBeUndefined();
  });

  it('is a module, so that it may compute', async () => {
    const path = write('computes', 'export default { name: `n${1 + 1}` };');
    expect(await readConfigFile(path)).toEqual({ path, values: { name: 'n2' } });
  });

  it.each([
    ['broken', 'export default {', /cannot be used/],
    ['throws', 'throw new Error("boom")', /boom/],
    ['no-default', 'export const name = 1', /no default export/],
    ['list', 'export default []', /no default export that is an object/],
  ])('is refused by its path when it is %s', async (directory, content, message) => {
    const path = write(directory, content);
    const refused = readConfigFile(path);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { path } });
    await expect(refused).rejects.toThrow(message);
  });
});

describe('a file of several clusters', () => {
  const file = {
    path: 'foundation.config.ts',
    values: { profile: 'test', role: 'member', clusters: { web: { role: 'observer' }, jobs: {} } },
  };

  it('sets what is common, and on top what a cluster has of its own', () => {
    expect(fileSources(file, 'web')).toEqual([
      { origin: 'foundation.config.ts', values: { profile: 'test', role: 'member' } },
      {
        origin: 'foundation.config.ts: clusters.web',
        values: { role: 'observer', clusterName: 'web' },
      },
    ]);
  });

  it('refuses a cluster that it does not have', () => {
    expect(() => fileSources(file, 'wep')).toThrow(/has no cluster "wep"/);
    expect(() => fileSources(file, 'constructor')).toThrow(/has no cluster/);
    expect(() => fileSources(file, undefined)).toThrow(/several clusters: which one/);
  });

  it('may say itself which one is meant', () => {
    const values = { ...file.values, clusterName: 'jobs' };
    expect(fileSources({ ...file, values }, undefined)[1]?.values).toEqual({ clusterName: 'jobs' });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { defineConfig, startNode, startNodes } from '../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'foundation-production-'));
afterAll(() => rmSync(directory, { recursive: true }));

const secret = Buffer.alloc(32, 7).toString('base64url');

describe('production', () => {
  it('refuses to start without keys, and says how to make them', async () => {
    const starting = startNode({ profile: 'production', directory, clusterName: 'bare' });
    await expect(starting).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      hint: expect.stringContaining('fnd secret new'),
    });
  });

  it('does not take a secret that development has made in the same directory', async () => {
    const shared = { config: false, directory, clusterName: 'grown', cluster: 'local' } as const;
    await startNode({ ...shared, profile: 'development' }).then((node) => node.stop());
    const starting = startNode({ ...shared, profile: 'production' });
    await expect(starting).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      hint: expect.stringContaining('fnd secret new'),
    });
    writeFileSync(join(directory, 'grown', 'secret'), secret, { mode: 0o600 });
    await using one = await startNode({ ...shared, profile: 'production' });
    // Development takes the one that somebody has put there, too.
    await using two = await startNode({ ...shared, profile: 'development' });
    await one.cluster.reached(2);
    expect(two.cluster.members()).toHaveLength(2);
  });

  it('starts with a secret that is given, and the others need the same', async () => {
    const options = { profile: 'production', directory, clusterName: 'given' } as const;
    await using one = await startNode({ ...options, name: 'one', secret });
    await using two = await startNode({ ...options, name: 'two', secret });
    await two.cluster.reached(2);
    const other = Buffer.alloc(32, 8).toString('base64url');
    await using three = await startNode({ ...options, name: 'three', secret: other });
    expect(three.cluster.members()).toHaveLength(1);
    expect(one.counters().refused).toMatchObject({ AUTHENTICATION_FAILED: expect.any(Number) });
  });

  it('takes a secret from a file, and says which file is missing', async () => {
    const path = join(directory, 'key');
    const options = { profile: 'production', directory, clusterName: 'file' } as const;
    await expect(startNode({ ...options, secretFile: path })).rejects.toThrow(path);
    writeFileSync(path, secret, { mode: 0o600 });
    await using node = await startNode({ ...options, secretFile: path });
    expect(node.cluster.members()).toHaveLength(1);
  });

  it('is not started with half of the certificates', async () => {
    const certificates = { ca: 'ca.pem', cert: 'cert.pem' };
    const starting = startNode({
      directory,
      clusterName: 'half',
      // As somebody without types would write it.
      ...({ certificates } as object),
    });
    await expect(starting).rejects.toThrow('lacks key');
  });

  it('needs no keys for a node alone', async () => {
    await using node = await startNode({ profile: 'production', cluster: 'off' });
    expect(node.cluster.members()).toHaveLength(1);
  });

  it('needs certificates and a shared store in the profile enterprise', async () => {
    const options = { profile: 'enterprise', directory, clusterName: 'big', secret } as const;
    await expect(startNode(options)).rejects.toMatchObject({ code: 'SECRET_MISSING' });
    const memory = startNode({ ...options, store: 'memory' });
    await expect(memory).rejects.toMatchObject({ code: 'STORE_UNSUITABLE' });
  });
});

describe('several clusters', () => {
  const path = join(directory, 'foundation.config.mjs');
  writeFileSync(
    path,
    `export default ${JSON.stringify(
      defineConfig({
        directory,
        name: 'app',
        clusters: { web: {}, jobs: { role: 'observer' } },
      }),
    )};`,
  );

  it('have a node each, with a role each', async () => {
    await using nodes = await startNodes({ config: path });
    expect(nodes.clusters).toEqual(['web', 'jobs']);
    expect(nodes.in('web').cluster.members()).toHaveLength(1);
    expect(nodes.in('jobs').cluster.members()).toHaveLength(0);
    expect(nodes.in('jobs').cluster.all()).toMatchObject([{ node: 'app', role: 'observer' }]);
    expect(() => nodes.in('wep')).toThrow(/in no cluster "wep"/);
    await using other = await startNode({ config: path, clusterName: 'web', name: 'other' });
    await other.cluster.reached(2);
  });

  it('are named when one asks for another', async () => {
    await expect(startNode({ config: path, clusterName: 'wep' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      hint: 'Known are: web, jobs.',
    });
  });

  it('leave nothing open when one of them cannot be started', async () => {
    await using blocker = await startNode({ config: path, clusterName: 'jobs' });
    await expect(startNodes({ config: path })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await using web = await startNode({ config: path, clusterName: 'web' });
    expect(web.name).toBe(blocker.name);
  });

  it('are there only with a file that has them', async () => {
    await expect(startNodes({ config: false })).rejects.toThrow(/no file of settings/);
    await expect(startNodes(null as never)).rejects.toThrow(/expected options, got: null/);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startNode } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { viewProcesses } from '../src/processes.ts';
import { fnd, fndIn, type Outcome } from './fnd.ts';
import type { MemberNode } from './member-node.ts';

let cluster: TestCluster<MemberNode>;
let members: readonly TestProcess<MemberNode>[];

beforeAll(async () => {
  cluster = new TestCluster<MemberNode>(new URL('member-node.ts', import.meta.url));
  members = await cluster.startAll(['a', 'b']);
  await cluster.eventually('both are there', async () => {
    const views = await Promise.all(members.map((each) => each.ask('view')));
    return views.every((view) => view.length === 2);
  });
  await Promise.all(members.map((each) => each.ask('greet')));
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Runs `fnd` on the cluster of this test. */
function look(...words: readonly string[]): Promise<Outcome> {
  return fnd(...words, '--cluster', cluster.name, '--directory', cluster.directory);
}

/** The cells of a printed table. */
function cells({ stdout }: Outcome): readonly (readonly string[])[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

describe('fnd nodes', () => {
  it('prints a row for each node', async () => {
    const address = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
    const rows = members.map(({ ready, osPid }, at) => [
      'ab'[at],
      'member',
      'up',
      String(ready),
      address,
      String(osPid),
    ]);
    const outcome = await look('nodes');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const [titles, ...lines] = cells(outcome);
    const columns = ['NODE', 'ROLE', 'STATUS', 'INCARNATION', 'ADDRESS', 'OS PID'];
    expect(titles).toEqual([...columns, 'ROUND TRIP', 'QUEUED']);
    expect(lines.slice(0, 2).map((line) => line.slice(0, columns.length))).toEqual(rows);
    // The other one was asked by the first.
    expect(lines[1]?.at(-2)).toMatch(/^\d+\.\d ms$/);
  });

  it('says how the cluster is, as a member sees it', async () => {
    const { stdout } = await look('nodes');
    // On a machine that has other things to do, too, the link may count as slow.
    expect(stdout).toMatch(/^(healthy|degraded), as a sees it/m);
    expect(stdout).toContain('split: available, 2 of 2 voters seen');
    expect(stdout).toMatch(/store: sqlite, for one machine, outlives process-crash, read in \d/);
  });

  it('prints one JSON object when asked to', async () => {
    const { code, stdout } = await look('nodes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: cluster.name,
      nodes: [
        { node: 'a', role: 'member', status: 'up', osPid: members[0]?.osPid },
        { node: 'b', role: 'member', status: 'up', osPid: members[1]?.osPid },
      ],
      health: { seenBy: 'a', split: { hasQuorum: true } },
    });
    expect(JSON.parse(stdout).health.status).toMatch(/^(healthy|degraded)$/);
  });

  it('is seen by the nodes, but never counted', async () => {
    await look('nodes');
    for (const member of members) {
      const { observers, countMax } = await member.ask('seen');
      expect(observers).toBeGreaterThan(0);
      expect(countMax).toBe(2);
    }
    await cluster.eventually('it has left', async () => {
      const views = await Promise.all(members.map((each) => each.ask('view')));
      return views.every((view) => view.length === 2);
    });
  });
});

describe('fnd processes', () => {
  it('prints the processes of all nodes, those in worker threads, too', async () => {
    const outcome = await look('processes');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const [titles, ...rows] = cells(outcome);
    expect(titles).toEqual([
      'NODE',
      'PROCESS',
      'NAME',
      'CAPABILITIES',
      'STATUS',
      'MAILBOX',
      'HANDLED',
      'RESTARTS',
      'THREAD',
      'PID',
    ]);
    for (const node of ['a', 'b']) {
      const greeter = [
        node,
        'greeter',
        `greeter of ${node}`,
        'greets,nods',
        'idle',
        '0',
        '1',
        '0',
        '0',
      ];
      const thinker = [node, 'thinker', `thinker of ${node}`, '-', 'idle', '0', '0', '0', '1'];
      expect(rows).toContainEqual([...greeter, expect.stringContaining(node)]);
      expect(rows).toContainEqual([...thinker, expect.stringContaining(node)]);
    }
  });

  it('prints one JSON object when asked to', async () => {
    const { code, stdout } = await look('processes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: cluster.name,
      unanswered: [],
      processes: expect.arrayContaining([
        expect.objectContaining({
          node: 'a',
          process: 'greeter',
          name: 'greeter of a',
          capabilities: ['greets', 'nods'],
          mailbox: 0,
        }),
        expect.objectContaining({ node: 'b', process: 'thinker', name: 'thinker of b' }),
      ]),
    });
  });

  it('shows what it can when a node does not answer, and says which one', async () => {
    const [, b] = members;
    await using node = await startNode({ ...cluster.options('observer'), role: 'observer' });
    await node.cluster.reached(2);
    b?.freeze();
    const { processes, unanswered } = await viewProcesses(node).finally(() => b?.thaw());
    expect(processes).toContainEqual(expect.objectContaining({ name: 'greeter of a' }));
    expect(unanswered).toEqual([
      { node: 'b', code: expect.any(String), message: expect.stringContaining('b') },
    ]);
  });
});

describe('fnd', () => {
  it('says so when no cluster is running', async () => {
    const words = ['nodes', '--cluster', 'nobody', '--directory', cluster.directory];
    expect(await fnd(...words, '--wait', '200')).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error: no cluster "nobody" is running\nLooked in .*nobody/),
    });
  });

  const mistakes: readonly (readonly [words: readonly string[], advice: string])[] = [
    [['noeds'], 'Did you mean nodes?'],
    [['nodes', '--jsn'], 'Did you mean --json?'],
    [['nodes', 'a'], 'too many arguments'],
    [['nodes', '--wait', 'long'], 'positive number of milliseconds'],
    [['nodes', '--cluster', 'A/B'], '"A/B" cannot be the name of a cluster'],
    [[], 'Usage: fnd'],
  ];
  it.each(mistakes)('refuses %j', async (words, advice) => {
    const { code, stdout, stderr } = await fnd(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(advice);
  });

  it('tells how it is used, and its version', async () => {
    const help = await fndIn({}, '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/nodes .*lists the nodes/);
    expect(await fndIn({}, '--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('fnd config', () => {
  it('prints every setting with its value and origin, and no secret', async () => {
    using file = settingsFile(
      'export default { listen: { port: 7401 }, secret: "do-not-show-me-1" };',
    );
    const outcome = await fnd('config', '--file', file.path, '--profile', 'production');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const rows = cells(outcome);
    expect(rows).toContainEqual(['listen.port', '7401', file.path, 'FOUNDATION_LISTEN_PORT']);
    expect(rows).toContainEqual(['profile', "'production'", 'arguments', 'FOUNDATION_PROFILE']);
    expect(rows).toContainEqual([
      'cluster.kind',
      "'auto'",
      'profile production',
      'FOUNDATION_CLUSTER',
    ]);
    expect(rows).toContainEqual(['secret', '[redacted]', file.path, 'FOUNDATION_SECRET']);
    expect(outcome.stdout).not.toContain('do-not-show-me');
    const { stdout } = await fnd('config', '--file', file.path, '--json');
    expect(stdout).not.toContain('do-not-show-me');
    expect(JSON.parse(stdout).settings).toContainEqual({
      setting: 'role',
      origin: 'default: member',
      variable: 'FOUNDATION_ROLE',
    });
  });

  it('names all that is wrong in a file at once', async () => {
    using file = settingsFile('export default { lisen: {}, role: "boss" };');
    const { code, stderr } = await fnd('config', '--file', file.path);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean `listen`?');
    expect(stderr).toContain("got: 'boss'");
  });
});

describe('fnd doctor', () => {
  it('says that production lacks a secret, and how to make one', async () => {
    using file = settingsFile('export default {};');
    const { directory } = file;
    const words = ['doctor', '--file', file.path, '--directory', directory, '--cluster', 'x'];
    const outcome = await fnd(...words, '--profile', 'production');
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toMatch(/keys +MISSING +the profile production needs a secret/);
    expect(outcome.stdout).toContain('fnd secret new');
    const fine = await fnd(...words, '--json');
    expect(fine.code).toBe(0);
    const view: unknown = JSON.parse(fine.stdout);
    expect(view).toMatchObject({ isFine: true, profile: 'development' });
  });

  it('prints what `auto` has decided, with its evidence', async () => {
    using file = settingsFile('export default { cluster: { kind: "auto", addresses: ["a:1"] } };');
    const { stdout } = await fnd('doctor', '--file', file.path);
    expect(stdout).toMatch(/static +yes +`cluster.addresses` is set by .*foundation.config.mjs/);
    expect(stdout).toMatch(/cluster +fine +static: `cluster.addresses` is set by/);
  });
});

function settingsFile(content: string): Disposable & { path: string; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'fnd-test-'));
  const path = join(directory, 'foundation.config.mjs');
  writeFileSync(path, content);
  return { path, directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

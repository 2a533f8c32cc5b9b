import { TestCluster, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentsNode } from './agents-node.ts';
import { fnd, type Outcome } from './fnd.ts';

let cluster: TestCluster<AgentsNode>;
let members: readonly TestProcess<AgentsNode>[];

beforeAll(async () => {
  cluster = new TestCluster<AgentsNode>(new URL('agents-node.ts', import.meta.url));
  members = await cluster.startAll(['a', 'b']);
  await cluster.formed(2);
  await Promise.all(members.map((each) => each.ask('agents')));
});
afterAll(() => cluster[Symbol.asyncDispose]());

function look(...words: readonly string[]): Promise<Outcome> {
  return fnd('agents', ...words, '--cluster', cluster.name, '--directory', cluster.directory);
}

/** The cells of a printed table. */
function cells({ stdout }: Outcome): readonly (readonly string[])[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => line.split(/ {2,}/));
}

// In this order: the last one needs a node that is gone.
describe('fnd agents', () => {
  it('lists the agents of all nodes with their status and what they use', async () => {
    const outcome = await look();
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const [titles, ...rows] = cells(outcome);
    expect(titles?.slice(0, 6)).toEqual(['AGENT', 'TYPE', 'NODE', 'STATUS', 'HEALTH', 'RESTARTS']);
    expect(titles?.slice(6, 10)).toEqual(['MAILBOX', 'MESSAGES/S', 'CPU', 'MEMORY']);
    expect(titles?.slice(10)).toEqual(['CAPABILITIES', 'PROBLEM']);
    expect(rows.map((row) => row.slice(0, 7))).toEqual([
      ['bad of a', 'worker', 'a', 'given_up', 'unknown', '0', '-'],
      ['bad of b', 'worker', 'b', 'given_up', 'unknown', '0', '-'],
      ['busy of a', 'clerk', 'a', 'active', 'unknown', '0', '0'],
      ['busy of b', 'clerk', 'b', 'active', 'unknown', '0', '0'],
    ]);
    expect(rows.map((row) => row.at(-1))).toEqual([
      'crash: out of paper',
      'crash: out of paper',
      '-',
      '-',
    ]);
    expect(rows[2]?.slice(8, 11)).toEqual([
      expect.stringMatching(/^\d+\.\d % \(estimate\)$/),
      '0.0 MB (estimate)',
      'write',
    ]);
  });

  it('shows one with all that is known of it, also as JSON', async () => {
    const { code, stdout } = await look('show', 'busy of b', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: cluster.name,
      agent: {
        id: 'busy of b',
        node: 'b',
        status: 'active',
        protocols: ['auction.vickrey'],
        limits: { cpuShare: 0.5 },
        pid: expect.stringContaining('b'),
        usage: { handled: 1, cpuShare: { by: 'estimate' } },
      },
    });
    const text = (await look('show', 'busy of b')).stdout;
    expect(text).toContain('protocols: auction.vickrey');
    expect(text).not.toContain('\u001B');
    expect(await look('show', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no node knows an agent nobody'),
    });
  });

  it('explains itself', async () => {
    const { code, stdout } = await fnd('agents', '--help');
    expect(code).toBe(0);
    for (const word of ['--json', '--cluster', 'show']) expect(stdout).toContain(word);
  });

  it('shows as lost what was on a node that is gone', async () => {
    const [a, b] = members;
    await b?.kill();
    await cluster.eventually('it is noticed', async () => (await a?.ask('lost')) === 2);
    const { stdout } = await look('--json');
    expect(JSON.parse(stdout).agents).toMatchObject([
      { id: 'bad of a', status: 'given_up', lastExit: 'crash: out of paper' },
      { id: 'bad of b', node: 'b', status: 'lost' },
      { id: 'busy of a', status: 'active', usage: { handled: 1 } },
      { id: 'busy of b', node: 'b', status: 'lost' },
    ]);
  });
});

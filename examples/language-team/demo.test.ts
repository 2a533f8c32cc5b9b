import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import type { DemoResult } from './demo-result.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('main.ts', import.meta.url));

async function demo(...args: readonly string[]): Promise<DemoResult> {
  const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run(process.execPath, [...flags, program, '--json', ...args]);
  return JSON.parse(stdout);
}

describe('the demo', () => {
  it('finds the same team with a killed node as on a single node, and loses nothing', async () => {
    const killed = await demo('--candidates', '32', '--nodes', '3');
    const alone = await demo('--candidates', '32', '--nodes', '1');
    expect(killed.killed?.inFlight).toBeGreaterThanOrEqual(1);
    expect(killed.killed?.atCandidate).toBeGreaterThanOrEqual(16);
    expect(killed.killed?.ledgerRecoveryMs).toBeGreaterThan(0);
    expect(alone.killed).toBeNull();
    for (const result of [killed, alone]) {
      expect(result).toMatchObject({ lost: 0, doubled: 0, candidates: 32, seed: 1, languages: 32 });
      expect(result.auctions).toBeGreaterThanOrEqual(32);
      expect(result.best.validation).toBeGreaterThan(result.bestSingle.validation);
    }
    expect(killed.best).toEqual(alone.best);
    expect(killed.pareto).toEqual(alone.pareto);
  }, 170_000);

  it('prints exactly the promised fields', async () => {
    const result = await demo('--candidates', '8', '--nodes', '1', '--no-kill', '--seed', '2');
    expect(Object.keys(result)).toEqual([
      'nodes',
      'discovery',
      'formationMs',
      'languages',
      'snippets',
      'candidates',
      'best',
      'bestSingle',
      'everyoneVotes',
      'pareto',
      'killed',
      'lost',
      'doubled',
      'evaluationsPerSecond',
      'auctions',
      'seed',
    ]);
    expect(Object.keys(result.best)).toEqual([
      'first',
      'threshold',
      'weights',
      'validation',
      'test',
      'cost',
    ]);
  }, 120_000);

  it('refuses arguments that it does not know, with what is right', async () => {
    await expect(demo('--node', '3')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--nodes N'),
    });
    await expect(demo('--nodes', '0')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('1 to 9'),
    });
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { judge } from './soak/growth.ts';

const program = fileURLToPath(new URL('soak.ts', import.meta.url));
const flags = [
  '--expose-gc',
  '--conditions=@foundation/source',
  '--disable-warning=ExperimentalWarning',
  '--disable-warning=FoundationWarning',
];

/** Milliseconds that a run may take; it takes a few seconds. */
const timeoutMs = 50_000;

function soak(...words: readonly string[]) {
  return spawnSync(process.execPath, [...flags, program, ...words], {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
}

describe('the soak', () => {
  it('leaves nothing behind, and says so in its last line', () => {
    const { stdout, stderr, status } = soak(
      'processes',
      '--minutes',
      '0.1',
      '--seed',
      '1',
      '--json',
    );
    const result: unknown = JSON.parse(stdout);
    expect(result).toMatchObject({
      goal: 'soak-processes',
      value: 0,
      ok: true,
      seed: '1',
      problems: [],
      heap: { isLenient: true, bytes: { isSteady: true }, objects: { isSteady: true } },
    });
    expect(status).toBe(0);
    expect(stderr).toContain('seed 1');
  });

  it('ends early, in good order, when it is interrupted', async () => {
    const words = [...flags, program, 'processes', '--json'];
    const child = spawn(process.execPath, words, { timeout: timeoutMs });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    // It says how it goes.
    await once(child.stderr.setEncoding('utf8'), 'data');
    setTimeout(() => child.kill('SIGINT'), 1_000);
    await once(child, 'close');
    expect(JSON.parse(stdout)).toMatchObject({ isInterrupted: true, problems: [] });
  });

  it('says how it is used when it is not understood', () => {
    expect(soak('--minutes', '1')).toMatchObject({ status: 2, stdout: '' });
    expect(soak('processes', '--minutes', 'many').stderr).toContain('expected a number above 0');
  });
});

describe('a heap', () => {
  /** Ten minutes of samples, with the noise that a heap has. */
  const samples = (bytesAt: (minutes: number) => number) =>
    Array.from({ length: 60 }, (_, index) => {
      const noise = Math.sin(index * index);
      const minutes = index / 6;
      return { minutes, bytes: bytesAt(minutes) + 50_000 * noise, objects: 17_000 + 500 * noise };
    });

  it('is steady when it only goes up and down, and while it warms up', () => {
    const steady = { isLenient: false, bytes: { isSteady: true }, objects: { isSteady: true } };
    expect(judge(samples(() => 2e7))).toMatchObject(steady);
    expect(judge(samples((minutes) => 2e7 + 2e6 * Math.min(minutes, 3)))).toMatchObject(steady);
  });

  it('grows when it goes up by more than its bound and more than chance', () => {
    const { bytes, objects } = judge(samples((minutes) => 2e7 + 300_000 * minutes));
    expect(bytes.isSteady).toBe(false);
    expect(bytes.growth).toBeGreaterThan(1.8e6);
    expect(objects.isSteady).toBe(true);
  });

  it('is judged by wider bounds when there are few samples', () => {
    const few = samples((minutes) => 2e7 + 900_000 * minutes).slice(0, 15);
    expect(judge(few)).toMatchObject({ isLenient: true, samples: 10, bytes: { isSteady: true } });
  });
});

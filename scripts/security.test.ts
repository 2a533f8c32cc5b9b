import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { FoundationError } from '../packages/foundation/src/errors.ts';
import { areas } from './security/areas.ts';
import { pureArea, tryAll, type Attempt, type Finding } from './security/attempt.ts';

async function findingsOf(attempts: readonly Attempt[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await tryAll(pureArea(attempts), (finding) => findings.push(finding));
  return findings;
}

describe('what must not succeed', () => {
  const names: string[] = [];

  it.each(Object.entries(areas))('does not: %s', async (_, open) => {
    await using area = await open();
    const surprises: string[] = [];
    await tryAll(area, ({ attempt, verdict, outcome }) => {
      names.push(attempt.name);
      if (verdict !== 'refused') surprises.push(`${attempt.name}: ${outcome}`);
    });
    expect(surprises).toEqual([]);
  });

  it('is tried in many ways, each once', () => {
    expect(names.length).toBeGreaterThan(500);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('an attempt', () => {
  const attempt = (run: () => unknown): Attempt => ({
    name: 'x',
    threat: 'T1 plaintext and downgrade',
    expected: 'REFUSED',
    run,
  });

  it.each<readonly [verdict: string, run: () => unknown]>([
    ['refused', () => 'REFUSED'],
    ['refused', () => Promise.reject(new FoundationError('REFUSED', 'no'))],
    ['otherwise', () => 'MALFORMED'],
    ['otherwise', () => Promise.reject(new FoundationError('MALFORMED', 'no'))],
    ['admitted', () => undefined],
    ['admitted', () => 'come in'],
    ['admitted', () => Promise.reject(new TypeError('x is not a function'))],
  ])('is %s', async (verdict, run) => {
    expect(await findingsOf([attempt(run)])).toMatchObject([{ verdict }]);
  });

  it('is found out when it changes the prototype of all objects', async () => {
    const pollute = (): string => {
      Reflect.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true });
      return 'REFUSED';
    };
    const findings = await findingsOf([attempt(pollute)]);
    Reflect.deleteProperty(Object.prototype, 'polluted');
    expect(findings).toMatchObject([{ verdict: 'admitted' }]);
  });
});

describe('a Node without __proto__', () => {
  it('runs a cluster as any other', () => {
    const program = fileURLToPath(new URL('security/without-proto.ts', import.meta.url));
    const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
    const said = execFileSync(process.execPath, ['--disable-proto=delete', ...flags, program], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(said).toBe('2 on one\n');
  });
});

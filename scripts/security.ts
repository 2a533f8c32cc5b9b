import { runGoals, type Goal } from './goals/goal-program.ts';
// Tries what must not succeed: `npm run security -- [AREA …] [--seed S] [--verbose]`.
import { areas } from './security/areas.ts';
import { tryAll, type Finding } from './security/attempt.ts';

const words = process.argv.slice(2);
const isVerbose = words.includes('--verbose');
const casesMin = 150;

const attempts: Goal = async ({ report, seed, progress }) => {
  const findings: Finding[] = [];
  for (const [name, open] of Object.entries(areas)) {
    await using area = await open();
    await tryAll(area, (finding) => {
      findings.push(finding);
      if (isVerbose || finding.verdict !== 'refused') progress(line(finding));
    });
    progress(`${name}: ${area.attempts.length} attempts`);
  }
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((each) => each.verdict === verdict).length;
  const admitted = count('admitted');
  const tried = findings.length;
  report.tell({
    goal: `G11 unauthorized attempts admitted, of ${tried}`,
    value: admitted,
    limit: `0 of >= ${casesMin}`,
    ok: admitted === 0 && tried >= casesMin,
    seed,
  });
  const otherwise = count('otherwise');
  report.tell({
    goal: 'G11 attempts refused with another code than stated',
    value: otherwise,
    limit: '0',
    ok: otherwise === 0,
    seed,
  });
};

function line({ attempt, outcome, verdict }: Finding): string {
  const { name, threat, expected } = attempt;
  const came = outcome === expected ? outcome : `${outcome}, expected ${expected}`;
  return `${verdict.padEnd(9)} ${threat.slice(0, 3).padEnd(3)} ${name}: ${came}`;
}

process.exitCode = await runGoals(
  { name: 'security', goals: { attempts } },
  words.filter((word) => word !== '--verbose'),
);

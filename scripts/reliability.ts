// All goals of reliability that are checked in CI, one after another: `npm run reliability -- [STAGE …]`.
// Writes reports/reliability.json.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { GoalResult } from './goals/goal-line.ts';

/** Programs that print one line a goal. Those with a lab come last: nothing else may run beside them. */
const stages = ['sim', 'planted', 'fuzz', 'security', 'supply', 'pressure', 'chaos'];
const root = fileURLToPath(new URL('..', import.meta.url));

interface StageResult {
  readonly stage: string;
  readonly seconds: number;
  readonly exitCode: number;
  readonly goals: readonly GoalResult[];
}

async function run(stage: string): Promise<StageResult> {
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', stage], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const goals: GoalResult[] = [];
  for await (const line of createInterface(child.stdout)) {
    console.log(line);
    const goal = parseGoal(line);
    if (goal !== undefined) goals.push(goal);
  }
  await closed;
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { stage, seconds, exitCode: child.exitCode ?? 1, goals };
}

function parseGoal(line: string): GoalResult | undefined {
  if (!line.startsWith('{')) return undefined;
  const { goal, value, limit, ok, seed, unchecked, because } = Object(JSON.parse(line));
  const isGoal = typeof goal === 'string' && typeof ok === 'boolean';
  return isGoal
    ? {
        goal,
        value: Number(value),
        limit: String(limit),
        ok,
        seed: String(seed),
        unchecked,
        because,
      }
    : undefined;
}

function markOf({ ok, unchecked }: GoalResult): string {
  if (unchecked !== undefined) return '?   ';
  return ok ? 'ok  ' : 'FAIL';
}

function described({ goal, value, limit, because }: GoalResult): string {
  return `${goal}: ${value} (${limit})${because === undefined ? '' : `, as ${because}`}`;
}

function summary(results: readonly StageResult[]): string {
  const lines = results.flatMap(({ stage, seconds, exitCode, goals }) => [
    `${stage}: ${seconds} s${exitCode === 0 ? '' : `, ended with ${exitCode}`}`,
    ...goals.map((result) => `  ${markOf(result)}  ${described(result)}`),
    ...(goals.length === 0 ? ['  no goal was told'] : []),
  ]);
  return lines.join('\n');
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !stages.includes(name));
if (unknown.length > 0) {
  console.error(`there is no stage ${unknown.join(', ')}; there are ${stages.join(', ')}`);
  process.exit(2);
}
const results: StageResult[] = [];
for (const stage of names.length === 0 ? stages : names) results.push(await run(stage));

mkdirSync(join(root, 'reports'), { recursive: true });
writeFileSync(
  join(root, 'reports', 'reliability.json'),
  `${JSON.stringify(results, undefined, 2)}\n`,
);
console.error(summary(results));
const goals = results.flatMap((result) => result.goals);
const unchecked = goals.filter((goal) => goal.unchecked !== undefined).length;
const failed = goals.filter(({ ok }) => !ok).length - unchecked;
console.error(
  `${goals.length - failed - unchecked} goals kept, ${failed} not, ${unchecked} not checked, ${results.reduce((sum, { seconds }) => sum + seconds, 0)} s`,
);
if (failed > 0 || results.some(({ exitCode }) => exitCode !== 0)) process.exitCode = 1;

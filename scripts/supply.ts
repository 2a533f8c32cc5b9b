// What the packages are made of, and whether it can be trusted: `npm run supply -- [CHECK …]`.
import { fileURLToPath } from 'node:url';

import { runGoals, type Goal } from './goals/goal-program.ts';
import {
  allowedScripts,
  lockfile,
  pins,
  productionLicences,
  publishedFiles,
  runtimeDependencies,
  type Findings,
} from './supply/checks.ts';
import { readProject } from './supply/project.ts';
import { advisories, signatures, type Answer } from './supply/registry.ts';

const project = readProject(fileURLToPath(new URL('..', import.meta.url)));

/** One that looks at the project's own files. */
function check(goal: string, find: (from: typeof project) => Findings): Goal {
  return async ({ report, seed, progress }) => {
    const { looked, problems } = find(project);
    for (const problem of problems) progress(problem);
    progress(`${looked} looked at`);
    const ok = problems.length === 0 && looked > 0;
    report.tell({ goal: `G20 ${goal}`, value: problems.length, limit: '0', ok, seed });
  };
}

/** One that asks the registry. What nobody has said is not well, and nothing bad was said either. */
function ask(goal: string, question: () => Promise<Answer>): Goal {
  return async ({ report, seed, progress }) => {
    const answer = await question();
    const installed = lockfile(project).looked;
    if ('unavailable' in answer) {
      const unchecked = `the registry does not tell: ${answer.unavailable}`;
      progress(`NOT CHECKED, ${unchecked}`);
      report.tell({
        goal: `G20 ${goal}`,
        value: installed,
        limit: '0',
        ok: false,
        seed,
        unchecked,
      });
      return;
    }
    const { problems } = answer;
    for (const problem of problems) progress(problem);
    progress(`${installed} packages checked`);
    const ok = problems.length === 0;
    report.tell({ goal: `G20 ${goal}`, value: problems.length, limit: '0', ok, seed });
  };
}

process.exitCode = await runGoals(
  {
    name: 'supply',
    goals: {
      runtime: check(
        'install scripts, and runtime dependencies of core above 3',
        runtimeDependencies,
      ),
      pins: check('dependencies without one version', pins),
      lockfile: check('packages that are not locked to what they were', lockfile),
      scripts: check('install scripts that nobody has decided on', allowedScripts),
      licences: check('licences in production but MIT, Apache, BSD, ISC', productionLicences),
      files: check('packages without the list of what is published', publishedFiles),
      advisories: ask('packages with a high advisory', advisories),
      signatures: ask('packages without a verified signature', signatures),
    },
  },
  process.argv.slice(2),
);

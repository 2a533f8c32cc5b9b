import type { NodeOptions } from '@foundation/core';
import { diagnose, type Diagnosis, type SettingsFrom } from '@foundation/core/internal';

import { table } from './table.ts';

/** What was found, and whether a node could start. */
export interface DoctorView extends Diagnosis {
  readonly isFine: boolean;
}

export async function viewDoctor(options: NodeOptions, from: SettingsFrom): Promise<DoctorView> {
  const diagnosis = await diagnose(options, from);
  return { ...diagnosis, isFine: diagnosis.checks.every(({ isFine }) => isFine) };
}

export function printDoctor({ profile, decision, checks, caveats }: DoctorView): string {
  const findings = (decision?.findings ?? []).map(({ what, isThere, evidence }) => ({
    what,
    found: isThere ? 'yes' : 'no',
    evidence,
  }));
  const surroundings = table(findings, {
    'looked for': (row) => row.what,
    found: (row) => row.found,
    evidence: (row) => row.evidence,
  });
  const needs = table(checks, {
    check: (row) => row.what,
    result: (row) => (row.isFine ? 'fine' : 'MISSING'),
    found: (row) => row.found,
  });
  const fixes = checks.flatMap(({ what, fix }) => (fix === undefined ? [] : [`${what}: ${fix}`]));
  return [
    `profile ${profile}`,
    ...(decision === undefined ? [] : [surroundings]),
    needs,
    ...(fixes.length === 0 ? [] : [`What to do:\n${fixes.map((each) => `  ${each}`).join('\n')}`]),
    ...(caveats.length === 0 ? [] : [`Caveats:\n${caveats.map((each) => `  ${each}`).join('\n')}`]),
  ].join('\n\n');
}

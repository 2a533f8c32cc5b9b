import { findCycles, isAncestor } from './graph.ts';
import type { Needs } from './graph.ts';
import { isPlainObject, isReference, searchInput } from './reference.ts';

/** One breach of the rules for goals. */
export interface GoalIssue {
  /** The bad field, such as `steps[2].needs`. */
  readonly path: string;
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => string | undefined;

/** Longest delay a timer can wait (2³¹ − 1 ms, 24.8 days). */
export const timerMsMax = 2_147_483_647;

const text: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : expected('a non-empty string', value);
const number =
  (min: number, max = Number.MAX_VALUE): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? undefined
      : expected(
          max === Number.MAX_VALUE ? `a number from ${min}` : `a number from ${min} to ${max}`,
          value,
        );
const oneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    choices.includes(String(value)) ? undefined : expected(`one of ${choices.join(', ')}`, value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);
const anything: Check = () => undefined;

const stepFields: Readonly<Record<string, Check>> = {
  id: text,
  capability: text,
  action: text,
  needs: (value) =>
    Array.isArray(value) && value.every((need) => typeof need === 'string')
      ? undefined
      : expected('a list of step ids', value),
  input: anything,
  when: optional((value) =>
    isReference(value) ? undefined : expected('a reference { $from, path? }', value),
  ),
  retry: optional((value) =>
    isPlainObject(value) ? undefined : expected('a retry policy', value),
  ),
  effects: optional(oneOf('idempotent', 'once')),
  deadlineMs: optional(number(1, timerMsMax)),
  estMs: optional(number(0)),
  onFail: optional(oneOf('fail-plan', 'skip-dependents', 'continue')),
};
const retryFields: Readonly<Record<string, Check>> = {
  max: optional((value) =>
    Number.isInteger(value) ? number(0)(value) : expected('a whole number from 0', value),
  ),
  baseMs: optional(number(0, timerMsMax)),
  factor: optional(number(1)),
  capMs: optional(number(0, timerMsMax)),
};
const goalFields: Readonly<Record<string, Check>> = {
  id: text,
  description: (value) => (typeof value === 'string' ? undefined : expected('a string', value)),
  steps: (value) =>
    Array.isArray(value) && value.length > 0
      ? undefined
      : expected('a list of at least one step', value),
};

/** Every breach in a goal, in the order of its fields; empty for a valid one. */
export function goalIssues(goal: unknown): readonly GoalIssue[] {
  if (!isPlainObject(goal)) return [{ path: 'goal', message: expected('a goal', goal) }];
  const issues = [...fieldIssues(goal, goalFields, '')];
  if (!Array.isArray(goal['steps'])) return issues;
  const steps: readonly unknown[] = goal['steps'];
  for (const [index, step] of steps.entries()) issues.push(...stepIssues(step, `steps[${index}]`));
  return [...issues, ...graphIssues(steps.map((step) => (isPlainObject(step) ? step : {})))];
}

function stepIssues(step: unknown, path: string): readonly GoalIssue[] {
  if (!isPlainObject(step)) return [{ path, message: expected('a step', step) }];
  const issues = [...fieldIssues(step, stepFields, `${path}.`)];
  if (isPlainObject(step['retry'])) {
    issues.push(...fieldIssues(step['retry'], retryFields, `${path}.retry.`));
  }
  for (const finding of searchInput(step['input'], `${path}.input`)) {
    if (finding.kind === 'problem') issues.push({ path: finding.path, message: finding.message });
  }
  return issues;
}

function* fieldIssues(
  value: Fields,
  checks: Readonly<Record<string, Check>>,
  prefix: string,
): Generator<GoalIssue> {
  for (const [field, check] of Object.entries(checks)) {
    const message = check(value[field]);
    if (message !== undefined) yield { path: `${prefix}${field}`, message };
  }
  for (const field of Object.keys(value)) {
    if (Object.hasOwn(checks, field)) continue;
    const known = Object.keys(checks).join(', ');
    yield { path: `${prefix}${field}`, message: `unknown field; known are ${known}` };
  }
}

function graphIssues(steps: readonly Fields[]): readonly GoalIssue[] {
  const needs = new Map<string, readonly string[]>();
  const issues: GoalIssue[] = [];
  for (const [index, step] of steps.entries()) {
    const id = step['id'];
    if (typeof id !== 'string') continue;
    if (needs.has(id)) {
      issues.push({ path: `steps[${index}].id`, message: `another step is called "${id}" too` });
    } else needs.set(id, needsOf(step));
  }
  for (const [index, step] of steps.entries()) {
    for (const need of needsOf(step)) {
      if (needs.has(need)) continue;
      issues.push({ path: `steps[${index}].needs`, message: `no step is called "${need}"` });
    }
    issues.push(...referenceIssues(step, `steps[${index}]`, needs));
  }
  for (const cycle of findCycles(needs)) {
    const circle = [...cycle, cycle[0]].map((id) => `"${id}"`).join(' needs ');
    issues.push({ path: 'steps', message: `steps wait for each other: ${circle}` });
  }
  return issues;
}

function* referenceIssues(step: Fields, path: string, needs: Needs): Generator<GoalIssue> {
  for (const field of ['input', 'when']) {
    for (const finding of searchInput(step[field], `${path}.${field}`)) {
      if (finding.kind !== 'reference') continue;
      const target = finding.reference.$from;
      if (needs.get(String(step['id']))?.includes(target) && needs.has(target)) continue;
      if (needs.has(target) && isAncestor(needs, target, String(step['id']))) continue;
      const message = needs.has(target)
        ? `refers to "${target}", which is not among the steps it needs`
        : `refers to "${target}", but no step is called so`;
      yield { path: finding.path, message };
    }
  }
}

function needsOf(step: Fields): readonly string[] {
  const needs = step['needs'];
  return Array.isArray(needs) ? needs.filter((need) => typeof need === 'string') : [];
}

function expected(what: string, value: unknown): string {
  return `expected ${what}, got: ${typeof value === 'string' ? `"${value}"` : describe(value)}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

import { FoundationError } from '../errors.ts';
import { checkNumber, refuseUnknown, shown } from '../options.ts';
import { behaviourOf } from './behaviour.ts';
import type { ChildSpec } from './child.ts';
import { checkListing } from './listing-check.ts';
import type { DynamicSupervisorOptions, RestartOptions, SupervisorOptions } from './supervisor.ts';

const restartOptions = ['restartsMax', 'restartWindowMs', 'backoff', 'onExceeded'];
const supervisorOptions = [...restartOptions, 'strategy', 'children'];
const dynamicOptions = [
  ...restartOptions,
  'strategy',
  'child',
  'childrenMax',
  'restart',
  'shutdownMs',
];
const childOptions = ['init', 'name', 'restart', 'shutdownMs', 'capabilities', 'metadata'];
const strategies = ['one-for-one', 'one-for-all', 'rest-for-one', 'dynamic'];
const restarts = ['permanent', 'transient', 'temporary'];

/** @throws FoundationError `INVALID_OPTION` */
export function checkSupervisor(name: string, options: SupervisorOptions): void {
  const who = `the supervisor "${name}"`;
  refuseUnknown(who, options, supervisorOptions);
  const { strategy, children } = options;
  if (strategy !== undefined) checkChoice(who, { strategy }, strategies);
  if (!Array.isArray(children)) throw invalid(who, { children }, 'a list of children');
  checkRestarts(who, options);
}

/** @throws FoundationError `INVALID_OPTION` or `INVALID_DEFINITION` */
export function checkDynamic<I, A>(name: string, options: DynamicSupervisorOptions<I, A>): void {
  const who = `the supervisor "${name}"`;
  refuseUnknown(who, options, dynamicOptions);
  checkRestarts(who, options);
  behaviourOf(options.child);
  const { childrenMax = 1 } = options;
  checkNumber(who, { childrenMax }, { min: 1, integer: true, endless: true });
}

/** @throws FoundationError `INVALID_OPTION` */
export function checkRestarts(who: string, options: RestartOptions): void {
  const { restartsMax = 0, restartWindowMs = 1, onExceeded, backoff } = options;
  checkNumber(who, { restartsMax }, { min: 0, endless: true });
  checkNumber(who, { restartWindowMs }, { above: 0, endless: true });
  if (onExceeded !== undefined) checkChoice(who, { onExceeded }, ['stop', 'quarantine']);
  if (backoff === undefined || backoff === 'off') return;
  refuseUnknown(`${who}: backoff`, backoff, ['minMs', 'maxMs', 'factor', 'jitter']);
  const { minMs = 0, maxMs = 0, factor = 1, jitter = 0 } = backoff;
  checkNumber(who, { 'backoff.minMs': minMs, 'backoff.maxMs': maxMs }, { min: 0 });
  checkNumber(who, { 'backoff.factor': factor }, { min: 1 });
  checkNumber(who, { 'backoff.jitter': jitter }, { min: 0, max: 1 });
}

/** @throws FoundationError `INVALID_OPTION` or `INVALID_DEFINITION` */
export function checkChild({ definition, options }: ChildSpec): void {
  behaviourOf(definition);
  const who = `the child "${definition.name}"`;
  refuseUnknown(who, options, childOptions);
  checkListing(options);
  const { restart, shutdownMs } = options;
  if (restart !== undefined) checkChoice(who, { restart }, restarts);
  if (shutdownMs !== undefined) checkNumber(who, { shutdownMs }, { min: 0, endless: true });
}

function checkChoice(who: string, given: Record<string, string>, allowed: readonly string[]): void {
  if (Object.values(given).every((value) => allowed.includes(value))) return;
  throw invalid(who, given, `one of ${allowed.join(', ')}`);
}

function invalid(who: string, given: Record<string, unknown>, expected: string): FoundationError {
  const [[option, value] = ['', undefined]] = Object.entries(given);
  return new FoundationError('INVALID_OPTION', `\`${option}\` of ${who} is ${shown(value)}`, {
    hint: `Give ${expected}.`,
    details: { option, value: shown(value) },
  });
}

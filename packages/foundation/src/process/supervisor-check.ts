import { checkChoice, checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { behaviourOf } from './behaviour.ts';
import type { ChildSpec } from './child.ts';
import { checkListing } from './listing-check.ts';
import { backoffOf, onExceededChoices, restarts } from './restart-state.ts';
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
const childOptions = ['init', 'name', 'restart', 'shutdownMs', 'capabilities', 'metadata', 'lease'];
const strategies = ['one-for-one', 'one-for-all', 'rest-for-one', 'dynamic'];

/** @throws FoundationError `INVALID_OPTION` */
export function checkGiven(name: string, options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  throw invalidOption(`the supervisor "${name}"`, { options }, 'an object with its children');
}

/** @throws FoundationError `INVALID_OPTION` */
export function checkSupervisor(name: string, options: SupervisorOptions): void {
  const who = `the supervisor "${name}"`;
  refuseUnknown(who, options, supervisorOptions);
  const { strategy, children } = options;
  if (strategy !== undefined) checkChoice(who, { strategy }, strategies);
  if (!Array.isArray(children)) throw invalidOption(who, { children }, 'a list of children');
  for (const [index, each] of children.entries()) {
    if (typeof each === 'object' && each !== null) continue;
    throw invalidOption(
      who,
      { [`children[${index}]`]: each },
      'a definition, or what `child` gives',
    );
  }
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

/** @throws FoundationError `INVALID_OPTION` for two children of one name */
export function checkNames(name: string, children: readonly ChildSpec[]): void {
  const taken = new Set<string>();
  for (const { options } of children) {
    if (options.name === undefined) continue;
    if (taken.has(options.name)) {
      const given = { name: options.name };
      throw invalidOption(`the supervisor "${name}"`, given, 'the name of one child only');
    }
    taken.add(options.name);
  }
}

/** @throws FoundationError `INVALID_OPTION` */
export function checkRestarts(who: string, options: RestartOptions): void {
  const { restartsMax = 0, restartWindowMs = 1, onExceeded, backoff } = options;
  checkNumber(who, { restartsMax }, { min: 0, endless: true });
  checkNumber(who, { restartWindowMs }, { above: 0, endless: true });
  if (onExceeded !== undefined) checkChoice(who, { onExceeded }, onExceededChoices);
  if (backoff === undefined || backoff === 'off') return;
  refuseUnknown(`${who}: backoff`, backoff, ['minMs', 'maxMs', 'factor', 'jitter']);
  const { minMs, maxMs, factor, jitter } = backoffOf(backoff);
  checkNumber(who, { 'backoff.maxMs': maxMs }, { min: 0 });
  checkNumber(who, { 'backoff.minMs': minMs }, { min: 0, max: maxMs });
  checkNumber(who, { 'backoff.factor': factor }, { min: 1 });
  checkNumber(who, { 'backoff.jitter': jitter }, { min: 0, max: 1 });
}

/** @throws FoundationError `INVALID_OPTION` or `INVALID_DEFINITION` */
export function checkChild({ definition, options }: ChildSpec): void {
  behaviourOf(definition);
  const who = `the child "${definition.name}"`;
  refuseUnknown(who, options, childOptions);
  checkListing(who, options);
  const { restart, shutdownMs } = options;
  if (restart !== undefined) checkChoice(who, { restart }, restarts);
  if (shutdownMs !== undefined) checkNumber(who, { shutdownMs }, { min: 0, endless: true });
}

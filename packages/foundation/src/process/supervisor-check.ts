import { FoundationError } from '../errors.ts';
import { refuseUnknown } from '../options.ts';
import { behaviourOf } from './definition.ts';
import { checkListing } from './listing-check.ts';
import type { ChildSpec, SupervisorOptions } from './supervisor.ts';

const supervisorOptions = ['strategy', 'restartsMax', 'restartWindowMs', 'children'];
const childOptions = ['init', 'name', 'restart', 'shutdownMs', 'capabilities', 'metadata'];
const strategies = ['one-for-one', 'one-for-all', 'rest-for-one'];
const restarts = ['permanent', 'transient', 'temporary'];

/** @throws FoundationError `INVALID_OPTION` */
export function checkSupervisor(name: string, options: SupervisorOptions): void {
  const who = `the supervisor "${name}"`;
  refuseUnknown(who, options, supervisorOptions);
  const { strategy, restartsMax = 0, restartWindowMs = 1 } = options;
  if (strategy !== undefined) checkChoice(who, { strategy }, strategies);
  if (!(restartsMax >= 0)) throw invalid(who, { restartsMax }, 'a number of at least 0');
  if (!(restartWindowMs > 0)) throw invalid(who, { restartWindowMs }, 'a number above 0');
}

/** @throws FoundationError `INVALID_OPTION` or `INVALID_DEFINITION` */
export function checkChild({ definition, options }: ChildSpec): void {
  behaviourOf(definition);
  const who = `the child "${definition.name}"`;
  refuseUnknown(who, options, childOptions);
  checkListing(options);
  const { restart, shutdownMs = 0 } = options;
  if (restart !== undefined) checkChoice(who, { restart }, restarts);
  if (!(typeof shutdownMs === 'number' && shutdownMs >= 0))
    throw invalid(who, { shutdownMs }, 'a number of at least 0');
}

function checkChoice(who: string, given: Record<string, string>, allowed: readonly string[]): void {
  if (Object.values(given).every((value) => allowed.includes(value))) return;
  throw invalid(who, given, `one of ${allowed.join(', ')}`);
}

function invalid(who: string, given: Record<string, unknown>, expected: string): FoundationError {
  const [[option, value] = ['', undefined]] = Object.entries(given);
  return new FoundationError('INVALID_OPTION', `\`${option}\` of ${who} is ${String(value)}`, {
    hint: `Give ${expected}.`,
    details: { option, value },
  });
}

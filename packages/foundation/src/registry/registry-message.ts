import { isName } from '../process/definition-check.ts';
import { groupsMax } from '../process/group.ts';
import type { Stamp } from '../values/hybrid-clock.ts';
import type { Delta, Registration, SingletonRecord } from './registry-state.ts';
import { partEntriesMax, type SharePart } from './share-parts.ts';

/** A part of a share in a decoded value from outside, or undefined when it is none. */
export function parseSharePart(value: unknown): SharePart | undefined {
  if (!isRecord(value)) return undefined;
  const { registrations, singletons, part, parts } = value;
  const isShare =
    isCounted(value) &&
    isCount(part) &&
    isCount(parts) &&
    areEntries(registrations, isRegistration) &&
    areEntries(singletons, isSingleton);
  // Checked above, field by field.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isShare ? (value as unknown as SharePart) : undefined;
}

/** A change in a decoded value from outside, or undefined when it is none. */
export function parseDelta(value: unknown): Delta | undefined {
  if (!isRecord(value) || !isCounted(value)) return undefined;
  const { set, removed, setSingleton, removedSingleton } = value;
  const isDelta =
    (set === undefined || isRegistration(set)) &&
    (removed === undefined || isCount(removed)) &&
    (setSingleton === undefined || isSingleton(setSingleton)) &&
    (removedSingleton === undefined || typeof removedSingleton === 'string');
  // Checked above, field by field.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isDelta ? (value as unknown as Delta) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCounted({ incarnation, version }: Record<string, unknown>): boolean {
  return isCount(incarnation) && isCount(version);
}

/** A number that can still be counted up. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function areEntries(value: unknown, isEntry: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= partEntriesMax && value.every(isEntry);
}

function isRegistration(value: unknown): value is Registration {
  if (!isRecord(value)) return false;
  const { serial, process, name, capabilities, groups = [], metadata } = value;
  const { fencingToken, registeredAt } = value;
  return (
    isCount(serial) &&
    isName(process) &&
    (name === undefined || isName(name)) &&
    areTexts(capabilities) &&
    areTexts(groups) &&
    groups.length <= groupsMax &&
    isRecord(metadata) &&
    (fencingToken === undefined || isCount(fencingToken)) &&
    isStamp(registeredAt)
  );
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** Whether a decoded value from outside is the record of a singleton. */
export function isSingleton(value: unknown): value is SingletonRecord {
  if (!isRecord(value) || !isRecord(value['listing'])) return false;
  const { name, process, consistency, isStopped, about } = value;
  const { capabilities, metadata } = value['listing'];
  return (
    isName(name) &&
    isName(process) &&
    (consistency === undefined || consistency === 'strong') &&
    (isStopped === undefined || typeof isStopped === 'boolean') &&
    (capabilities === undefined || areTexts(capabilities)) &&
    (metadata === undefined || isRecord(metadata)) &&
    (about === undefined || isRecord(about))
  );
}

function isStamp(value: unknown): value is Stamp {
  return isRecord(value) && isCount(value['wallMs']) && isCount(value['count']);
}

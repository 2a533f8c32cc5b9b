import type { Stamp } from '../values/hybrid-clock.ts';
import type { Delta, Registration, SingletonRecord } from './registry-state.ts';
import type { SharePart } from './share-parts.ts';

/** A part of a share in a decoded value from outside, or undefined when it is none. */
export function parseSharePart(value: unknown): SharePart | undefined {
  if (!isRecord(value)) return undefined;
  const { registrations, singletons, part, parts } = value;
  const isShare =
    isCounted(value) &&
    typeof part === 'number' &&
    typeof parts === 'number' &&
    Array.isArray(registrations) &&
    registrations.every(isRegistration) &&
    Array.isArray(singletons) &&
    singletons.every(isSingleton);
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
    (removed === undefined || typeof removed === 'number') &&
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
  return typeof incarnation === 'number' && typeof version === 'number';
}

function isRegistration(value: unknown): value is Registration {
  if (!isRecord(value)) return false;
  const { serial, process, name, capabilities, groups = [], metadata, registeredAt } = value;
  return (
    typeof serial === 'number' &&
    typeof process === 'string' &&
    (name === undefined || typeof name === 'string') &&
    areTexts(capabilities) &&
    areTexts(groups) &&
    isRecord(metadata) &&
    isStamp(registeredAt)
  );
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isSingleton(value: unknown): value is SingletonRecord {
  return (
    isRecord(value) && typeof value['name'] === 'string' && typeof value['process'] === 'string'
  );
}

function isStamp(value: unknown): value is Stamp {
  return (
    isRecord(value) && typeof value['wallMs'] === 'number' && typeof value['count'] === 'number'
  );
}

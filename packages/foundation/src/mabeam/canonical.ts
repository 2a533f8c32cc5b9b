import { isPlainRecord } from '../plain.ts';
import { isRecord } from './parse.ts';

/**
 * The canonical JSON of a value (RFC 8785): the same value has the same text, whoever writes it. A bigint stands as
 * a decimal string, as it does in JSON everywhere here; what is undefined is left out.
 *
 * @throws TypeError for what has no JSON: functions, symbols, numbers that are not finite, maps, dates and other
 * objects of classes. RangeError for cycles.
 */
export function canonical(value: unknown): string {
  if (isCanonical(value)) return JSON.stringify(value);
  if (typeof value === 'bigint') return `"${value}"`;
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => canonical(item ?? null)).join(',')}]`;
  }
  if (isRecord(value)) return canonicalObject(value);
  if (typeof value === 'number') throw noJson(value);
  const text: unknown = JSON.stringify(value);
  if (typeof text === 'string') return text;
  throw noJson(value);
}

function canonicalObject(value: Readonly<Record<string, unknown>>): string {
  if (!isPlainRecord(value)) throw noJson(value);
  const names = Object.keys(value);
  if (names.some((name, at) => at > 0 && name < (names[at - 1] ?? ''))) names.sort();
  let fields = '';
  for (const name of names) {
    if (value[name] === undefined) continue;
    fields += `${fields === '' ? '' : ','}${JSON.stringify(name)}:${canonical(value[name])}`;
  }
  return `{${fields}}`;
}

/** Whether its JSON is the canonical one: all there is in it has JSON, and fields stand in order. */
function isCanonical(value: unknown): boolean {
  if (typeof value === 'object') {
    if (value === null) return true;
    return Array.isArray(value) ? value.every(isCanonical) : isRecord(value) && isOrdered(value);
  }
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean';
}

function isOrdered(value: Readonly<Record<string, unknown>>): boolean {
  if (!isPlainRecord(value)) return false;
  let before = '';
  for (const field of Object.keys(value)) {
    if (field < before || !isCanonical(value[field])) return false;
    before = field;
  }
  return true;
}

function noJson(value: unknown): TypeError {
  return new TypeError(`${String(value)} has no JSON`);
}

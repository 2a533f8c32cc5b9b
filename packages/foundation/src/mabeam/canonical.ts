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
  const form = formOf(value);
  if (form === 'native') return JSON.stringify(value);
  if (form === 'bigints') return JSON.stringify(value, decimal);
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

/** How a value is written: at once, at once but for its bigints, or field by field. */
type Form = 'native' | 'bigints' | 'fields';

/** Written at once is what has only values that have JSON, and fields that stand in order. */
function formOf(value: unknown): Form {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return 'native';
  if (typeof value === 'number') return Number.isFinite(value) ? 'native' : 'fields';
  if (typeof value === 'bigint') return 'bigints';
  if (Array.isArray(value)) return formOfList(value);
  return isRecord(value) ? formOfRecord(value) : 'fields';
}

function formOfList(values: readonly unknown[]): Form {
  let form: Form = 'native';
  for (const value of values) {
    const own = formOf(value);
    if (own === 'fields') return own;
    if (own === 'bigints') form = own;
  }
  return form;
}

function formOfRecord(value: Readonly<Record<string, unknown>>): Form {
  if (!isPlainRecord(value)) return 'fields';
  let form: Form = 'native';
  let before = '';
  for (const field of Object.keys(value)) {
    const own = field < before ? 'fields' : formOf(value[field]);
    if (own === 'fields') return own;
    if (own === 'bigints') form = own;
    before = field;
  }
  return form;
}

/** Told what stands in the field: `value` has been through `toJSON`, which some give to bigints. */
function decimal(this: Readonly<Record<string, unknown>>, field: string, value: unknown): unknown {
  const own = this[field];
  return typeof own === 'bigint' ? `${own}` : value;
}

function noJson(value: unknown): TypeError {
  return new TypeError(`${String(value)} has no JSON`);
}

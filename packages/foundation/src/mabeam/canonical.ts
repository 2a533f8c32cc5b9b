/**
 * The canonical JSON of a value (RFC 8785): the same value has the same text, whoever writes it. A bigint stands as
 * a decimal string, as it does in JSON everywhere here; what is undefined is left out.
 *
 * @throws TypeError for what has no JSON: functions, symbols, numbers that are not finite, maps, dates and other
 * objects of classes. RangeError for cycles.
 */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`;
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => canonical(item ?? null)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) return canonicalObject(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw noJson(value);
  const text: unknown = JSON.stringify(value);
  if (typeof text === 'string') return text;
  throw noJson(value);
}

function canonicalObject(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw noJson(value);
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${fields.join(',')}}`;
}

function noJson(value: unknown): TypeError {
  return new TypeError(`${String(value)} has no JSON`);
}

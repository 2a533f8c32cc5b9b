import { FoundationError } from '../errors.ts';
import { shown } from '../options.ts';
import type { LeaseRecord } from './lease-state.ts';

/** A record as the store keeps it: JSON, so that people can read it with the store's own tools. */
export function encodeRecord({ holder, nonce, ttlMs }: LeaseRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ holder, nonce, ttlMs }));
}

/** @throws FoundationError `MALFORMED` */
export function decodeRecord(key: string, bytes: Uint8Array): LeaseRecord {
  const text = Buffer.from(bytes).toString();
  const { holder, nonce, ttlMs } = fieldsOf(text);
  const isRecord =
    typeof holder === 'string' &&
    typeof nonce === 'string' &&
    typeof ttlMs === 'number' &&
    ttlMs > 0;
  if (isRecord) return { holder, nonce, ttlMs };
  throw new FoundationError('MALFORMED', `"${key}" in the store is no lease: ${shown(text)}`, {
    hint: 'Something else writes there. Remove the key, or use another name.',
    details: { key },
  });
}

function fieldsOf(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

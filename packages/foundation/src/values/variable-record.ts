import { FoundationError, messageOf } from '../errors.ts';
import type { Codec } from '../wire/codec.ts';

/** What the store keeps of a variable. */
export interface VariableRecord {
  /** The highest fencing token that has been there; 0 when none ever was. */
  readonly token: number;
  /** That of the program that has written the value. */
  readonly schemaVersion: number;
  /** Undefined before the first value: only a token has been there. */
  readonly stored: { readonly value: unknown } | undefined;
}

/** Bytes of a record, at most. What is larger belongs into a durable process, or a file. */
export const variableBytesMax = 65_536;

const format = 1;
const fields = ['format', 'token', 'schemaVersion', 'value'];

/** @throws FoundationError `NOT_SERIALIZABLE`, or `INVALID_VALUE` when it is too large */
export function encodeVariable(codec: Codec, name: string, record: VariableRecord): Uint8Array {
  const { token, schemaVersion, stored } = record;
  const values = stored === undefined ? [] : [stored.value];
  return small(name, codec.encode([format, token, schemaVersion, ...values], fields));
}

/**
 * A record with the value that readers get before the first one, under the same conditions. It is never stored.
 *
 * @throws FoundationError `NOT_SERIALIZABLE`, or `INVALID_VALUE` when it is too large
 */
export function encodeInitial(codec: Codec, name: string, initial: unknown): Uint8Array {
  return small(name, codec.encode([format, 0, 1, initial], [...fields.slice(0, 3), 'initial']));
}

function small(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= variableBytesMax) return bytes;
  const message = `the value of the variable "${name}" has ${bytes.length} bytes, ${variableBytesMax} is the most`;
  throw new FoundationError('INVALID_VALUE', message, {
    hint: 'Keep the large part elsewhere, for instance in a durable process, and a name of it here.',
    details: { name, bytes: bytes.length, bytesMax: variableBytesMax },
  });
}

/** @throws FoundationError `MALFORMED` */
export function decodeVariable(codec: Codec, name: string, bytes: Uint8Array): VariableRecord {
  const parts = partsOf(codec, name, bytes);
  const [stored, token, schemaVersion, ...values] = parts;
  const isRecord =
    stored === format && typeof token === 'number' && typeof schemaVersion === 'number';
  if (!isRecord) throw noVariable(name, `it begins with ${String(stored)}`);
  return { token, schemaVersion, stored: values.length === 0 ? undefined : { value: values[0] } };
}

function partsOf(codec: Codec, name: string, bytes: Uint8Array): readonly unknown[] {
  try {
    const decoded = codec.decode(bytes);
    return Array.isArray(decoded) ? decoded : [];
  } catch (error) {
    throw noVariable(name, messageOf(error));
  }
}

function noVariable(name: string, why: string): FoundationError {
  return new FoundationError('MALFORMED', `what is stored as "${name}" is no variable: ${why}`, {
    hint: 'Something else writes there, or a newer version of Foundation does.',
    details: { name },
  });
}

import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { FoundationError } from '../errors.ts';

/** Most bytes of a context's values, and of its trace with baggage, encoded. */
export const contextBytesMax = 65_536;
/** Most bytes of either as they travel with each message, compressed. */
export const contextWireBytesMax = 16_384;
/** Bytes above which they are compressed. */
export const compressAboveBytes = 1_024;

const plain = 0;
const deflated = 1;

/**
 * Bytes fit to travel with each message: large ones are compressed. The first byte says which.
 *
 * @throws FoundationError `CONTEXT_TOO_LARGE`
 */
export function seal(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length > contextBytesMax) throw tooLarge(what, bytes.length, contextBytesMax);
  const isLarge = bytes.length > compressAboveBytes;
  const body = isLarge ? deflateRawSync(bytes) : bytes;
  if (body.length > contextWireBytesMax) {
    throw tooLarge(`${what}, compressed`, body.length, contextWireBytesMax);
  }
  const sealed = new Uint8Array(body.length + 1);
  sealed[0] = isLarge ? deflated : plain;
  sealed.set(body, 1);
  return sealed;
}

/** @throws FoundationError `MALFORMED`, also for bytes that would grow beyond the bound. */
export function open(sealed: Uint8Array): Uint8Array {
  const body = sealed.subarray(1);
  if (sealed[0] === plain && body.length <= contextBytesMax) return body;
  if (sealed[0] !== deflated) throw malformed(undefined);
  try {
    return inflateRawSync(body, { maxOutputLength: contextBytesMax });
  } catch (error) {
    throw malformed(error);
  }
}

function tooLarge(what: string, bytes: number, bytesMax: number): FoundationError {
  return new FoundationError(
    'CONTEXT_TOO_LARGE',
    `${what}: ${bytes} bytes, more than ${bytesMax}`,
    {
      hint: 'A context travels with every message: keep an id in it, and the data where the id leads to.',
      details: { bytes, bytesMax },
    },
  );
}

function malformed(cause: unknown): FoundationError {
  return new FoundationError('MALFORMED', 'a context that cannot be read', { cause });
}

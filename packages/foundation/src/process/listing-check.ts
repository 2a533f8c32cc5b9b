import { FoundationError } from '../errors.ts';
import type { Codec } from '../wire/codec.ts';
import { isName } from './definition-check.ts';
import type { Listing } from './runtime.ts';

/** Most bytes of a process's metadata, encoded. */
export const metadataBytesMax = 16_384;

/**
 * Checks what a process is to be known by, before anybody hears of it: other nodes refuse the rest.
 *
 * @throws FoundationError `INVALID_OPTION` naming the option that is wrong.
 */
export function checkListing({ name, capabilities, metadata }: Listing): void {
  if (name !== undefined && !isName(name)) {
    throw invalidOption('name', name, 'a name of at most 200 characters');
  }
  if (capabilities !== undefined && !isTexts(capabilities)) {
    throw invalidOption('capabilities', capabilities, 'a list of texts');
  }
  if (metadata !== undefined && !isPlain(metadata)) {
    throw invalidOption('metadata', metadata, 'an object');
  }
}

/** @throws FoundationError `NOT_SERIALIZABLE`, or `INVALID_OPTION` for metadata that is too large. */
export function checkMetadata(codec: Codec, { metadata }: Listing): void {
  if (metadata === undefined) return;
  const { length } = codec.encode([metadata], ['metadata']);
  if (length > metadataBytesMax) {
    throw invalidOption('metadata', `${length} bytes`, `at most ${metadataBytesMax} bytes`);
  }
}

export function invalidOption(option: string, value: unknown, expected: string): FoundationError {
  return new FoundationError(
    'INVALID_OPTION',
    `expected \`${option}\` to be ${expected}, got: ${String(value)}`,
    { hint: 'See docs/guide/processes.md.', details: { option } },
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

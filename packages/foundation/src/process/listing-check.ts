import { invalidOption } from '../options.ts';
import type { Codec } from '../wire/codec.ts';
import { isName, nameRule } from './definition-check.ts';
import type { Listing } from './runtime.ts';

/** Most bytes of a process's metadata, encoded. */
export const metadataBytesMax = 16_384;

/**
 * Checks what a process is to be known by, before anybody hears of it: other nodes refuse the rest.
 *
 * @throws FoundationError `INVALID_OPTION` naming the option that is wrong.
 */
export function checkListing(who: string, { name, capabilities, metadata }: Listing): void {
  if (name !== undefined && !isName(name)) {
    throw invalidOption(who, { name }, nameRule);
  }
  if (capabilities !== undefined && !isTexts(capabilities)) {
    throw invalidOption(who, { capabilities }, 'a list of texts');
  }
  if (metadata !== undefined && !isPlain(metadata)) {
    throw invalidOption(who, { metadata }, 'an object');
  }
}

/** @throws FoundationError `NOT_SERIALIZABLE`, or `INVALID_OPTION` for metadata that is too large. */
export function checkMetadata(codec: Codec, { metadata }: Listing): void {
  if (metadata === undefined) return;
  const { length } = codec.encode([metadata], ['metadata']);
  if (length > metadataBytesMax) {
    throw invalidOption(
      'a process',
      { metadata: `${length} bytes` },
      `at most ${metadataBytesMax} bytes`,
    );
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

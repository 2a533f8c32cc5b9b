import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import type { Codec } from '../wire/codec.ts';

/** Bytes of an error that is sent whole. */
export const errorBytesMax = 65_536;
/** Characters kept of the message of a larger one. */
const messageCharsMax = 4_096;

/**
 * An error that can be sent, whatever was thrown: itself if it is small, otherwise one with the same
 * code and the beginning of its message, without details and cause.
 */
export function portable(codec: Codec, thrown: unknown): Error {
  return thrown instanceof Error && isSmall(codec, thrown) ? thrown : brief(thrown);
}

function isSmall(codec: Codec, error: Error): boolean {
  try {
    return codec.encode(error).length <= errorBytesMax;
  } catch {
    // An error that cannot even be read is described instead.
    return false;
  }
}

function brief(thrown: unknown): Error {
  const message = clip(messageOf(thrown));
  if (!isFoundationError(thrown)) return new Error(message);
  const { code, retryable, outcome, hint } = thrown;
  const traits = { retryable, outcome };
  return new FoundationError(code, message, {
    traits,
    ...(hint === undefined ? {} : { hint: clip(hint) }),
  });
}

function clip(text: string): string {
  return text.length <= messageCharsMax ? text : `${text.slice(0, messageCharsMax)}…`;
}

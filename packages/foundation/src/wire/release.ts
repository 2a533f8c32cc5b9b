/** Memory that is less than this is left to the collector, in bytes. */
const releasedBytesMin = 4_096;

/**
 * Gives the memory of bytes back at once, so that the next who needs some gets it while it is warm. What is
 * left to the collector makes it run: every few megabytes, and its memory is cold and not even mapped.
 *
 * Only for bytes that nobody else looks at: every view of them is empty afterwards. Bytes that are part of a
 * larger buffer, which may be somebody else's, stay as they are.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  if (isWhole && byteLength >= releasedBytesMin) buffer.transfer(0);
}

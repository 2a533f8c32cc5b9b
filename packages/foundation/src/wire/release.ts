/** Memory that is less than this is left to the collector, in bytes. */
const releasedBytesMin = 4_096;

/**
 * Gives the memory behind bytes back at once, so that the next who needs some gets it while it is warm. What is
 * left to the collector makes it run: every few megabytes, and its memory is cold and not even mapped.
 *
 * Only for bytes that nobody else looks at: every view of their buffer is empty afterwards.
 */
export function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= releasedBytesMin) buffer.transfer(0);
}

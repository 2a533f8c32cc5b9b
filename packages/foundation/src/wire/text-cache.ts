/** Slots: a power of two. */
const slotCount = 1_024;

/** Texts that are longer are made anew each time, in bytes. */
const shortBytesMax = 24;

/**
 * Makes texts from UTF-8. Short ones that come again and again, as names and keys do, are the same string
 * each time: it need not be made, and finds its place in a map at once.
 */
export class TextCache {
  readonly #slots: string[] = Array.from({ length: slotCount }, () => '');

  read(bytes: Buffer, from: number, to: number): string {
    if (to - from > shortBytesMax) return bytes.toString('utf8', from, to);
    let hash = to - from;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) return bytes.toString('utf8', from, to);
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const slot = (hash ^ (hash >>> 10)) & (slotCount - 1);
    const cached = this.#slots[slot] ?? '';
    if (isIn(cached, bytes, from, to)) return cached;
    return (this.#slots[slot] = bytes.toString('latin1', from, to));
  }
}

// oxlint-disable-next-line eslint/max-params -- made for each text
function isIn(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = from; at < to; at++) if (text.charCodeAt(at - from) !== bytes[at]) return false;
  return true;
}

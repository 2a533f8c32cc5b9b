import { release } from './release.ts';
import { markByte } from './tag.ts';

/** Room for many small values; a value's bytes are never written again. */
const chunkBytes = 16_384;

/** Room behind a large value for what follows it. */
const slackBytes = 1_024;

/** Texts up to this length are copied character by character, which costs less than the call of a native function. */
const shortCharsMax = 48;

/** Writes the words of MessagePack one behind the other. */
export class ByteWriter {
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;
  #at = 0;

  begin(): void {
    this.#forgetLarge();
    this.#start = this.#at;
  }

  /** What was written since `begin`. */
  end(): Uint8Array {
    const { buffer, byteOffset } = this.#chunk;
    const bytes = new Uint8Array(buffer, byteOffset + this.#start, this.#at - this.#start);
    this.#forgetLarge();
    return bytes;
  }

  /** A chunk that grew for a value is that value's alone. */
  #forgetLarge(): void {
    if (this.#chunk.length <= chunkBytes) return;
    this.#chunk = Buffer.alloc(0);
    this.#at = 0;
  }

  /** Gives the memory of bytes back that `end` has given, if they are alone in it. */
  release({ buffer }: Uint8Array): void {
    if (buffer.byteLength > chunkBytes) release(new Uint8Array(buffer));
  }

  /** Where the next word will stand. */
  mark(): number {
    return this.#at - this.#start;
  }

  /** Takes back what was written since a `mark`. */
  rewind(mark: number): void {
    this.#at = this.#start + mark;
  }

  null(): void {
    this.#byte(0xc0);
  }

  undefined(): void {
    this.#room(3);
    // The extension 0 with one byte of content is how the field says it.
    this.#put(0xd4);
    this.#put(0);
    this.#put(0);
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  number(value: number): void {
    this.#room(9);
    if (value >>> 0 === value) this.#unsigned(value);
    else if (value < 0 && value >> 0 === value) this.#negative(value);
    else {
      this.#put(0xcb);
      this.#at = this.#chunk.writeDoubleBE(value, this.#at);
    }
  }

  #unsigned(value: number): void {
    const chunk = this.#chunk;
    if (value < 0x80) chunk[this.#at++] = value;
    else if (value < 0x1_00) {
      chunk[this.#at++] = 0xcc;
      chunk[this.#at++] = value;
    } else if (value < 0x1_0000) {
      chunk[this.#at++] = 0xcd;
      chunk[this.#at++] = value >>> 8;
      chunk[this.#at++] = value;
    } else this.#word(0xce, value);
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#put(value);
    else this.#word(0xd2, value);
  }

  /** Of 64 bits, signed or not. */
  bigint(value: bigint): void {
    this.#room(9);
    this.#put(value < 0n ? 0xd3 : 0xcf);
    this.#at =
      value < 0n
        ? this.#chunk.writeBigInt64BE(value, this.#at)
        : this.#chunk.writeBigUInt64BE(value, this.#at);
  }

  /** @returns false when UTF-8 has no word for it; nothing was written then. */
  text(value: string): boolean {
    return value.length <= shortCharsMax ? this.#shortText(value) : this.#longText(value);
  }

  #shortText(value: string): boolean {
    const { length } = value;
    this.#room(2 + length);
    const chunk = this.#chunk;
    let at = this.#at;
    if (length < 32) chunk[at++] = 0xa0 | length;
    else {
      chunk[at++] = 0xd9;
      chunk[at++] = length;
    }
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) return this.#longText(value);
      chunk[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #longText(value: string): boolean {
    if (!value.isWellFormed()) return false;
    // Three bytes at most a UTF-16 unit: a length that is not known yet gets the field it may need.
    const bytesMax = value.length > slackBytes ? Buffer.byteLength(value) : 3 * value.length;
    this.#room(5 + bytesMax);
    const width = bytesMax < 0x1_0000 ? 2 : 4;
    const start = this.#at + 1 + width;
    const length = this.#chunk.write(value, start);
    if (width === 2) this.#half(0xda, length);
    else this.#word(0xdb, length);
    this.#at = start + length;
    return true;
  }

  bytes(value: Uint8Array): void {
    this.#room(5 + value.length);
    if (value.length < 0x1_0000) this.#half(0xc5, value.length);
    else this.#word(0xc6, value.length);
    this.#chunk.set(value, this.#at);
    this.#at += value.length;
  }

  array(length: number): void {
    this.#room(5);
    if (length < 16) this.#put(0x90 | length);
    else if (length < 0x1_0000) this.#half(0xdc, length);
    else this.#word(0xdd, length);
  }

  map(size: number): void {
    this.#room(5);
    if (size < 16) this.#put(0x80 | size);
    else if (size < 0x1_0000) this.#half(0xde, size);
    else this.#word(0xdf, size);
  }

  /** The mark and the kind of what MessagePack has no word for. */
  tag(kind: number): void {
    this.#room(2);
    this.#put(markByte);
    this.#put(kind);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#put(value);
  }

  #put(value: number): void {
    this.#chunk[this.#at++] = value;
  }

  #half(token: number, value: number): void {
    const chunk = this.#chunk;
    chunk[this.#at++] = token;
    chunk[this.#at++] = value >>> 8;
    chunk[this.#at++] = value;
  }

  #word(token: number, value: number): void {
    const chunk = this.#chunk;
    chunk[this.#at++] = token;
    chunk[this.#at++] = value >>> 24;
    chunk[this.#at++] = value >>> 16;
    chunk[this.#at++] = value >>> 8;
    chunk[this.#at++] = value;
  }

  #room(bytes: number): void {
    if (this.#at + bytes > this.#chunk.length) this.#renew(bytes);
  }

  /** Goes on in another chunk, with what belongs to the value at hand. */
  #renew(bytes: number): void {
    const written = this.#at - this.#start;
    const isSmall = written + bytes + slackBytes <= chunkBytes;
    const needed = Math.max(written + bytes + slackBytes, 2 * written);
    const chunk = Buffer.allocUnsafeSlow(isSmall ? chunkBytes : needed);
    this.#chunk.copy(chunk, 0, this.#start, this.#at);
    if (this.#chunk.length > chunkBytes) release(this.#chunk);
    this.#chunk = chunk;
    this.#start = 0;
    this.#at = written;
  }
}

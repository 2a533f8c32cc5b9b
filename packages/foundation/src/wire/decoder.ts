import type { FoundationError } from '../errors.ts';
import type { CodecHooks, CodecLimits } from './codec.ts';
import { malformed, Reviver, text } from './reviver.ts';
import { markByte } from './tag.ts';
import { TextCache } from './text-cache.ts';
import { YoungCollection } from './young-collection.ts';

/** Arrays up to this length are made at once; of longer ones, so much must have come. */
const exactLengthMax = 64;

/**
 * Reads values from MessagePack, in one walk. Nothing is made for bytes before they are there and within
 * the limits: no extension types (`undefined` excepted), no class but those of `tag`, no prototype.
 */
export class Decoder {
  readonly #limits: CodecLimits;
  readonly #reviver: Reviver;
  readonly #texts = new TextCache();
  readonly #young = new YoungCollection();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #items = 0;

  constructor(limits: CodecLimits, hooks: CodecHooks | undefined) {
    this.#limits = limits;
    this.#reviver = new Reviver(limits, hooks);
  }

  /** @throws FoundationError `MALFORMED`. */
  decode(bytes: Uint8Array): unknown {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#items = 0;
    const value = this.#value(0);
    if (this.#at < this.#bytes.length) throw malformed('they go on after the value');
    return value;
  }

  #value(depth: number): unknown {
    const token = this.#bytes[this.#at++];
    if (token === undefined) throw early();
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x1_00;
    if (token < 0x90) return this.#record(token & 0x0f, depth);
    if (token < 0xa0) return this.#array(token & 0x0f, depth);
    if (token < 0xc0) return this.#text(token & 0x1f);
    return this.#word(token, depth);
  }

  #word(token: number, depth: number): unknown {
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#unsigned(1 << (token - 0xc4)));
      case 0xca:
        return this.#bytes.readFloatBE(this.#pass(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#pass(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (token - 0xcc));
      case 0xcf:
        return this.#bytes.readBigUInt64BE(this.#pass(8));
      case 0xd0:
        return this.#bytes.readInt8(this.#pass(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#pass(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#pass(4));
      case 0xd3:
        return this.#bytes.readBigInt64BE(this.#pass(8));
      case 0xd4:
        return this.#undefined();
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(1 << (token - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 << (token - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#record(this.#unsigned(2 << (token - 0xde)), depth);
      case markByte:
        throw malformed('a mark that announces nothing');
      default:
        throw malformed(`they hold an extension type (token ${token})`);
    }
  }

  #undefined(): undefined {
    const at = this.#pass(2);
    if (this.#bytes[at] !== 0) throw malformed('they hold an extension type (token 212)');
  }

  #text(length: number): string {
    const at = this.#pass(length);
    return this.#texts.read(this.#bytes, at, at + length);
  }

  /** A copy: the value keeps no hold of the bytes. */
  #binary(length: number): Uint8Array {
    const at = this.#pass(length);
    this.#young.handedOut(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  #array(length: number, depth: number): unknown {
    this.#enter(length, depth);
    if (length > 0 && this.#bytes[this.#at] === markByte) return this.#special(length, depth);
    // One that grows as it is filled takes room for many more.
    // oxlint-disable-next-line unicorn/no-new-array -- the length is meant
    const items: unknown[] = length <= exactLengthMax ? new Array(length) : [];
    for (let index = 0; index < length; index++) items[index] = this.#value(depth + 1);
    return items;
  }

  #record(size: number, depth: number): Record<string, unknown> {
    this.#enter(size, depth);
    const record: Record<string, unknown> = {};
    for (let entry = 0; entry < size; entry++) {
      const key = text(this.#value(depth + 1));
      if (key === '__proto__') throw malformed('a key "__proto__"');
      record[key] = this.#value(depth + 1);
    }
    return record;
  }

  #enter(items: number, depth: number): void {
    const { depthMax, itemsMax } = this.#limits;
    this.#items += items;
    if (items > 0 && depth >= depthMax) throw malformed(`deeper than ${depthMax} levels`);
    if (this.#items > itemsMax) throw malformed(`more than ${itemsMax} items`);
  }

  /** Where so many bytes begin, which must be there; goes on behind them. */
  #pass(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw early();
    return at;
  }

  #unsigned(width: number): number {
    const at = this.#pass(width);
    const bytes = this.#bytes;
    let value = 0;
    for (let index = at; index < at + width; index++) value = value * 256 + (bytes[index] ?? 0);
    return value;
  }

  /** What a mark announces: its kind, and items that are values themselves. */
  #special(length: number, depth: number): unknown {
    this.#at++;
    if (length === 1) throw malformed('a mark that announces nothing');
    const kind = this.#value(depth + 1);
    const items: unknown[] = [];
    for (let index = 2; index < length; index++) items.push(this.#value(depth + 1));
    return this.#reviver.revive(kind, items);
  }
}

function early(): FoundationError {
  return malformed('they end too early');
}

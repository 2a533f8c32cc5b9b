import { FoundationError } from '../errors.ts';
import type { CodecLimits } from './codec.ts';
import { markByte } from './tag.ts';

/** Payload bytes after the tokens 0xca to 0xd3: floats and integers. */
const scalarBytes = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/**
 * Walks over MessagePack bytes before anything is allocated for them: they must be one complete value
 * within the limits, without extension types (`undefined` excepted).
 *
 * @returns whether a mark or bytes occur, so that the value has to be revived.
 * @throws FoundationError `MALFORMED`.
 */
export function scan(bytes: Uint8Array, limits: CodecLimits): boolean {
  const left = [1];
  let depth = 0;
  let items = 0;
  let special = false;
  let at = 0;
  for (;;) {
    const token = bytes[at++];
    if (token === undefined) throw malformed('they end too early');
    let children = 0;
    let entries = 0;
    if (token < 0x80 || token >= 0xe0) entries = 0;
    else if (token < 0x90) children = 2 * (entries = token & 0x0f);
    else if (token < 0xa0) children = entries = token & 0x0f;
    else if (token < 0xc0) at += token & 0x1f;
    else if (token === markByte) special = true;
    else if (token >= 0xca && token <= 0xd3) at += scalarBytes[token - 0xca] ?? 0;
    else if (token >= 0xd9 && token <= 0xdb) at += sized(bytes, at, 1 << (token - 0xd9));
    else if (token >= 0xdc) {
      const width = 2 << (token & 1);
      entries = unsigned(bytes, at, width);
      children = token >= 0xde ? 2 * entries : entries;
      at += width;
    } else if (token >= 0xc4 && token <= 0xc6) {
      special = true;
      at += sized(bytes, at, 1 << (token - 0xc4));
    } else if (token === 0xd4 && bytes[at] === 0) at += 2;
    else if (token > 0xc3) throw malformed(`they hold an extension type (token ${token})`);

    if (children > 0) {
      items += entries;
      depth++;
      if (depth > limits.depthMax) throw malformed(`deeper than ${limits.depthMax} levels`);
      if (items > limits.itemsMax) throw malformed(`more than ${limits.itemsMax} items`);
      left[depth] = children;
      continue;
    }
    while ((left[depth] = (left[depth] ?? 0) - 1) === 0) {
      if (depth === 0) return complete(bytes, at, special);
      depth--;
    }
  }
}

function complete(bytes: Uint8Array, end: number, special: boolean): boolean {
  if (end === bytes.length) return special;
  throw malformed(end > bytes.length ? 'they end too early' : 'they go on after the value');
}

/** Bytes of a length field and of what it announces. */
function sized(bytes: Uint8Array, at: number, width: number): number {
  return width + unsigned(bytes, at, width);
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = at; index < at + width; index++) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

function malformed(why: string): FoundationError {
  return new FoundationError('MALFORMED', `bytes that are no message: ${why}`);
}

/**
 * What MessagePack has no word for travels as an array `[mark, tag, …]`. The mark is the byte 0xc1,
 * which MessagePack never uses, so no other value can be taken for one of these. Part of the wire
 * format: numbers are never reused.
 */
export const tag = {
  minusZero: 0,
  text: 1,
  bigint: 2,
  date: 3,
  map: 4,
  set: 5,
  record: 6,
  pid: 7,
  ref: 8,
  refused: 9,
  error: 10,
  foundationError: 11,
  replyTo: 12,
} as const;

/** The one byte that MessagePack leaves unused. */
export const markByte = 0xc1;

/** Objects that carry this symbol (their own or inherited) are refs; `CodecHooks` turn them into data. */
export const refBrand = Symbol.for('@foundation/core.ref');

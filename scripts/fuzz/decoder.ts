/** Something that reads bytes from outside. */
export interface Decoder {
  readonly name: string;
  /** Good inputs, which are made bad. */
  readonly corpus: readonly Buffer[];
  /** Reads. May throw a FoundationError, and nothing else. Returns whether it was something. */
  readonly read: (bytes: Buffer) => boolean;
}

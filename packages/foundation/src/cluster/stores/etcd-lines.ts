const newline = 0x0a;

/** Makes lines of chunks. Empty ones are left out. */
export class LineReader {
  readonly #bytesMax: number;
  readonly #onLine: (line: string) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number, onLine: (line: string) => void) {
    this.#bytesMax = bytesMax;
    this.#onLine = onLine;
  }

  /** @returns false when a line gets longer than it may be */
  push(chunk: Buffer): boolean {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      this.#chunks.push(chunk.subarray(from, at));
      from = at + 1;
      const line = Buffer.concat(this.#chunks).toString();
      this.#chunks = [];
      this.#bytes = 0;
      if (line !== '') this.#onLine(line);
    }
    const rest = chunk.subarray(from);
    this.#chunks.push(rest);
    this.#bytes += rest.length;
    return this.#bytes <= this.#bytesMax;
  }
}

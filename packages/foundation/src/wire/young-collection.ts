import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of large values after which what is young is collected. */
const bytesMax = 4 * 2 ** 20;

/** A value of fewer bytes does not count. */
const largeBytesMin = 65_536;

type Collect = () => void;

/**
 * Has the memory of large values that nobody holds any more reused while it is warm.
 *
 * The engine collects what is young when it runs out of room for objects, and what lies outside of its heap
 * takes none: the bytes of received messages pile up until their sum makes it collect everything. Each
 * megabyte then comes from memory that was never touched, and each full collection holds everybody up. A young
 * collection every few megabytes finds them dead. See `docs/decisions/young-collections-after-large-messages.md`.
 */
export class YoungCollection {
  #bytes = 0;
  #isDue = false;
  #collect: Collect | undefined;

  /** So much was handed out, to somebody who may hold it for as long as he likes. */
  handedOut(bytes: number): void {
    if (bytes < largeBytesMin) return;
    this.#bytes += bytes;
    if (this.#bytes < bytesMax || this.#isDue) return;
    this.#isDue = true;
    // After the handlers of this turn: what they have dropped is found.
    setImmediate(() => {
      this.#isDue = false;
      this.#bytes = 0;
      this.#collect ??= findCollect();
      this.#collect();
    });
  }
}

/** The engine's own function; it does nothing where there is none. Looking for it takes a millisecond. */
function findCollect(): Collect {
  try {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('gc');
    setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return () => void found({ type: 'minor' });
  } catch {
    // Another engine, or one whose flags are locked.
  }
  return () => {};
}

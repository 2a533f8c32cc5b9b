interface Envelope {
  readonly add: number;
  /** Undefined for a cast. */
  readonly reply: ((count: number) => void) | undefined;
}

/** A counter behind the smallest mailbox that keeps order and answers: the bare baseline of local messages. */
export class MailboxCounter {
  #queue: Envelope[] = [];
  #count = 0;

  call(add: number): Promise<number> {
    return new Promise((resolve) => {
      this.#push({ add, reply: resolve });
    });
  }

  cast(add: number): void {
    this.#push({ add, reply: undefined });
  }

  #push(envelope: Envelope): void {
    if (this.#queue.push(envelope) === 1) queueMicrotask(this.#drain);
  }

  readonly #drain = (): void => {
    const batch = this.#queue;
    this.#queue = [];
    for (const { add, reply } of batch) {
      this.#count += add;
      reply?.(this.#count);
    }
  };
}

import { inspect } from 'node:util';

import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { WaitHistogram } from '../telemetry/wait-histogram.ts';
import type { Envelope } from './envelope.ts';

/** One message in this many is timed. */
const sampledEach = 64;
/** Characters of the arguments that a trace shows. */
const argumentsCharsMax = 200;

/** Whether the message with this number is timed: the second one, and then one in 64. */
export function isSampled(number: number): boolean {
  return (number & (sampledEach - 1)) === 1;
}

/** A message that a traced process has handled. */
export interface TracedMessage {
  /** When it was taken out of the mailbox, in milliseconds since 1970. */
  readonly atMs: number;
  readonly kind: string;
  readonly name: string;
  /** Its arguments as text, cut at 200 characters. */
  readonly args: string;
  /** Milliseconds until its handler had settled. */
  readonly tookMs: number;
  readonly requestId: string | undefined;
}

/** Times what one process does: a sample of its messages, or all of them while somebody traces it. */
export class Probe {
  readonly #clock: Clock;
  readonly waits = new WaitHistogram();
  /** Milliseconds that handlers have held the event loop, going by the sample. */
  busyMs = 0;
  #tracers: Set<(message: TracedMessage) => void> | undefined = undefined;
  #sampled: Envelope | undefined = undefined;
  #sampledAt = 0;
  /** The message being timed, and since when. */
  #timed: Envelope | undefined = undefined;
  #timedAt = 0;
  #isHeld = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message comes into the mailbox; one at a time is waited for. */
  sample(envelope: Envelope): void {
    if (this.#sampled?.isOpen === true) return;
    this.#sampled = envelope;
    this.#sampledAt = this.#clock.now();
  }

  /** A message was dropped from the mailbox. */
  dropped(envelope: Envelope): void {
    if (this.#sampled === envelope) this.#sampled = undefined;
  }

  isConcerned(envelope: Envelope): boolean {
    return this.#sampled === envelope || this.#tracers !== undefined;
  }

  /** Its handler is about to run. */
  begin(envelope: Envelope): void {
    this.#timed = envelope;
    this.#timedAt = this.#clock.now();
    if (this.#sampled !== envelope) return;
    this.waits.add(this.#timedAt - this.#sampledAt);
    this.#sampled = undefined;
    this.#isHeld = true;
  }

  /** Its handler has given the event loop back. */
  held(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.busyMs += (this.#clock.now() - this.#timedAt) * sampledEach;
  }

  /** Its handler has settled. */
  end(envelope: Envelope | undefined): void {
    if (envelope === undefined || this.#timed !== envelope) return;
    this.#timed = undefined;
    if (this.#tracers === undefined) return;
    const tookMs = this.#clock.now() - this.#timedAt;
    const traced: TracedMessage = {
      atMs: this.#clock.wallNow() - tookMs,
      kind: envelope.kind,
      name: envelope.name,
      args: shortened(envelope.args),
      tookMs,
      requestId: envelope.request?.requestId,
    };
    for (const tell of this.#tracers) tell(traced);
  }

  /** Tells of every message from now on, until it is disposed. */
  trace(listener: (message: TracedMessage) => void): Disposable {
    const tracers = (this.#tracers ??= new Set());
    tracers.add(listener);
    return {
      [Symbol.dispose]: () => {
        tracers.delete(listener);
        if (tracers.size === 0 && this.#tracers === tracers) this.#tracers = undefined;
      },
    };
  }
}

function shortened(args: readonly unknown[]): string {
  try {
    const texts = args.map((each) => inspect(each, { depth: 2, breakLength: Infinity }));
    const text = texts.join(', ');
    return text.length <= argumentsCharsMax ? text : `${text.slice(0, argumentsCharsMax)}…`;
  } catch (error) {
    return messageOf(error);
  }
}

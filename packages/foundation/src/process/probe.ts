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
  /** Messages of the sample that wait, in the order in which they came. */
  readonly #waiting: { readonly envelope: Envelope; readonly since: number }[] = [];
  /** The message being timed, and since when. */
  #timed: Envelope | undefined = undefined;
  #timedAt = 0;
  #isHeld = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message of the sample comes into the mailbox. */
  sample(envelope: Envelope): void {
    this.#waiting.push({ envelope, since: this.#clock.now() });
  }

  /** A message leaves the mailbox without being handled. */
  dropped(envelope: Envelope): void {
    const at = this.#waiting.findIndex((each) => each.envelope === envelope);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** @param number - Of the message among those handled. */
  isConcerned(envelope: Envelope, number: number): boolean {
    return (
      isSampled(number) || this.#waiting[0]?.envelope === envelope || this.#tracers !== undefined
    );
  }

  /** Its handler is about to run. */
  begin(envelope: Envelope, number: number): void {
    this.#timed = envelope;
    this.#timedAt = this.#clock.now();
    this.#isHeld = isSampled(number);
    const [first] = this.#waiting;
    if (first?.envelope !== envelope) return;
    this.#waiting.shift();
    this.waits.add(this.#timedAt - first.since);
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

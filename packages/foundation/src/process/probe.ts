import { inspect } from 'node:util';

import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { WaitHistogram } from '../telemetry/wait-histogram.ts';
import type { Envelope } from './envelope.ts';

/** Messages of a process of which one in 64 is timed, so that little work says something, too. */
const earlyMessages = 4_096;
/** Characters of the arguments that a trace shows. */
const argumentsCharsMax = 200;

/** Whether the message with this number is timed: the second one, then one in 64, later one in 512. */
export function isSampled(number: number): boolean {
  return (number & (sampledEach(number) - 1)) === 1;
}

function sampledEach(number: number): number {
  return number < earlyMessages ? 64 : 512;
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
  /** Whether somebody wants to know of every message. */
  isTracing = false;
  readonly #tracers = new Set<(message: TracedMessage) => void>();
  /** Messages of the sample that wait, in the order in which they came. */
  readonly #waiting: { readonly envelope: Envelope; readonly since: number }[] = [];
  /** The message being timed, and since when. */
  #timed: Envelope | undefined = undefined;
  #timedAt = 0;
  /** For how many messages the one being timed stands while it holds the event loop; 0 otherwise. */
  #heldFor = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message of the sample comes into the mailbox. Without its entry it takes the long way. */
  sample(envelope: Envelope): void {
    envelope.entry = undefined;
    this.#waiting.push({ envelope, since: this.#clock.now() });
  }

  /** A message leaves the mailbox without being handled. */
  dropped(envelope: Envelope): void {
    const at = this.#waiting.findIndex((each) => each.envelope === envelope);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** @param number - Of the message among those handled. */
  isConcerned(envelope: Envelope, number: number): boolean {
    return isSampled(number) || this.#waiting[0]?.envelope === envelope || this.isTracing;
  }

  /** Its handler is about to run. */
  begin(envelope: Envelope, number: number): void {
    this.#timed = envelope;
    this.#timedAt = this.#clock.now();
    this.#heldFor = isSampled(number) ? sampledEach(number) : 0;
    const [first] = this.#waiting;
    if (first?.envelope !== envelope) return;
    this.#waiting.shift();
    this.waits.add(this.#timedAt - first.since);
  }

  /** Its handler has given the event loop back. */
  held(): void {
    if (this.#heldFor === 0) return;
    this.busyMs += (this.#clock.now() - this.#timedAt) * this.#heldFor;
    this.#heldFor = 0;
  }

  /** Its handler has settled. */
  end(envelope: Envelope | undefined): void {
    if (envelope === undefined || this.#timed !== envelope) return;
    this.#timed = undefined;
    if (!this.isTracing) return;
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
    this.#tracers.add(listener);
    this.isTracing = true;
    return {
      [Symbol.dispose]: () => {
        this.#tracers.delete(listener);
        this.isTracing = this.#tracers.size > 0;
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

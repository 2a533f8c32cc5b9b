import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import {
  createInbox,
  nanos,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';

import type { Timer } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { entryHeaders, type JetStreamBucket } from './jet-stream-bucket.ts';
import type { NatsSettings } from './nats-options.ts';

/** What a feed tells of an entry; the value is not among it. */
export interface EntryHead {
  readonly key: string;
  readonly sequence: number;
  readonly isDeleted: boolean;
  /** Milliseconds since 1970, by the server's clock. */
  readonly writtenAt: number;
}

export interface FeedHandlers {
  onEntry(head: EntryHead): void;
  /** Everything up to a number of the stream has been told. */
  onReached(sequence: number): void;
  /** It has broken, and tells nothing any more. */
  onEnd(error: unknown): void;
}

/** How often a server says that there is nothing to say, and how many times it may not, in milliseconds. */
const heartbeatMs = 1_000;
const missedMax = 3;
/** How long a server keeps what nobody reads any more, in milliseconds. */
const abandonedMs = 5_000;

/** Reads the heads of the newest entries of all keys, then of those that follow, in order. Lives until it breaks. */
export class EntryFeed {
  readonly #bucket: JetStreamBucket;
  readonly #handlers: FeedHandlers;
  readonly #connection: NatsConnection;
  readonly #subscription: Subscription;
  readonly #watch: Timer;
  #delivered = 0;
  #missed = 0;
  #isOver = false;

  constructor(bucket: JetStreamBucket, settings: NatsSettings, handlers: FeedHandlers) {
    this.#bucket = bucket;
    this.#handlers = handlers;
    this.#connection = bucket.connection();
    this.#subscription = this.#connection.subscribe(createInbox(settings.inboxPrefix), {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#break(error)),
    });
    this.#watch = settings.clock.every(heartbeatMs, () => {
      if (++this.#missed > missedMax) this.#break(silent());
    });
    this.#begin().catch((error: unknown) => this.#break(error));
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch.cancel();
    this.#subscription.unsubscribe();
  }

  async #begin(): Promise<void> {
    const manager = await this.#bucket.manager();
    await manager.consumers.add(this.#bucket.stream, {
      deliver_subject: this.#subscription.getSubject(),
      filter_subject: this.#bucket.allKeys,
      deliver_policy: DeliverPolicy.LastPerSubject,
      replay_policy: ReplayPolicy.Instant,
      ack_policy: AckPolicy.None,
      headers_only: true,
      flow_control: true,
      idle_heartbeat: nanos(heartbeatMs),
      inactive_threshold: nanos(abandonedMs),
      mem_storage: true,
      num_replicas: 1,
    });
  }

  #receive(message: Msg): void {
    if (this.#isOver) return;
    this.#missed = 0;
    if (message.subject === this.#subscription.getSubject()) return this.#obey(message);
    const delivery = parseDelivery(message.reply ?? '');
    if (delivery?.delivered !== this.#delivered + 1) return this.#break(gap());
    this.#delivered++;
    const key = this.#bucket.keyOf(message.subject);
    if (key !== undefined) {
      const isDeleted = message.headers?.has(entryHeaders.deleted) === true;
      this.#handlers.onEntry({ key, isDeleted, ...delivery });
    }
    this.#handlers.onReached(delivery.sequence);
  }

  /** What a server says of the delivery itself. */
  #obey({ headers, reply }: Msg): void {
    const stalled = headers?.get('Nats-Consumer-Stalled') ?? '';
    for (const subject of [reply ?? '', stalled]) {
      if (subject !== '') this.#connection.publish(subject);
    }
    const told = Number(headers?.get('Nats-Last-Consumer') || this.#delivered);
    if (told !== this.#delivered) this.#break(gap());
  }

  #break(error: unknown): void {
    if (this.#isOver) return;
    this.end();
    this.#handlers.onEnd(error);
  }
}

interface Delivery {
  readonly sequence: number;
  readonly delivered: number;
  readonly writtenAt: number;
}

/** `$JS.ACK.….<stream sequence>.<consumer sequence>.<nanoseconds>.<pending>`; newer servers put more in front and behind. */
export function parseDelivery(reply: string): Delivery | undefined {
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 5 : 7;
  const [sequence, delivered, nanoseconds] = tokens.slice(at, at + 3).map(Number);
  if (sequence === undefined || delivered === undefined || nanoseconds === undefined)
    return undefined;
  return { sequence, delivered, writtenAt: nanoseconds / 1e6 };
}

function silent(): FoundationError {
  const what = `JetStream has said nothing to a watch for ${heartbeatMs * missedMax} ms`;
  return new FoundationError('STORE_UNAVAILABLE', what);
}

function gap(): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', 'a message of JetStream to a watch is missing');
}

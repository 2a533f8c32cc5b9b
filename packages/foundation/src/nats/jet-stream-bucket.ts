import {
  jetstream,
  jetstreamManager,
  type JetStreamManager,
  type SeqMsgRequest,
  type StoredMsg,
  type StreamExpectations,
} from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';

import { isWithoutEffect, notConnected } from './jet-stream-failure.ts';
import type { NatsClient } from './nats-client.ts';
import { clusterSubject, nameOf, tokenOf } from './subjects.ts';

/** What a stream holds of a key: a value, or the mark that it was deleted. */
export interface Entry {
  /** Its number in the stream, which is the key's version. */
  readonly sequence: number;
  readonly isDeleted: boolean;
  /** Who wrote it, in which operation. */
  readonly operation: string;
  /** The number of the entry that it has replaced; 0: none. */
  readonly over: number;
  readonly value: Uint8Array;
}

export type NewEntry = Omit<Entry, 'sequence'>;

/** What has come of one try to write. */
export type Try =
  | { readonly kind: 'done'; readonly sequence: number }
  /** It has had no effect and will have none. */
  | { readonly kind: 'refused'; readonly error: unknown }
  /** It may have been carried out, or be carried out later. */
  | { readonly kind: 'unclear'; readonly error: unknown };

/** Names of the headers that go with a value. */
export const entryHeaders = {
  operation: 'Foundation-Operation',
  over: 'Foundation-Over',
  deleted: 'Foundation-Deleted',
} as const;

/** Longest that one request may take, in milliseconds; then it is tried again. */
const requestMs = 2_000;
/** Room that headers and subject take of a message, in bytes. */
const overheadBytes = 2_048;

/** The cluster's stream, one request at a time. What fails is not tried again here. */
export class JetStreamBucket {
  readonly stream: string;
  readonly subject: string;
  readonly #client: NatsClient;
  readonly #keyPrefix: string;

  constructor(client: NatsClient, cluster: string) {
    this.#client = client;
    this.stream = `foundation-${tokenOf(cluster)}`;
    this.subject = `${clusterSubject(cluster)}.store`;
    this.#keyPrefix = `${this.subject}.key.`;
  }

  /** Of every key, as a filter. */
  get allKeys(): string {
    return `${this.#keyPrefix}*`;
  }

  /** What is written here tells how far a reader of the stream has come. */
  get syncSubject(): string {
    return `${this.#keyPrefix}$sync`;
  }

  /** The key that a subject is of, if it is one's. */
  keyOf(subject: string): string | undefined {
    return subject === this.syncSubject ? undefined : nameOf(subject.slice(this.#keyPrefix.length));
  }

  subjectOf(key: string): string {
    return `${this.#keyPrefix}${tokenOf(key)}`;
  }

  /** The largest value that the server takes, in bytes. */
  get valueBytesMax(): number {
    return (this.#client.connection?.info?.max_payload ?? Infinity) - overheadBytes;
  }

  /** The newest entry, as some server that takes itself for the leader knows it. */
  async last(key: string): Promise<Entry | undefined> {
    const manager = await this.manager();
    const query = { last_by_subj: this.subjectOf(key) };
    return entryOf(await manager.streams.getMessage(this.stream, query));
  }

  /** The first entry of a key from a number on that is still kept. */
  async next(key: string, sequence: number): Promise<Entry | undefined> {
    const manager = await this.manager();
    const query: SeqMsgRequest & { readonly next_by_subj: string } = {
      seq: sequence,
      next_by_subj: this.subjectOf(key),
    };
    return entryOf(await manager.streams.getMessage(this.stream, query));
  }

  /** The entry of exactly this number. */
  async at(sequence: number): Promise<Entry | undefined> {
    const manager = await this.manager();
    return entryOf(await manager.streams.getMessage(this.stream, { seq: sequence }));
  }

  /** Writes if the key's newest entry is still number `entry.over`. */
  write(key: string, entry: NewEntry): Promise<Try> {
    const { value, operation, over, isDeleted } = entry;
    const header = headers();
    header.set(entryHeaders.operation, operation);
    header.set(entryHeaders.over, String(over));
    if (isDeleted) header.set(entryHeaders.deleted, '1');
    const expect = { lastSubjectSequence: over };
    return this.#publish(this.subjectOf(key), { value, header, expect });
  }

  /**
   * Writes a mark, under the condition that the key's newest entry is number `sequence`. When it is done, that was so
   * at this very moment. (A read alone proves nothing: a leader that was cut off answers for up to ten seconds more.)
   */
  confirm(key: string, sequence: number): Promise<Try> {
    const expect = {
      lastSubjectSequence: sequence,
      lastSubjectSequenceSubject: this.subjectOf(key),
    };
    return this.#publish(`${this.subject}.read`, { expect });
  }

  /** Writes a mark behind all that was written before. */
  sync(): Promise<Try> {
    return this.#publish(this.syncSubject, {});
  }

  /** Forgets a key that was deleted, unless it was created anew meanwhile. */
  async forget(key: string, deletedAt: number): Promise<void> {
    const manager = await this.manager();
    await manager.streams.purge(this.stream, { filter: this.subjectOf(key), seq: deletedAt + 1 });
  }

  manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.connection(), { timeout: requestMs, checkAPI: false });
  }

  /** @throws FoundationError `STORE_UNAVAILABLE` */
  connection(): NatsConnection {
    const { connection } = this.#client;
    if (connection === undefined) throw notConnected(this.#client.addresses);
    return connection;
  }

  async #publish(subject: string, message: Message): Promise<Try> {
    try {
      const { value = new Uint8Array(0), header = headers(), expect = {} } = message;
      const { seq } = await jetstream(this.connection()).publish(subject, value, {
        timeout: requestMs,
        headers: header,
        expect: { ...expect, streamName: this.stream },
      });
      return { kind: 'done', sequence: seq };
    } catch (error) {
      return { kind: isWithoutEffect(error) ? 'refused' : 'unclear', error };
    }
  }
}

interface Message {
  readonly value?: Uint8Array;
  readonly header?: MsgHdrs;
  readonly expect?: Partial<StreamExpectations>;
}

/** Whatever others than this adapter may have written counts as a value of nobody. */
export function entryOf(
  message: Pick<StoredMsg, 'seq' | 'header' | 'data'> | null,
): Entry | undefined {
  if (message === null) return undefined;
  const { seq, header, data } = message;
  return {
    sequence: seq,
    isDeleted: header.has(entryHeaders.deleted),
    operation: header.get(entryHeaders.operation),
    over: Number(header.get(entryHeaders.over) || Number.NaN),
    value: data,
  };
}

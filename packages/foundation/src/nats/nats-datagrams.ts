import type { Subscription } from '@nats-io/transport-node';

import { listenTo, type NatsClient } from './nats-client.ts';
import { clusterSubject, tokenOf } from './subjects.ts';

/** Whose datagrams these are. */
export interface NatsDatagramsOptions {
  /** In a thread of its own, one of its own. */
  readonly nats: NatsClient;
  readonly cluster: string;
  readonly node: string;
}

/**
 * Datagrams between nodes by name, for a failure detector whose probes take the way that messages take. One may be lost,
 * doubled or late, and is of anybody who may publish to NATS: what is in it has to prove itself.
 */
export class NatsDatagrams {
  readonly #options: NatsDatagramsOptions;
  #listening: Disposable | undefined = undefined;
  #subscription: Subscription | undefined = undefined;

  constructor(options: NatsDatagramsOptions) {
    this.#options = options;
  }

  /** @throws FoundationError `NODE_UNREACHABLE` or `AUTHENTICATION_FAILED` when no server takes this client. */
  async start(onDatagram: (bytes: Uint8Array) => void): Promise<void> {
    const { nats, node } = this.#options;
    await nats.open();
    const begin = (): void => {
      const { connection } = nats;
      if (connection === undefined) return;
      const subject = this.#subjectOf(node);
      this.#subscription = listenTo(connection, subject, ({ data }) => onDatagram(data));
    };
    this.#listening = nats.listen({ onUp: begin });
    begin();
    // Once it has answered, the server knows what this node listens to.
    await nats.connection?.flush().catch(() => undefined);
  }

  /** @returns false when there is no connection to NATS; true promises nothing. */
  send(node: string, bytes: Uint8Array): boolean {
    const { connection } = this.#options.nats;
    if (connection === undefined || connection.isClosed()) return false;
    connection.publish(this.#subjectOf(node), bytes);
    return true;
  }

  async stop(): Promise<void> {
    if (this.#listening === undefined) return;
    this.#listening[Symbol.dispose]();
    this.#listening = undefined;
    this.#subscription?.unsubscribe();
    await this.#options.nats.close();
  }

  #subjectOf(node: string): string {
    return `${clusterSubject(this.#options.cluster)}.probe.${tokenOf(node)}`;
  }
}

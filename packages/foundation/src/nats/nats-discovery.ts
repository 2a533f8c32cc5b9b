import {
  createInbox,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';

import type { Timer } from '../clock.ts';
import { KnownHints } from '../cluster/discoveries/known-hints.ts';
import type { Advertisement, Discovery, DiscoveryHandlers } from '../cluster/discovery.ts';
import { FoundationError } from '../errors.ts';
import { checkNumber, refuseUnknown, withDefaults } from '../options.ts';
import { memberKeys, type MemberKeys } from './member-keys.ts';
import { listenTo, type NatsClient } from './nats-client.ts';
import { advertised, heard, reprieved, unexpired, type Roster } from './roster-state.ts';
import { clusterSubject } from './subjects.ts';
import { decodeWord, encodeWord, type Said } from './word.ts';

/** Where nodes meet, and how often they say that they are there. */
export interface NatsDiscoveryOptions extends Partial<NatsDiscoverySettings> {
  /** May be shared with the transport and the store. */
  readonly nats: NatsClient;
  readonly cluster: string;
  /** The cluster's secret, by which members know each other's words. Of several the first is used and all are accepted. */
  readonly secret: Uint8Array | readonly Uint8Array[];
}

export interface NatsDiscoverySettings {
  /** How often this node says that it is there, in milliseconds. @defaultValue 2_000 */
  readonly heartbeatMs: number;
  /** Silence after which a node is not there any more, in milliseconds. @defaultValue 7_000 */
  readonly staleMs: number;
  /** Silence after which everybody has answered, in milliseconds. @defaultValue 100 */
  readonly answerMs: number;
  /** Nodes that are taken at most. @defaultValue 1_000 */
  readonly nodesMax: number;
}

const defaults: NatsDiscoverySettings = {
  heartbeatMs: 2_000,
  staleMs: 7_000,
  answerMs: 100,
  nodesMax: 1_000,
};

const who = 'NatsDiscovery';
/** Longest that is waited for answers, in milliseconds, however many there are. */
const lookMs = 1_000;

/**
 * Nodes that say on a subject that they are there, and are asked who is. What they say is proven by the secret, so that
 * nobody else can make a node forget another; who really is there is proven by the transport.
 */
export class NatsDiscovery implements Discovery {
  readonly name = 'nats';
  readonly #client: NatsClient;
  readonly #cluster: string;
  readonly #settings: NatsDiscoverySettings;
  readonly #proofKeys: MemberKeys;
  readonly #subject: string;
  #number = 0;
  #running: Running | undefined = undefined;

  /** @throws FoundationError `SECRET_INVALID` or `INVALID_OPTION` */
  constructor(options: NatsDiscoveryOptions) {
    const { nats, cluster, secret, ...given } = options;
    refuseUnknown(who, options, ['nats', 'cluster', 'secret', ...Object.keys(defaults)]);
    this.#settings = withDefaults(defaults, given);
    for (const [option, value] of Object.entries(this.#settings)) {
      checkNumber(who, { [option]: value }, { above: 0 });
    }
    this.#client = nats;
    this.#cluster = cluster;
    this.#proofKeys = memberKeys(who, secret);
    this.#subject = `${clusterSubject(cluster)}.nodes`;
  }

  /** @throws FoundationError `NODE_UNREACHABLE` when no server answers, `AUTHENTICATION_FAILED` or `NAME_TAKEN` */
  async start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    await this.#client.open();
    const hints = new KnownHints({ name: this.name, handlers, hintsMax: this.#settings.nodesMax });
    const running = new Running(self, handlers, hints);
    this.#running = running;
    try {
      await this.#look(running);
      if (running.namesake !== undefined) throw nameTaken(running.namesake);
    } catch (error) {
      await this.#end(running);
      throw error;
    }
    this.#join(running);
    this.#tell(running);
  }

  /** Asks again who is there. */
  async refresh(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    try {
      await this.#look(running);
      this.#tell(running);
    } catch (error) {
      running.hints.failed(error);
    }
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#say('bye', running);
    await this.#end(running);
  }

  async #end(running: Running): Promise<void> {
    this.#running = undefined;
    running[Symbol.dispose]();
    await this.#client.close();
  }

  /** Makes this node known, and listens, on this connection and on each that follows. */
  #join(running: Running): void {
    const { clock } = this.#client.settings;
    const onWord = (message: Msg): void => {
      if (this.#hear(running, message)) this.#tell(running);
    };
    const onAsk = (message: Msg): void => this.#onAsk(running, message);
    let subscriptions: readonly Subscription[] = [];
    const begin = (connection: NatsConnection): void => {
      subscriptions = [
        listenTo(connection, this.#subject, onWord),
        listenTo(connection, this.#askSubject, onAsk),
      ];
      this.#say('here', running);
    };
    const listening = this.#client.listen({
      onUp: (connection) => {
        running.roster = reprieved(running.roster, clock.now());
        begin(connection);
        void this.refresh();
      },
      onDown: () => running.hints.failed(notConnected(this.#client.addresses)),
    });
    const beats = clock.every(this.#settings.heartbeatMs, () => this.#beat(running));
    running.join(() => {
      listening[Symbol.dispose]();
      beats.cancel();
      for (const subscription of subscriptions) subscription.unsubscribe();
    });
    running.beatAt = clock.now();
    if (this.#client.connection !== undefined) begin(this.#client.connection);
  }

  #beat(running: Running): void {
    const { heartbeatMs, staleMs } = this.#settings;
    const now = this.#client.settings.clock.now();
    // What this node slept through says nothing about the others; nor does what it could not hear.
    const hasListened = now - running.beatAt < 1.5 * heartbeatMs;
    running.beatAt = now;
    if (this.#client.connection === undefined) return;
    running.roster = hasListened
      ? unexpired(running.roster, now - staleMs)
      : reprieved(running.roster, now);
    this.#say('here', running);
    this.#tell(running);
  }

  /** Asks who is there, and waits until nobody answers any more. */
  async #look(running: Running): Promise<void> {
    const { settings, connection, addresses } = this.#client;
    if (connection === undefined) throw notConnected(addresses);
    const { promise, resolve } = Promise.withResolvers<void>();
    const longest = settings.clock.after(lookMs, resolve);
    let quiet: Timer | undefined;
    const inbox = createInbox(settings.inboxPrefix);
    const answers = listenTo(connection, inbox, (message) => {
      if (message.headers?.code === 503) return resolve(); // nobody listens
      this.#hear(running, message);
      quiet?.cancel();
      quiet = settings.clock.after(this.#settings.answerMs, resolve);
    });
    connection.publish(this.#askSubject, this.#word('ask', running), { reply: inbox });
    await promise;
    longest.cancel();
    quiet?.cancel();
    answers.unsubscribe();
  }

  #onAsk(running: Running, message: Msg): void {
    const { reply = '' } = message;
    const said = this.#read(message, this.#askSubject);
    if (said?.kind !== 'ask' || reply === '') return;
    this.#client.connection?.publish(reply, this.#word('here', running));
  }

  /** Whether something is known now that was not before. */
  #hear(running: Running, message: Msg): boolean {
    const said = this.#read(message, this.#subject);
    if (said === undefined || said.kind === 'ask') return false;
    if (said.node === running.self.node) {
      if (said.kind === 'here') running.meet(said);
      return false;
    }
    const { roster } = running;
    const now = this.#client.settings.clock.now();
    const { nodesMax } = this.#settings;
    running.roster = heard(roster, { ...said, kind: said.kind }, { now, nodesMax });
    return running.roster !== roster;
  }

  #tell(running: Running): void {
    if (this.#running !== running) return;
    running.hints.are(advertised(running.roster));
  }

  #say(kind: 'here' | 'bye', running: Running): void {
    this.#client.connection?.publish(this.#subject, this.#word(kind, running));
  }

  #word(kind: Said['kind'], { self }: Running): Buffer {
    const { node, incarnation, address } = self;
    const said = { kind, node, incarnation, address, number: ++this.#number };
    const subject = kind === 'ask' ? this.#askSubject : this.#subject;
    return encodeWord(said, this.#proofKeys[0], subject);
  }

  #read({ data }: Msg, subject: string): Said | undefined {
    const payload = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return decodeWord(payload, this.#proofKeys, { subject, cluster: this.#cluster });
  }

  get #askSubject(): string {
    return `${this.#subject}.ask`;
  }
}

/** From start to stop. */
class Running implements Disposable {
  readonly self: Advertisement;
  readonly handlers: DiscoveryHandlers;
  readonly hints: KnownHints;
  /** The others. */
  roster: Roster = new Map();
  /** Another node of the same name. */
  namesake: Advertisement | undefined = undefined;
  beatAt = 0;
  readonly #ends = new DisposableStack();
  #isJoined = false;

  constructor(self: Advertisement, handlers: DiscoveryHandlers, hints: KnownHints) {
    this.self = self;
    this.handlers = handlers;
    this.hints = hints;
  }

  /** This node is known now; `leave` ends that. */
  join(leave: () => void): void {
    this.#isJoined = true;
    this.#ends.defer(leave);
  }

  /** Somebody has this node's name: perhaps itself. Told once for each other life. */
  meet(said: Advertisement): void {
    const { incarnation } = said;
    if (incarnation === this.self.incarnation || incarnation === this.namesake?.incarnation) return;
    this.namesake = said;
    if (this.#isJoined) this.handlers.onError(nameTaken(said));
  }

  [Symbol.dispose](): void {
    this.#ends.dispose();
  }
}

function nameTaken({ node, address }: Advertisement): FoundationError {
  return new FoundationError(
    'NAME_TAKEN',
    `a node named "${node}" is there already, at ${address}`,
    {
      hint: 'Give this node another name, or stop the other one.',
      details: { node, address },
    },
  );
}

function notConnected(servers: string): FoundationError {
  return new FoundationError('DISCOVERY_FAILED', `there is no connection to NATS at ${servers}`, {
    hint: 'It is made again by itself. Who was known before stays known.',
  });
}

import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';

import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';

import type { Clock } from '../clock.ts';
import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import { tell } from '../events.ts';
import {
  isLoopback,
  natsSettings,
  type NatsOptions,
  type NatsServer,
  type NatsSettings,
} from './nats-options.ts';
import { broken, noneAnswers, problemOf, refusalOf } from './nats-refusal.ts';

/** What a client tells those that share it. */
export interface NatsListener {
  /** Connected, or connected anew: nothing that was subscribed or asked for before is left. */
  onUp?(connection: NatsConnection): void;
  /** The connection broke: what was on its way is lost, or was carried out unheard. */
  onDown?(): void;
  /** A server refuses what this client may not do, or does not take it back. */
  onProblem?(error: FoundationError): void;
}

/** Pauses between two rounds of tries to connect, in milliseconds; each is twice the one before. */
const pauseMinMs = 50;
const pauseMaxMs = 2_000;
/** Longest that what was published may take to leave when the client closes, in milliseconds. */
const flushMs = 1_000;

/**
 * A node's door to its NATS servers, shared by its transport, its discovery and its store.
 *
 * Each connection lives once. The library's own way of reconnecting keeps what was published meanwhile, to lose it or
 * to send it late, and may wait for ever to part from a server that is frozen. So a connection that breaks is dropped
 * with all that was on it, everybody is told, and a new one is made.
 */
export class NatsClient {
  readonly settings: NatsSettings;
  /** What it was made with, as far as it can be cloned: another one with it is another connection of the same client. */
  readonly options: NatsOptions;
  readonly #listeners = new Set<NatsListener>();
  #users = 0;
  #life: Life | undefined = undefined;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: NatsOptions) {
    this.settings = natsSettings(options);
    const { clock: _clock, random: _random, ...cloneable } = options;
    this.options = cloneable;
  }

  /** The connection of this moment. */
  get connection(): NatsConnection | undefined {
    return this.#life?.connection;
  }

  /**
   * Whether other clients may still be on their way back, as this one was: it takes them as long as the longest pause
   * between two tries, and one try.
   */
  get isJustBack(): boolean {
    const returnMs = 1.5 * pauseMaxMs + this.settings.connectTimeoutMs;
    return this.#life === undefined || this.#life.backForMs < returnMs;
  }

  /** Whether what is sent leaves this machine in the clear. */
  get isExposed(): boolean {
    const { info } = this.connection ?? {};
    const isTls = info?.tls_required === true || info?.tls_available === true;
    return !isTls && this.settings.servers.some(({ host }) => !isLoopback(host));
  }

  /** The servers, for messages. */
  get addresses(): string {
    return this.settings.servers.map(addressOf).join(', ');
  }

  /**
   * Connects, for the first of its users; each must `close` it once.
   *
   * @throws FoundationError `NODE_UNREACHABLE`, or `AUTHENTICATION_FAILED` when servers do not take this client.
   */
  async open(): Promise<void> {
    this.#users++;
    this.#life ??= new Life(this.settings, this.#listeners);
    const life = this.#life;
    try {
      await life.opened;
    } catch (error) {
      this.#users--;
      if (this.#life === life) this.#life = undefined;
      throw error;
    }
  }

  /** Lets what was published leave, and hangs up after the last of its users. */
  async close(): Promise<void> {
    if (this.#users === 0 || --this.#users > 0) return;
    const life = this.#life;
    this.#life = undefined;
    await life?.end();
  }

  listen(listener: NatsListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

/**
 * Subscribes as long as the connection lasts. What `onMessage` throws is nobody's to catch: the library would stop to
 * read.
 */
export function listenTo(
  connection: NatsConnection,
  subject: string,
  onMessage: (message: Msg) => void,
): Subscription {
  return connection.subscribe(subject, {
    callback: (refusal, message) => {
      // A refusal is told by the connection, too.
      if (refusal !== null) return;
      try {
        onMessage(message);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    },
  });
}

/** One connection after the other, until it is ended. */
class Life {
  /** Rejects when the first try fails. */
  readonly opened: Promise<void>;
  connection: NatsConnection | undefined = undefined;
  /** When it was connected anew; -Infinity with the first connection. */
  #backAtMs = -Infinity;
  readonly #settings: NatsSettings;
  readonly #listeners: ReadonlySet<NatsListener>;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(settings: NatsSettings, listeners: ReadonlySet<NatsListener>) {
    this.#settings = settings;
    this.#listeners = listeners;
    this.opened = connectToAny(settings).then((connection) => void this.#go(connection));
  }

  get backForMs(): number {
    return this.connection === undefined ? 0 : this.#settings.clock.now() - this.#backAtMs;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#wake();
    const { connection } = this;
    if (connection === undefined) return;
    await atMost(this.#settings.clock, flushMs, connection.flush());
    await connection.close();
  }

  async #go(first: NatsConnection): Promise<void> {
    for (let connection: NatsConnection | undefined = first; connection !== undefined;) {
      if (this.#isOver) return connection.close();
      this.connection = connection;
      this.#up(connection);
      await this.#follow(connection);
      this.connection = undefined;
      this.#tell((listener) => listener.onDown?.());
      if (!this.#isOver) this.#problem(broken(connection.getServer()));
      connection = await this.#again();
      this.#backAtMs = this.#settings.clock.now();
    }
  }

  /** Resolves when the connection is over. */
  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      // The library would first send what waits, which a frozen server never takes.
      if (status.type === 'staleConnection') void connection.close();
      const problem = problemOf(status);
      if (problem !== undefined) this.#problem(problem);
    }
    await connection.closed();
  }

  async #again(): Promise<NatsConnection | undefined> {
    const { random } = this.#settings;
    for (let pauseMs = pauseMinMs; !this.#isOver; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
      try {
        return await connectToAny(this.#settings);
      } catch (error) {
        if (!isFoundationError(error)) throw error;
        if (error.code !== 'NODE_UNREACHABLE') this.#problem(error);
      }
      await this.#pause(pauseMs * (0.5 + random.next()));
    }
    return undefined;
  }

  async #pause(pauseMs: number): Promise<void> {
    if (this.#isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#settings.clock.after(pauseMs, resolve);
    this.#wake = resolve;
    await promise;
    timer.cancel();
  }

  #up(connection: NatsConnection): void {
    this.#tell((listener) => listener.onUp?.(connection));
  }

  #problem(error: FoundationError): void {
    this.#tell((listener) => listener.onProblem?.(error));
  }

  #tell(what: (listener: NatsListener) => void): void {
    for (const listener of this.#listeners) tell(what, listener);
  }
}

/** Tries the servers one after the other, in an order of its own. */
async function connectToAny(settings: NatsSettings): Promise<NatsConnection> {
  const refusals: FoundationError[] = [];
  const { servers, random } = settings;
  const order = servers.map((server) => ({ server, rank: random.next() }));
  for (const { server } of order.toSorted((a, b) => a.rank - b.rank)) {
    try {
      return await connectTo(server, settings);
    } catch (error) {
      refusals.push(refusalOf(error, addressOf(server)));
    }
  }
  throw refusals.find(({ code }) => code !== 'NODE_UNREACHABLE') ?? noneAnswers(refusals);
}

async function connectTo(server: NatsServer, settings: NatsSettings): Promise<NatsConnection> {
  const { connectTimeoutMs, pingEveryMs, name, inboxPrefix } = settings;
  await untilItGreets(server, settings);
  return connect({
    ...(await credentialsOf(server, settings)),
    ...(await tlsOf(server, settings)),
    servers: addressOf(server),
    name,
    inboxPrefix,
    timeout: connectTimeoutMs,
    pingInterval: pingEveryMs,
    maxPingOut: 2,
    reconnect: false,
    noAsyncTraces: true,
    ignoreClusterUpdates: true,
  });
}

/**
 * A server speaks first. One that is frozen takes a connection and is silent; the library would leave that one open, to
 * keep the program alive for as long.
 */
function untilItGreets({ host, port }: NatsServer, settings: NatsSettings): Promise<void> {
  const { clock, connectTimeoutMs } = settings;
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, host);
    const settle = (error?: Error): void => {
      timer.cancel();
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = clock.after(connectTimeoutMs, () => {
      settle(new Error(`it said nothing within ${connectTimeoutMs} ms`));
    });
    socket.once('error', settle);
    socket.once('end', () => settle(new Error('it hung up')));
    socket.once('data', () => settle());
  });
}

async function credentialsOf(
  server: NatsServer,
  settings: NatsSettings,
): Promise<Partial<ConnectionOptions>> {
  const { nkeySeed, credentialsFile, token } = settings;
  const user = server.user ?? settings.user;
  const pass = server.password ?? settings.password;
  if (credentialsFile !== undefined) {
    return { authenticator: credsAuthenticator(await contentOf({ credentialsFile })) };
  }
  if (nkeySeed !== undefined) return { authenticator: nkeyAuthenticator(Buffer.from(nkeySeed)) };
  if (token !== undefined) return { token };
  if (user === undefined) return {};
  return pass === undefined ? { user } : { user, pass };
}

/** Away from this machine TLS is asked for before any credentials are shown. Files are read anew each time. */
async function tlsOf(
  server: NatsServer,
  { tls, plaintext }: NatsSettings,
): Promise<Partial<ConnectionOptions>> {
  const mayBePlain = plaintext === 'anywhere' || isLoopback(server.host);
  if (tls === undefined) return server.isTls || !mayBePlain ? { tls: {} } : {};
  const { caFile, certFile, keyFile } = tls;
  return {
    tls: {
      ...(caFile === undefined ? {} : { ca: String(await contentOf({ caFile })) }),
      ...(certFile === undefined ? {} : { cert: String(await contentOf({ certFile })) }),
      ...(keyFile === undefined ? {} : { key: String(await contentOf({ keyFile })) }),
    },
  };
}

/** @param file - one option by its name, a path */
async function contentOf(file: Readonly<Record<string, string>>): Promise<Buffer> {
  const [[option, path] = ['', '']] = Object.entries(file);
  try {
    return await readFile(path);
  } catch (cause) {
    const what = `nats: the file ${path} of \`${option}\` cannot be read: ${messageOf(cause)}`;
    throw new FoundationError('INVALID_OPTION', what, {
      hint: 'Give the path of a file that this program may read.',
      details: { option, path },
      cause,
    });
  }
}

function addressOf({ host, port }: NatsServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Waits for something that may fail or hang; at most for a while. */
async function atMost(clock: Clock, limitMs: number, what: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(limitMs, resolve);
  what.then(
    () => resolve(),
    () => resolve(),
  );
  await promise;
  timer.cancel();
}

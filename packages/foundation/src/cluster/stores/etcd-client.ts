import { sleep } from '../../clock.ts';
import { FoundationError, foundationErrors } from '../../errors.ts';
import { failureOf, nonsense, type EtcdFailure } from './etcd-failure.ts';
import { clusterOf, parseToken } from './etcd-messages.ts';
import type { EtcdSettings } from './etcd-options.ts';
import { EtcdServer, type EtcdRefusal, type EtcdSilence } from './etcd-server.ts';

/** What is asked of etcd, whichever of its servers answers. */
export interface EtcdCall<T> {
  /** The operation, for errors. */
  readonly what: string;
  readonly path: string;
  /** @defaultValue none: a GET */
  readonly body?: unknown;
  /** Whether it changes anything: then it is not repeated unless it was certainly not carried out. */
  readonly isWrite?: boolean;
  /** What a reply means; undefined if nothing. */
  readonly parse: (body: unknown) => T | undefined;
}

/** What a stream of etcd tells. */
export interface EtcdStreamHandlers {
  readonly onMessage: (message: unknown) => void;
  /** It has ended, and nobody asked it to. */
  readonly onEnd: (failure: EtcdFailure) => void;
}

type Outcome<T> = { readonly value: T } | { readonly failure: EtcdFailure };
type Failures = ReadonlyMap<EtcdServer, EtcdFailure>;

/** Pause when all servers have failed, in milliseconds; it doubles each time, up to the second. */
const [pauseMs, pauseMaxMs] = [20, 320];

/** The servers of one etcd. They are asked one after the other until one answers. */
export class EtcdClient {
  readonly #settings: EtcdSettings;
  readonly #servers: readonly EtcdServer[];
  #current: number;
  /** Empty: etcd asks nobody who he is. */
  #token: string | undefined;
  #loggingIn: Promise<EtcdFailure | undefined> | undefined;
  /** The etcd that has answered first. */
  #cluster: string | undefined;

  constructor(settings: EtcdSettings) {
    this.#settings = settings;
    this.#servers = settings.endpoints.map((url) => new EtcdServer(url, settings));
    // The nodes of a cluster spread over the servers.
    this.#current = settings.random.int(this.#servers.length);
    this.#token = settings.login === undefined ? '' : undefined;
  }

  get serverCount(): number {
    return this.#servers.length;
  }

  /** How long one server may take, in milliseconds. */
  get attemptMs(): number {
    return this.#settings.timeoutMs / 2;
  }

  /** Whether etcd wanted to know who this is. */
  get isLoggedIn(): boolean {
    return this.#token !== undefined && this.#token !== '';
  }

  /** The server that is asked next. */
  get current(): EtcdServer {
    const server = this.#servers[this.#current];
    if (server === undefined) throw new Error('an etcd without servers');
    return server;
  }

  /** Asks the next one from now on, if this is still the one that is asked. */
  turnFrom(server: EtcdServer): void {
    if (server === this.current) this.#current = (this.#current + 1) % this.#servers.length;
  }

  /**
   * Asks until a server answers, for `timeoutMs` at most. A write that may have been carried out is not repeated.
   *
   * @throws FoundationError with its outcome, and in `details.servers` what each server said
   */
  async ask<T>(call: EtcdCall<T>): Promise<T> {
    const { clock, timeoutMs } = this.#settings;
    const deadline = clock.now() + timeoutMs;
    const failures = new Map<EtcdServer, EtcdFailure>();
    for (let tries = 1; ; tries++) {
      const server = this.current;
      const leftMs = deadline - clock.now();
      const outcome = await this.askOne(server, call, Math.min(leftMs, this.attemptMs));
      if ('value' in outcome) return outcome.value;
      const { failure } = outcome;
      failures.set(server, failure);
      const mayRepeat = call.isWrite !== true || failure.outcome === 'not-executed';
      if (failure.isPassing) this.turnFrom(server);
      if (!failure.isPassing || !mayRepeat) throw errorOf(call, failures, failure);
      if (tries % this.#servers.length === 0) await this.#pause(tries / this.#servers.length);
      // What could only be cut short is not begun.
      if (clock.now() + this.attemptMs / 2 > deadline) throw errorOf(call, failures, failure);
    }
  }

  /**
   * Asks every server once.
   *
   * @returns what those said that answered: one at least
   * @throws FoundationError also if only one of them refused for good
   */
  async askAll<T>(call: EtcdCall<T>): Promise<readonly T[]> {
    const failures = new Map<EtcdServer, EtcdFailure>();
    const values: T[] = [];
    const asking = this.#servers.map(async (server) => {
      const outcome = await this.askOne(server, call);
      if ('value' in outcome) values.push(outcome.value);
      else failures.set(server, outcome.failure);
    });
    await Promise.all(asking);
    const reasons = [...failures.values()];
    const worst = reasons.find(({ isPassing }) => !isPassing) ?? reasons[0];
    const isFine = worst === undefined || (worst.isPassing && values.length > 0);
    if (!isFine) throw errorOf(call, failures, worst);
    return values;
  }

  /** Asks one server once. Never rejects. */
  async askOne<T>(
    server: EtcdServer,
    { path, body, parse }: EtcdCall<T>,
    timeoutMs = this.attemptMs,
  ): Promise<Outcome<T>> {
    const refused = await this.logIn(server);
    if (refused !== undefined) return { failure: refused };
    const token = this.#token;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await server.ask({ path, body: text, token, timeoutMs });
    if (answer.kind !== 'reply') return { failure: this.#judge(answer, token) };
    if (this.#isForeign(answer.body)) return { failure: foreign };
    const value = parse(answer.body);
    return value === undefined ? { failure: nonsense } : { value };
  }

  /** Opens a stream at a server where this program is logged in. */
  stream(
    server: EtcdServer,
    { path, body }: { readonly path: string; readonly body: string },
    { onMessage, onEnd }: EtcdStreamHandlers,
  ): Disposable {
    const token = this.#token;
    const request = { path, body, token, timeoutMs: this.attemptMs };
    return server.stream(request, {
      onMessage,
      onEnd: (answer) => onEnd(this.#judge(answer, token)),
    });
  }

  /** Gets a token, unless there is one. @returns why that failed */
  async logIn(server: EtcdServer): Promise<EtcdFailure | undefined> {
    if (this.#token !== undefined) return undefined;
    // One for all that wait: etcd takes its time to check a password.
    this.#loggingIn ??= this.#getToken(server).finally(() => (this.#loggingIn = undefined));
    return this.#loggingIn;
  }

  /** Gets a new token before anything else is asked. */
  logOut(): void {
    if (this.#settings.login !== undefined) this.#token = undefined;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async #getToken(server: EtcdServer): Promise<EtcdFailure | undefined> {
    const body = JSON.stringify(this.#settings.login);
    const request = { path: '/v3/auth/authenticate', body, timeoutMs: this.attemptMs };
    const answer = await server.ask(request);
    if (answer.kind === 'refusal' && answer.words.includes('authentication is not enabled')) {
      this.#token = '';
      return undefined;
    }
    // What was to be asked has not been sent yet.
    if (answer.kind !== 'reply') return { ...failureOf(answer), outcome: 'not-executed' };
    this.#token = parseToken(answer.body);
    return this.#token === undefined ? { ...nonsense, outcome: 'not-executed' } : undefined;
  }

  #judge(answer: EtcdRefusal | EtcdSilence, token: string | undefined): EtcdFailure {
    const failure = failureOf(answer);
    if (failure.isLogin !== true) return failure;
    if (token === this.#token) this.logOut();
    // Tokens expire, and die with the server's process; without a user there is none to get.
    return { ...failure, isPassing: this.#settings.login !== undefined };
  }

  #isForeign(body: unknown): boolean {
    const cluster = clusterOf(body);
    this.#cluster ??= cluster;
    return cluster !== undefined && cluster !== this.#cluster;
  }

  #pause(round: number): Promise<void> {
    const { clock, random } = this.#settings;
    const longestMs = Math.min(pauseMs * 2 ** (round - 1), pauseMaxMs);
    return sleep(clock, longestMs * (0.5 + random.next() / 2));
  }
}

const foreign: EtcdFailure = {
  code: 'STORE_UNSUITABLE',
  outcome: 'unknown',
  isPassing: false,
  reason: 'it belongs to another etcd than the one that answered first',
  hint: 'Give endpoints of one etcd only.',
};

/** The error of an operation that came to nothing. */
export function errorOf(
  { what, isWrite = false }: Pick<EtcdCall<unknown>, 'what' | 'isWrite'>,
  failures: Failures,
  last: EtcdFailure,
): FoundationError {
  const said = [...failures].map(([{ url }, { reason }]) => [url, reason]);
  const lost = last.isPassing && [...failures.values()].find(({ code }) => code === 'NO_QUORUM');
  const { code } = lost || last;
  const outcome = isWrite ? last.outcome : 'not-executed';
  const advice =
    outcome === 'unknown'
      ? 'It may have been carried out: read before you write again.'
      : 'See whether a majority of the servers runs and can be reached.';
  return new FoundationError(
    code,
    `etcd did not carry out "${what}": ${said.map((each) => each.join(': ')).join('; ')}`,
    {
      hint: last.hint ?? advice,
      details: { servers: Object.fromEntries(said) },
      traits: { retryable: foundationErrors[code].retryable, outcome },
    },
  );
}

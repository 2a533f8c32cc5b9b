import type { Clock } from '../clock.ts';
import type { AgentId, SessionId } from './message.ts';
import type { Outcome, Participation } from './outcome.ts';
import type { OutcomeStatus } from './protocol.ts';
import type { SessionSetup } from './record.ts';
import type { Session } from './session.ts';

/** Sessions that are remembered after their end. */
export const sessionsRemembered = 100;

/**
 * Entries of records that are remembered after the end of their sessions, all together: of sessions with more than a
 * thousand the oldest are forgotten first. The last session always is remembered.
 */
export const entriesRemembered = 100_000;

const entriesEach = entriesRemembered / sessionsRemembered;

/** A session at a glance. */
export interface SessionInfo {
  readonly id: SessionId;
  readonly protocol: string;
  readonly version: string;
  readonly status: 'running' | OutcomeStatus;
  readonly participants: number;
  /** Rounds so far. */
  readonly rounds: number;
  /** The coordinator's term. */
  readonly epoch: number;
  /** Milliseconds since 1970. Of a resumed session, when it was. */
  readonly startedAt: number;
  /** Milliseconds that it took, or has taken so far. */
  readonly tookMs: number;
  /** After its end. */
  readonly participation?: Participation;
}

/** Sums over all sessions of a protocol. */
export interface ProtocolStatistics {
  readonly started: number;
  readonly running: number;
  /** Sessions by how they ended. */
  readonly ended: Readonly<Partial<Record<OutcomeStatus, number>>>;
  /** Requests of sessions that have ended, by what became of them. */
  readonly participation: Participation;
  /** Milliseconds of sessions that have ended. */
  readonly tookMs: { readonly sum: number; readonly max: number };
}

/** A session as it is kept here. */
export interface LoggedSession extends Session<unknown> {
  readonly setup: SessionSetup;
  readonly rounds: number;
  readonly epoch: number;
  receive(from: AgentId, answer: unknown): void;
}

interface Entry {
  readonly session: LoggedSession;
  readonly startedAt: number;
  readonly begin: number;
  readonly key: string | undefined;
  end?: { readonly at: number; readonly outcome: Outcome<unknown> };
}

type Sums = { -readonly [Key in keyof ProtocolStatistics]: ProtocolStatistics[Key] };

/** Which sessions run and have run here. */
export class SessionLog {
  readonly #clock: Clock;
  readonly #entries = new Map<SessionId, Entry>();
  readonly #ended: Entry[] = [];
  /** Entries of the records of those. */
  #entryCount = 0;
  readonly #keys = new Map<string, LoggedSession>();
  readonly #sums = new Map<string, Sums>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(
    session: LoggedSession,
    options: { readonly idempotencyKey?: string; readonly signal?: AbortSignal },
  ): void {
    const { idempotencyKey: key, signal } = options;
    const [startedAt, begin] = [this.#clock.wallNow(), this.#clock.now()];
    const entry: Entry = { session, startedAt, begin, key };
    this.#entries.set(session.id, entry);
    if (key !== undefined) this.#keys.set(key, session);
    const sums = this.#sumsOf(session.setup.protocol);
    sums.started++;
    sums.running++;
    const cancel = (): void => session.cancel('its signal was aborted');
    signal?.addEventListener('abort', cancel, { once: true });
    void session.outcome.then((outcome) => {
      signal?.removeEventListener('abort', cancel);
      entry.end = { at: this.#clock.now(), outcome };
      count(sums, entry.end.at - begin, outcome);
      this.#remember(entry);
    });
    if (signal?.aborted === true) queueMicrotask(cancel);
  }

  withKey(key: string | undefined): LoggedSession | undefined {
    return key === undefined ? undefined : this.#keys.get(key);
  }

  session(id: SessionId): LoggedSession | undefined {
    return this.#entries.get(id)?.session;
  }

  running(id: SessionId): LoggedSession | undefined {
    const entry = this.#entries.get(id);
    return entry?.end === undefined ? entry?.session : undefined;
  }

  allRunning(): readonly LoggedSession[] {
    return [...this.#entries.values()].flatMap(({ session, end }) =>
      end === undefined ? [session] : [],
    );
  }

  active(protocol: string): number {
    return this.#sums.get(protocol)?.running ?? 0;
  }

  sessions(): readonly SessionInfo[] {
    return [...this.#entries.values()].map((entry) => this.#infoOf(entry));
  }

  statistics(): Readonly<Record<string, ProtocolStatistics>> {
    return Object.fromEntries([...this.#sums].map(([name, sums]) => [name, { ...sums }]));
  }

  #infoOf({ session, startedAt, begin, end }: Entry): SessionInfo {
    const { protocol, protocolVersion: version, roster } = session.setup;
    return {
      id: session.id,
      protocol,
      version,
      status: end?.outcome.status ?? 'running',
      participants: roster.length,
      rounds: session.rounds,
      epoch: session.epoch,
      startedAt,
      tookMs: (end?.at ?? this.#clock.now()) - begin,
      ...(end === undefined ? {} : { participation: end.outcome.participation }),
    };
  }

  #sumsOf(protocol: string): Sums {
    const present = this.#sums.get(protocol);
    if (present !== undefined) return present;
    const participation = { asked: 0, ok: 0, declined: 0, silent: 0, invalid: 0 };
    const made: Sums = {
      started: 0,
      running: 0,
      ended: {},
      participation,
      tookMs: { sum: 0, max: 0 },
    };
    this.#sums.set(protocol, made);
    return made;
  }

  #remember(ended: Entry): void {
    this.#ended.push(ended);
    this.#entryCount += sizeOf(ended);
    if (this.#ended.length > sessionsRemembered) this.#forget(0);
    while (this.#entryCount > entriesRemembered) {
      // Those of usual size have room for all of them: none is forgotten because of a large one.
      const oldest = this.#ended.findIndex((each) => each !== ended && sizeOf(each) > entriesEach);
      if (oldest < 0) return;
      this.#forget(oldest);
    }
  }

  #forget(place: number): void {
    const [oldest] = this.#ended.splice(place, 1);
    if (oldest === undefined) return;
    this.#entryCount -= sizeOf(oldest);
    const { key, session } = oldest;
    // It may have gone on here since.
    if (this.#entries.get(session.id) === oldest) this.#entries.delete(session.id);
    if (key !== undefined && this.#keys.get(key) === session) this.#keys.delete(key);
  }
}

function sizeOf({ end }: Entry): number {
  return end?.outcome.record.entries.length ?? 0;
}

function count(sums: Sums, tookMs: number, { status, participation }: Outcome<unknown>): void {
  sums.running--;
  sums.ended = { ...sums.ended, [status]: (sums.ended[status] ?? 0) + 1 };
  const { asked, ok, declined, silent, invalid } = sums.participation;
  sums.participation = {
    asked: asked + participation.asked,
    ok: ok + participation.ok,
    declined: declined + participation.declined,
    silent: silent + participation.silent,
    invalid: invalid + participation.invalid,
  };
  sums.tookMs = { sum: sums.tookMs.sum + tookMs, max: Math.max(sums.tookMs.max, tookMs) };
}

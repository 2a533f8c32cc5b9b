import { type Clock, systemClock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Snapshot, Snapshots } from '../process/durability.ts';
import { type Random, systemRandom } from '../random.ts';
import { type AgentId, parseReply, type SessionId } from './message.ts';
import { isRecord, problemsOf, shown } from './parse.ts';
import type { AnyProtocol, Protocol, ProtocolTraits } from './protocol.ts';
import { builtInProtocols } from './protocols/built-in.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { SessionRecord, SessionSetup } from './record.ts';
import { fold } from './replay.ts';
import { type ProtocolStatistics, type SessionInfo, SessionLog } from './session-log.ts';
import {
  checkSessionOptions,
  fewest,
  participantsOf,
  type Roster,
  type SessionOptions,
} from './session-options.ts';
import { SessionState } from './session-state.ts';
import {
  LiveSession,
  type Messenger,
  type ParticipantRef,
  type Session,
  type WriteAhead,
} from './session.ts';
import { noSolver, type Solver } from './solver.ts';

/** What a coordination stands on. */
export interface CoordinationOptions {
  readonly messenger: Messenger;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
  /** Where session ids, seeds and nonces come from. @defaultValue the system's randomness */
  readonly random?: Random;
  /** Where durable sessions are written. Without it there are none. */
  readonly journal?: Snapshots;
  /** @defaultValue one that can solve nothing */
  readonly solver?: Solver;
  /** Is there when a session begins or goes on: it calls `run`, which does that. @defaultValue nobody */
  readonly observe?: (session: Session<unknown>, setup: SessionSetup, run: () => void) => void;
  /** Protocols known by name from the start. @defaultValue {@link builtInProtocols} */
  readonly protocols?: readonly AnyProtocol[];
}

/** A protocol known by name. */
export interface ProtocolInfo {
  readonly name: string;
  readonly version: string;
  readonly traits: ProtocolTraits;
  /** Sessions of it that run now, older versions included. */
  readonly active: number;
}

/** Where agents decide things together. */
export interface Coordination {
  /**
   * Makes a protocol known by its name.
   *
   * @throws FoundationError `NAME_TAKEN` unless `replace`; sessions under way keep what they have.
   */
  registerProtocol(protocol: AnyProtocol, options?: { readonly replace?: boolean }): void;
  /** Forgets a name; sessions under way go on. Returns whether it was known. */
  unregisterProtocol(name: string): boolean;
  protocols(): readonly ProtocolInfo[];
  /**
   * Starts a session. The protocol is given by value, which types the spec and the result and needs
   * no registration, or by name.
   *
   * @throws FoundationError before anybody is asked: `UNKNOWN_PROTOCOL`, `INVALID_SPEC`, or
   * `INVALID_OPTION` for the roster (at most {@link participantsMax}, each once) and the options.
   */
  start<Spec, Out>(
    protocol: Protocol<Spec, unknown, unknown, Out>,
    spec: NoInfer<Spec>,
    roster: Roster,
    options: SessionOptions,
  ): Session<Out>;
  start(protocol: string, spec: unknown, roster: Roster, options: SessionOptions): Session<unknown>;
  /**
   * Takes an answer that did not come back through {@link Messenger.ask}, as from a transport that
   * may deliver twice. Its sender must be known for certain.
   *
   * @returns Whether it belongs to a session under way, whose record then says what became of it.
   */
  receive(from: AgentId, answer: unknown): boolean;
  /**
   * Goes on with a session that another coordinator has begun: of this or another node, which may be gone or
   * stand still. Participants are asked again what they have not answered; if it is durable, the other
   * can do nothing more. It has the time that was left at its last step. One that runs here is given as it is.
   *
   * @param from - The id of a durable session, or what `session.snapshot()` gave.
   * @throws FoundationError `UNKNOWN_SESSION`, `UNKNOWN_PROTOCOL` of a protocol or version that is not
   * registered here, `MALFORMED`, or what the store throws.
   */
  resume(
    from: SessionId | Uint8Array,
    options?: { readonly roster?: Roster },
  ): Promise<Session<unknown>>;
  /**
   * The record of a durable session, as far as it was written, with the secret of its nonces.
   *
   * @throws FoundationError `UNKNOWN_SESSION`, `MALFORMED`, or what the store throws.
   */
  stored(id: SessionId): Promise<SessionRecord>;
  /**
   * A session that runs or is remembered: the last {@link sessionsRemembered} that have ended, as long as their records
   * have no more than {@link entriesRemembered} entries in all.
   */
  session(id: SessionId): Session<unknown> | undefined;
  /** Sessions that run or are remembered, the oldest first. */
  sessions(): readonly SessionInfo[];
  /** Sums since the start, by name of the protocol. */
  statistics(): Readonly<Record<string, ProtocolStatistics>>;
  /** Cancels every session under way. */
  close(): void;
}

/** Makes a coordination on top of a messenger. */
export function createCoordination(options: CoordinationOptions): Coordination {
  return new Engine(options);
}

class Engine implements Coordination {
  readonly #messenger: Messenger;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #journal: Snapshots | undefined;
  readonly #solver: Solver;
  readonly #protocols: Map<string, AnyProtocol>;
  readonly #log: SessionLog;
  readonly #observe: NonNullable<CoordinationOptions['observe']>;

  constructor(options: CoordinationOptions) {
    this.#messenger = options.messenger;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#journal = options.journal;
    this.#solver = options.solver ?? noSolver;
    this.#log = new SessionLog(this.#clock);
    this.#observe = options.observe ?? ((_session, _setup, run) => run());
    const known = options.protocols ?? builtInProtocols;
    this.#protocols = new Map(known.map((protocol) => [protocol.name, protocol]));
  }

  registerProtocol(protocol: AnyProtocol, options: { readonly replace?: boolean } = {}): void {
    checkProtocol(protocol);
    const present = this.#protocols.get(protocol.name);
    if (present !== undefined && options.replace !== true) {
      throw new FoundationError(
        'NAME_TAKEN',
        `protocol ${protocol.name} is registered already, version ${present.version}`,
        { hint: 'Pass `replace: true` to use another version from now on.' },
      );
    }
    this.#protocols.set(protocol.name, protocol);
  }

  unregisterProtocol(name: string): boolean {
    return this.#protocols.delete(name);
  }

  protocols(): readonly ProtocolInfo[] {
    return [...this.#protocols.values()].map(({ name, version, traits }) => ({
      name,
      version,
      traits,
      active: this.#log.active(name),
    }));
  }

  // What, about what, among whom, how: four, in the order of a sentence.
  /* oxlint-disable max-params */
  start<Out>(
    wanted: AnyProtocol<Out>,
    spec: unknown,
    roster: Roster,
    options: SessionOptions,
  ): Session<Out>;
  start(wanted: string, spec: unknown, roster: Roster, options: SessionOptions): Session<unknown>;
  start(
    wanted: AnyProtocol | string,
    spec: unknown,
    roster: Roster,
    options: SessionOptions,
  ): Session<unknown> {
    /* oxlint-enable max-params */
    const protocol = typeof wanted === 'string' ? this.#find(wanted) : checkProtocol(wanted);
    const checked = protocol.parseSpec(spec);
    if (!checked.ok) {
      throw new FoundationError('INVALID_SPEC', `${protocol.name}: ${checked.reason}`, {
        hint: 'Nobody was asked. Correct what is named.',
        details: { problems: problemsOf(checked) },
      });
    }
    checkSessionOptions(options);
    const participants = participantsOf(roster);
    if (options.durable === true && this.#journal === undefined) throw noJournal();
    const known = this.#log.withKey(options.idempotencyKey);
    if (known !== undefined) return known;
    const session = hex128(this.#random);
    const state = new SessionState(protocol, {
      session,
      protocol: protocol.name,
      protocolVersion: protocol.version,
      spec: checked.value,
      roster: [...participants.keys()],
      seed: options.seed ?? session,
      tie: options.tie ?? 'seeded',
      deadlineMs: options.deadlineMs,
      quorum: fewest(options.quorum ?? 0, participants.size) ?? 0,
      epoch: 1,
      nonceKey: hex128(this.#random),
    });
    const journal = options.durable === true ? this.#journal : undefined;
    const live = this.#live(state, participants, writeAheadOf(session, 0, journal));
    this.#log.add(live, options);
    this.#observe(live, state.setup, () => live.begin());
    return live;
  }

  async resume(
    from: SessionId | Uint8Array,
    { roster }: { readonly roster?: Roster } = {},
  ): Promise<Session<unknown>> {
    const stored =
      typeof from === 'string' ? await this.#load(from) : { state: from, version: undefined };
    const record = decodeRecord(stored.state);
    const running = this.#log.running(record.setup.session);
    if (running !== undefined) return running;
    const { state, action } = fold(this.#find(record.setup.protocol), record);
    const participants = participantsOf(roster ?? record.setup.roster);
    const journal = stored.version === undefined ? undefined : this.#journal;
    const writeAhead = writeAheadOf(state.id, stored.version ?? 0, journal);
    const live = this.#live(state, participants, writeAhead);
    this.#log.add(live, {});
    const goOn = (): void => live.resume(state.epoch + 1);
    // One that has ended was seen when it did.
    if (action?.kind === 'finish') goOn();
    else this.#observe(live, state.setup, goOn);
    return live;
  }

  async stored(id: SessionId): Promise<SessionRecord> {
    return decodeRecord((await this.#load(id)).state);
  }

  session(id: SessionId): Session<unknown> | undefined {
    return this.#log.session(id);
  }

  sessions(): readonly SessionInfo[] {
    return this.#log.sessions();
  }

  statistics(): Readonly<Record<string, ProtocolStatistics>> {
    return this.#log.statistics();
  }

  receive(from: AgentId, answer: unknown): boolean {
    const reply = parseReply(answer);
    const running = reply.ok ? this.#log.running(reply.value.session) : undefined;
    running?.receive(from, answer);
    return running !== undefined;
  }

  close(): void {
    for (const session of this.#log.allRunning()) session.cancel('the coordination was closed');
  }

  // oxlint-disable-next-line max-params -- what it does, who takes part, how it is kept
  #live<Out>(
    state: SessionState<Out>,
    participants: ReadonlyMap<AgentId, ParticipantRef>,
    writeAhead: WriteAhead | undefined,
  ): LiveSession<Out> {
    const world = { messenger: this.#messenger, clock: this.#clock, solver: this.#solver };
    return new LiveSession(state, participants, world, writeAhead);
  }

  async #load(id: SessionId): Promise<Snapshot> {
    if (this.#journal === undefined) throw noJournal();
    const stored = await this.#journal.load(keyOf(id));
    if (stored !== undefined) return stored;
    throw new FoundationError('UNKNOWN_SESSION', `no durable session is called ${shown(id)}`, {
      hint: 'Sessions are in the store when they were started with `durable: true`.',
      details: { id },
    });
  }

  #find(name: string): AnyProtocol {
    const protocol = this.#protocols.get(name);
    if (protocol !== undefined) return protocol;
    const known = [...this.#protocols.keys()].toSorted().join(', ');
    throw new FoundationError('UNKNOWN_PROTOCOL', `no protocol is called ${shown(name)}`, {
      hint: `Known here: ${known}. Others must be registered first.`,
      details: { name },
    });
  }
}

/** Writes each step behind the one before; nobody else may have written meanwhile. */
function writeAheadOf(
  id: SessionId,
  version: number,
  journal: Snapshots | undefined,
): WriteAhead | undefined {
  if (journal === undefined) return undefined;
  let last = version;
  return async (record) => {
    const written = await journal.save(keyOf(id), last, encodeRecord(record));
    if (written === undefined) {
      throw new FoundationError('FENCED', `session ${id} has another coordinator by now`);
    }
    last = written;
  };
}

function keyOf(id: SessionId): string {
  return `mabeam/session/${id}`;
}

function noJournal(): FoundationError {
  return new FoundationError('INVALID_OPTION', 'there is no store for durable sessions here');
}

/** 128 random bits in hexadecimal. */
function hex128(random: Random): string {
  return Array.from({ length: 4 }, () =>
    random
      .int(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

function checkProtocol<Out>(protocol: AnyProtocol<Out>): AnyProtocol<Out> {
  if (isRecord(protocol) && typeof protocol.parseSpec === 'function') return protocol;
  throw new FoundationError('INVALID_OPTION', `expected a protocol, got ${shown(protocol)}`, {
    hint: 'Give a protocol, such as `vickreyAuction`, or the name of a registered one.',
  });
}

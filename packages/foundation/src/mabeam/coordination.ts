import { type Clock, systemClock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { type Random, systemRandom } from '../random.ts';
import { type AgentId, parseReply, type SessionId } from './message.ts';
import { isRecord, shown } from './parse.ts';
import type { AnyProtocol, Protocol, ProtocolTraits } from './protocol.ts';
import { firstPriceAuction, vickreyAuction } from './protocols/sealed-bid-auction.ts';
import {
  checkSessionOptions,
  participantsOf,
  type Roster,
  type SessionOptions,
} from './session-options.ts';
import { SessionState } from './session-state.ts';
import { LiveSession, type Messenger, type Session } from './session.ts';

/** What a coordination stands on. */
export interface CoordinationOptions {
  readonly messenger: Messenger;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
  /** Where session ids, seeds and nonces come from. @defaultValue the system's randomness */
  readonly random?: Random;
  /** Term of this coordinator; grows when another takes over. @defaultValue 1 */
  readonly epoch?: number;
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
  /** Cancels every session under way. */
  close(): void;
}

/** Protocols that every coordination knows by name. */
export const builtInProtocols: readonly AnyProtocol[] = [firstPriceAuction, vickreyAuction];

/** Makes a coordination on top of a messenger. */
export function createCoordination(options: CoordinationOptions): Coordination {
  return new Engine(options);
}

class Engine implements Coordination {
  readonly #messenger: Messenger;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #epoch: number;
  readonly #protocols: Map<string, AnyProtocol>;
  readonly #running = new Map<SessionId, Running>();

  constructor(options: CoordinationOptions) {
    this.#messenger = options.messenger;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#epoch = options.epoch ?? 1;
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
    const running = [...this.#running.values()];
    return [...this.#protocols.values()].map(({ name, version, traits }) => ({
      name,
      version,
      traits,
      active: running.filter(({ protocol }) => protocol === name).length,
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
        hint: 'Nobody was asked. Correct the field that is named.',
      });
    }
    checkSessionOptions(options);
    const participants = participantsOf(roster);
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
      minReplies: options.minReplies ?? 0,
      epoch: this.#epoch,
      nonceKey: hex128(this.#random),
    });
    return this.#run(new LiveSession(state, participants, this.#world()), protocol.name);
  }

  receive(from: AgentId, answer: unknown): boolean {
    const reply = parseReply(answer);
    const running = reply.ok ? this.#running.get(reply.value.session) : undefined;
    running?.session.receive(from, answer);
    return running !== undefined;
  }

  close(): void {
    for (const { session } of this.#running.values()) session.cancel('the coordination was closed');
  }

  #world(): { readonly messenger: Messenger; readonly clock: Clock } {
    return { messenger: this.#messenger, clock: this.#clock };
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

  #run<Out>(session: LiveSession<Out>, protocol: string): Session<Out> {
    this.#running.set(session.id, { protocol, session });
    void session.outcome.then(() => this.#running.delete(session.id));
    session.begin();
    return session;
  }
}

interface Running {
  readonly protocol: string;
  readonly session: { cancel(reason: string): void; receive(from: AgentId, answer: unknown): void };
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

import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

import type { Timer } from '../clock.ts';
import { FrameSocket, type Traffic } from '../cluster/transports/frame-socket.ts';
import { strangerBytesMax } from '../cluster/transports/link-table.ts';
import type { Stranger } from '../cluster/transports/mesh-handshake.ts';
import { encodeRefusal, malformed } from '../cluster/transports/mesh-hello.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { decodeKnock, encodeAnswer } from './knock.ts';
import { answerKinds, Knocking, type SessionEnd } from './knocking.ts';
import type { MemberKeys } from './member-keys.ts';
import { listenTo, type NatsClient } from './nats-client.ts';
import { NatsSession } from './nats-session.ts';
import {
  doorSubject,
  formatNatsAddress,
  isSessionSubject,
  lifeSubject,
  sessionSubject,
  type NodeAddress,
} from './node-address.ts';
import { agree, newKeyShare, sealBytes, type SessionKeys } from './session-keys.ts';

/** What sessions are bound by; see `NatsTransportOptions`. */
export interface SessionLimits {
  readonly handshakeTimeoutMs: number;
  readonly pingEveryMs: number;
  readonly lateMs: number;
  readonly strangersMax: number;
}

/** What sessions need of their transport. */
export interface SessionsHost {
  readonly client: NatsClient;
  readonly self: NodeAddress;
  /** The first is used, all are accepted. */
  readonly proofKeys: MemberKeys;
  readonly limits: SessionLimits;
  readonly traffic: Traffic;
  /** Somebody has opened a session; `introduced` is to be called when its name is known, or it was refused. */
  onStranger(stranger: Stranger, introduced: () => void): void;
  /** Somebody was refused. */
  onRefused(error: FoundationError): void;
  /** Something was refused that somebody else has sent than it says; there may be very much of it. */
  onForged(error: FoundationError): void;
  /** The server refuses something, or the connection broke. */
  onProblem(error: FoundationError): void;
}

/** Bytes of a session that go in one message: few enough that others get through between two. */
const messageBytesMax = 65_536;
/** Room that head, seal and subjects take of a message, in bytes. */
const overheadBytes = 512 + sealBytes;

/** The sessions of one life of a node, all below one subject. */
export class NatsSessions implements Disposable {
  readonly #host: SessionsHost;
  readonly #subject: string;
  readonly #ends = new Map<string, SessionEnd>();
  /** Sessions whose other end has not introduced itself; the longest here first. */
  readonly #strangers = new Set<NatsSession>();
  readonly #listening: Disposable;
  readonly #ticks: Timer;
  #subscription: Subscription | undefined = undefined;

  constructor(host: SessionsHost) {
    const { client, self, limits } = host;
    this.#host = host;
    this.#subject = lifeSubject(self);
    this.#listening = client.listen({
      onUp: (connection) => this.#subscribe(connection),
      onDown: () => this.#loseAll(),
      onProblem: (error) => host.onProblem(error),
    });
    this.#ticks = client.settings.clock.every(limits.pingEveryMs, () => {
      for (const end of this.#ends.values()) end.tick();
    });
    if (client.connection !== undefined) this.#subscribe(client.connection);
  }

  /**
   * Asks a node to open a session.
   *
   * @throws FoundationError `NODE_UNREACHABLE`, or what the other end refuses by
   */
  async knock(target: NodeAddress): Promise<Stranger> {
    const { self, proofKeys, limits, client } = this.#host;
    const knocking = new Knocking({
      self,
      target,
      proofKey: proofKeys[0],
      timeoutMs: limits.handshakeTimeoutMs,
      clock: client.settings.clock,
      onForged: () => this.#host.onForged(forged(target)),
    });
    const { session } = knocking;
    this.#ends.set(session, knocking);
    try {
      this.#publish(doorSubject(target), knocking.message, sessionSubject(self, session));
      const keys = await knocking.answered;
      return this.#strangerAt(this.#open(target, session, keys), { peer: target, keys });
    } catch (error) {
      this.#ends.delete(session);
      throw error;
    }
  }

  /** Hears no more, and breaks what is left. */
  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#ticks.cancel();
    this.#loseAll();
    this.#subscription?.unsubscribe();
  }

  #subscribe(connection: NatsConnection): void {
    this.#subscription = listenTo(connection, `${this.#subject}.*`, (message) => {
      const session = message.subject.slice(this.#subject.length + 1);
      if (session === 'door') this.#onKnock(message);
      // The server tells that nobody listens where something was sent to.
      else if (message.headers?.code === 503) this.#ends.get(session)?.lose('nobody');
      else this.#ends.get(session)?.receive(bytesOf(message));
    });
  }

  #loseAll(): void {
    for (const end of this.#ends.values()) end.lose('connection');
  }

  #onKnock(message: Msg): void {
    const { self, proofKeys } = this.#host;
    const payload = bytesOf(message);
    try {
      const { knock, proofKey } = decodeKnock(payload, proofKeys, doorSubject(self));
      if (this.#ends.has(knock.session)) throw malformed('a session that there is already');
      const share = newKeyShare();
      const transcript = Buffer.concat([payload, Buffer.from(share.publicKey)]);
      const said = { share, peerKey: knock.key, proofKey, transcript, isDialler: false };
      const keys = agree(said);
      const session = this.#open(knock.from, knock.session, keys);
      const answer = encodeAnswer(payload, share.publicKey, proofKey);
      this.#answer(sessionSubject(knock.from, knock.session), answerKinds.answer, answer);
      this.#meet(session, this.#strangerAt(session, { peer: knock.from, keys }));
    } catch (error) {
      if (!isFoundationError(error)) throw error;
      this.#host.onRefused(error);
      const { reply = '' } = message;
      if (isSessionSubject(reply)) this.#answer(reply, answerKinds.refused, encodeRefusal(error));
    }
  }

  /** There is room for a few strangers: a newcomer takes the place of the one that has been here longest. */
  #meet(session: NatsSession, stranger: Stranger): void {
    const { strangersMax } = this.#host.limits;
    const [oldest] = this.#strangers;
    if (this.#strangers.size >= strangersMax && oldest !== undefined) {
      oldest.destroy();
      this.#host.onRefused(tooMany(strangersMax));
    }
    this.#strangers.add(session);
    this.#host.onStranger(stranger, () => this.#strangers.delete(session));
  }

  #open(peer: NodeAddress, name: string, keys: SessionKeys): NatsSession {
    const { client, self, limits } = this.#host;
    const [there, here] = [sessionSubject(peer, name), sessionSubject(self, name)];
    const session = new NatsSession(formatNatsAddress(peer), keys, {
      clock: client.settings.clock,
      lateMs: limits.lateMs,
      messageBytesMax: this.#messageBytesMax(),
      publish: (message) => this.#publish(there, message, here),
      onForged: () => this.#host.onForged(forged(peer)),
      onEnd: () => {
        this.#strangers.delete(session);
        if (this.#ends.get(name) === session) this.#ends.delete(name);
      },
    });
    this.#ends.set(name, session);
    return session;
  }

  /** Whoever answers on a node's subjects is that node, as far as the servers let nobody else listen there. */
  #strangerAt(
    session: NatsSession,
    { peer, keys }: { readonly peer: NodeAddress; readonly keys: SessionKeys },
  ): Stranger {
    const socket = new FrameSocket(session, this.#host.traffic, strangerBytesMax);
    return { socket, binding: keys.binding, proven: peer.node };
  }

  #answer(subject: string, kind: number, said: Uint8Array): void {
    this.#publish(subject, Buffer.concat([Buffer.of(kind), said]));
  }

  /** @throws FoundationError `NODE_UNREACHABLE` when there is no connection, and what the library throws. */
  #publish(subject: string, message: Uint8Array, reply?: string): void {
    const { connection, addresses } = this.#host.client;
    if (connection === undefined) {
      const what = `there is no connection to NATS at ${addresses}`;
      throw new FoundationError('NODE_UNREACHABLE', what);
    }
    connection.publish(subject, message, reply === undefined ? {} : { reply });
  }

  #messageBytesMax(): number {
    const { max_payload: serverMax = messageBytesMax } = this.#host.client.connection?.info ?? {};
    return Math.max(1, Math.min(messageBytesMax, serverMax - overheadBytes));
  }
}

/** A view of what the library has read. */
function bytesOf({ data }: Msg): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function tooMany(strangersMax: number): FoundationError {
  const what = `${strangersMax} nodes that have not introduced themselves (strangersMax): one was dropped`;
  return new FoundationError('OVERLOADED', what, { details: { strangersMax } });
}

function forged({ node }: NodeAddress): FoundationError {
  const what = `a message came that pretends to be of ${node}`;
  return new FoundationError('AUTHENTICATION_FAILED', what, {
    hint: 'Somebody may publish to NATS who should not: see "Who may do what" in docs/guide/nats.md.',
    details: { node },
  });
}

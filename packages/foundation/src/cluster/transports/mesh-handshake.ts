import assert from 'node:assert/strict';

import type { Clock, Timer } from '../../clock.ts';
import { FoundationError, isFoundationError } from '../../errors.ts';
import type { Identity } from '../transport.ts';
import { dialGoesOn } from './duplicate-state.ts';
import type { FrameSocket } from './frame-socket.ts';
import {
  decodeHello,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  malformed,
  meshKinds,
  type Hello,
} from './mesh-hello.ts';
import { isProof, prove } from './mesh-tls.ts';

/** A TLS connection whose other end has not said its name yet. */
export interface Stranger {
  readonly socket: FrameSocket;
  /** Unique to the connection, known to both ends. */
  readonly binding: Buffer;
  /**
   * The node that its certificate, or where it is reached, proves it to be, or why that proves nothing; undefined where the
   * keys do not tell nodes apart.
   */
  readonly proven: string | FoundationError | undefined;
}

/** What handshakes need of the transport. */
export interface HandshakeHost {
  readonly self: Identity;
  readonly address: string;
  /** The first is used, all are accepted. */
  readonly proofKeys: readonly Buffer[];
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether a text is an address that can be dialled. */
  isAddress(text: string): boolean;
  admit(peer: Identity, address: string): FoundationError | undefined;
  /** Sessions of all links, by node. */
  heldSessions(): ReadonlyMap<string, string>;
  /** Dials that were welcomed and not confirmed yet: node by session. */
  readonly greeted: Map<string, string>;
}

/** Who is at the other end, or why the connection came to nothing; in the turn in which it is known. */
export type HandshakeDone = (outcome: Hello | FoundationError) => void;

/** A refused socket is given this long to hear why, in milliseconds. */
const refusalGraceMs = 1_000;

/** Name of a connection, for both of its ends. */
export function sessionOf(stranger: Stranger): string {
  return stranger.binding.toString('base64url', 0, 12);
}

/** The answering side: hello → welcome, ready → done. */
export function acceptPeer(stranger: Stranger, host: HandshakeHost, done: HandshakeDone): void {
  const session = sessionOf(stranger);
  const handshake = new Handshake(stranger, host, (outcome) => {
    host.greeted.delete(session);
    done(outcome);
  });
  if (!handshake.begin()) return;
  handshake.expect('hello', (payload) => {
    const hello = handshake.meet('hello', payload);
    const { node } = hello.identity;
    const sessions = sessionsWith(host, node);
    host.greeted.set(session, node);
    handshake.say('welcome', sessions);
    handshake.expect('ready', () => handshake.finish(hello));
  });
}

/** The dialling side: hello, welcome → ready, done. It confirms last, so it settles which of two dials stays. */
export function introduce(stranger: Stranger, host: HandshakeHost, done: HandshakeDone): void {
  const handshake = new Handshake(stranger, host, done);
  if (!handshake.begin()) return;
  // Whom we dial is not known yet, so remember all links of this moment.
  const before = host.heldSessions();
  handshake.say('hello', []);
  handshake.expect('welcome', (payload) => {
    const hello = handshake.meet('welcome', payload);
    const { node } = hello.identity;
    const goesOn = dialGoesOn({
      self: host.self.node,
      peer: node,
      theirs: hello.sessions,
      heldBefore: before.get(node),
      held: host.heldSessions().get(node),
      greeted: greetedSessions(host, node),
    });
    if (!goesOn) throw duplicate(node);
    stranger.socket.writeFrame(meshKinds.ready, Buffer.alloc(0));
    handshake.finish(hello);
  });
}

class Handshake {
  readonly #stranger: Stranger;
  readonly #host: HandshakeHost;
  readonly #done: HandshakeDone;
  readonly #timer: Timer;
  /** What this side proves itself with: an answer uses the key of the question. */
  #proofKey: Buffer | undefined;

  constructor(stranger: Stranger, host: HandshakeHost, done: HandshakeDone) {
    this.#stranger = stranger;
    this.#host = host;
    this.#done = done;
    this.#proofKey = host.proofKeys[0];
    this.#timer = host.clock.after(
      host.timeoutMs,
      () => this.#refuse(this.#silence()),
      'background',
    );
    stranger.socket.onEnd = (failure) =>
      failure === undefined ? this.#settle(this.#lost()) : this.#refuse(failure);
  }

  /** Whether the other end may say something at all; otherwise it is refused. */
  begin(): boolean {
    const { proven } = this.#stranger;
    if (!isFoundationError(proven)) return true;
    this.#refuse(proven);
    return false;
  }

  /** Waits for a frame of one kind. What `take` throws is told to the peer, which is refused. */
  expect(kind: 'hello' | 'welcome' | 'ready', take: (payload: Buffer) => void): void {
    this.#stranger.socket.onFrame = (received, payload) => {
      try {
        if (received === meshKinds[kind]) take(payload);
        else if (received === meshKinds.refused) this.#refused(payload);
        else throw malformed(`frame of kind ${received} in place of ${kind}`);
      } catch (error) {
        if (!isFoundationError(error)) throw error;
        this.#refuse(error);
      }
    };
  }

  say(role: 'hello' | 'welcome', sessions: readonly string[]): void {
    const { self, address } = this.#host;
    const { socket } = this.#stranger;
    const hello = { identity: self, address, sessions };
    const payload = encodeHello(hello, (body) => this.#prove(this.#proofKey, { role, body }));
    socket.writeFrame(meshKinds[role], payload);
  }

  /** Checks who greets, in which words, from which cluster, and whether they are welcome. */
  meet(role: 'hello' | 'welcome', payload: Buffer): Hello {
    const { proofKeys, self } = this.#host;
    const hello = decodeHello(payload, (proof, body) => {
      this.#proofKey = proofKeys.find((key) => isProof(proof, this.#prove(key, { role, body })));
      return this.#proofKey !== undefined;
    });
    if (!this.#host.isAddress(hello.address)) throw malformed('a greeting without an address');
    const peer = hello.identity;
    const { proven = peer.node } = this.#stranger;
    if (proven !== peer.node) throw mismatch(peer, String(proven));
    if (peer.cluster !== self.cluster) throw wrongCluster(peer, self);
    if (peer.node === self.node) throw sameName(hello, this.#host);
    const refusal = this.#host.admit(peer, hello.address);
    if (refusal !== undefined) throw refusal;
    return hello;
  }

  #prove(
    key: Buffer | undefined,
    said: { readonly role: string; readonly body: Uint8Array },
  ): Buffer {
    assert(key !== undefined, 'there is a key to prove with');
    return prove(key, this.#stranger.binding, said);
  }

  finish(hello: Hello): void {
    this.#settle(hello);
  }

  #refuse(error: FoundationError): void {
    const { socket } = this.#stranger;
    socket.writeFrame(meshKinds.refused, encodeRefusal(error));
    socket.end(this.#host.clock, refusalGraceMs);
    this.#settle(error);
  }

  #refused(payload: Buffer): void {
    const { socket } = this.#stranger;
    socket.end(this.#host.clock, refusalGraceMs);
    this.#settle(decodeRefusal(payload, socket.peerHost));
  }

  #settle(outcome: Hello | FoundationError): void {
    this.#timer.cancel();
    const { socket } = this.#stranger;
    socket.onFrame = () => {};
    socket.onEnd = () => {};
    this.#done(outcome);
  }

  #silence(): FoundationError {
    const { timeoutMs } = this.#host;
    const { peerHost } = this.#stranger.socket;
    const what = `${peerHost} did not introduce itself within ${timeoutMs} ms`;
    return new FoundationError('AUTHENTICATION_FAILED', what, { details: { timeoutMs } });
  }

  #lost(): FoundationError {
    const what = `${this.#stranger.socket.peerHost} hung up before it had introduced itself`;
    return new FoundationError('NODE_UNREACHABLE', what);
  }
}

/** At most this many are told, so that a greeting fits into its limit. */
const sessionsToldMax = 16;

function sessionsWith(host: HandshakeHost, node: string): readonly string[] {
  const held = host.heldSessions().get(node);
  const greeted = greetedSessions(host, node);
  return (held === undefined ? greeted : [held, ...greeted]).slice(0, sessionsToldMax);
}

function greetedSessions(host: HandshakeHost, node: string): readonly string[] {
  return [...host.greeted].filter(([, of]) => of === node).map(([session]) => session);
}

function duplicate(node: string): FoundationError {
  return new FoundationError('DUPLICATE_LINK', `a link with ${node} exists already`, {
    details: { node },
  });
}

function mismatch(peer: Identity, proven: string): FoundationError {
  const what = `a node calls itself ${peer.node}, and is proven to be ${proven}`;
  return new FoundationError('IDENTITY_MISMATCH', what, {
    hint: `Start it as \`${proven}\`, or give it the certificate, or the user of NATS, that ${peer.node} has.`,
    details: { node: peer.node, proven },
  });
}

function wrongCluster(peer: Identity, self: Identity): FoundationError {
  const what = `${peer.node} belongs to cluster ${peer.cluster}, not ${self.cluster}`;
  return new FoundationError('WRONG_CLUSTER', what, {
    hint: 'Give both nodes the same cluster name, or each cluster its own secret.',
    details: { node: peer.node, cluster: peer.cluster, expected: self.cluster },
  });
}

function sameName(
  { identity: peer, address: at }: Hello,
  { self, address }: HandshakeHost,
): FoundationError {
  if (peer.incarnation === self.incarnation) {
    return new FoundationError('DUPLICATE_LINK', `${peer.node} is this node itself`, {
      details: { node: peer.node },
    });
  }
  return new FoundationError(
    'NAME_TAKEN',
    `the nodes at ${at} and at ${address} both call themselves ${peer.node}`,
    {
      hint: 'Give each node of the cluster a name of its own.',
      details: { node: peer.node, incarnations: [peer.incarnation, self.incarnation] },
    },
  );
}

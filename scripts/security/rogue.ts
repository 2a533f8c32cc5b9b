import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import {
  encodeHello,
  meshKinds,
  type Hello,
} from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import {
  channelBinding,
  meshTls,
  prove,
} from '../../packages/foundation/src/cluster/transports/mesh-tls.ts';
import { encodeFrame, FrameReader } from '../../packages/foundation/src/wire/frame.ts';
import { eventually } from '../../packages/testing/src/eventually.ts';
import { closed, cluster } from './mesh-target.ts';

/** What a greeting says, right or wrong. */
export type Claims = Readonly<Record<string, unknown>>;

/** How a greeting is proven. */
export interface Proving {
  readonly role: 'hello' | 'welcome';
  readonly proofKey: Buffer;
  readonly binding: Buffer;
}

/** One who has come through TLS, and has bad manners. */
export class Rogue {
  readonly socket: TLSSocket;
  readonly frames: { readonly kind: number; readonly payload: Buffer }[] = [];
  readonly #proofKey: Buffer;

  /** Takes over a connection that somebody has made. */
  static at(socket: TLSSocket, proofKey: Buffer): Rogue {
    return new Rogue(socket, proofKey);
  }

  private constructor(socket: TLSSocket, proofKey: Buffer) {
    this.socket = socket;
    this.#proofKey = proofKey;
    const reader = new FrameReader();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) =>
      reader.push(chunk, (kind, payload) => {
        this.frames.push({ kind, payload: Buffer.from(payload) });
      }),
    );
  }

  static async connect(port: number, proofKey: Buffer, options: ConnectionOptions): Promise<Rogue> {
    const socket = connect({
      ...meshTls,
      port,
      host: '127.0.0.1',
      checkServerIdentity: () => undefined,
      ...options,
    });
    await once(socket, 'secureConnect');
    return new Rogue(socket, proofKey);
  }

  get proving(): Proving {
    return { role: 'hello', proofKey: this.#proofKey, binding: channelBinding(this.socket) };
  }

  /** A greeting in which each claim may be wrong, with a proof that is right unless told otherwise. */
  hello(claims: Claims = {}, proving: Partial<Proving> = {}): Buffer {
    const { identity, ...rest } = claims;
    const honest = { cluster, node: 'rogue', incarnation: 1, meta: {} };
    const named = typeof identity === 'object' && !Array.isArray(identity);
    const who = identity === undefined || named ? { ...honest, ...identity } : identity;
    return this.greeting({ identity: who, address: '127.0.0.1:1', sessions: [], ...rest }, proving);
  }

  /** Whatever is given, as the body of a greeting. */
  greeting(body: unknown, proving: Partial<Proving> = {}): Buffer {
    const { role, proofKey, binding } = { ...this.proving, ...proving };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that it is none is the point
    return encodeHello(body as Hello, (bytes) => prove(proofKey, binding, { role, body: bytes }));
  }

  say(kind: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(encodeFrame(kind, payload));
  }

  async heard(kind: number): Promise<Buffer> {
    return eventually(`a frame of kind ${kind}`, () =>
      this.frames.find((each) => each.kind === kind),
    ).then(({ payload }) => payload);
  }

  /** Greets and goes on at once, as one who is welcome: whoever was not refused would be linked. */
  greet(claims: Claims, proving: Partial<Proving> = {}): void {
    this.say(meshKinds.hello, this.hello(claims, proving));
    this.say(meshKinds.ready);
  }

  /** Introduces itself properly. */
  async link(claims: Claims = {}): Promise<void> {
    this.say(meshKinds.hello, this.hello(claims));
    await this.heard(meshKinds.welcome);
    this.say(meshKinds.ready);
  }

  /** Resolves when the other side has hung up. */
  async closed(): Promise<void> {
    await closed(this.socket);
  }
}

import { isFoundationError } from '../../packages/foundation/src/errors.ts';
import { Codec, MeshTransport } from '../../packages/foundation/src/internal.ts';
import { packetKinds } from '../../packages/foundation/src/messaging/packet.ts';
import { eventually } from '../../packages/testing/src/eventually.ts';

/** A member that is up to no good: it has the secret, and speaks the protocol as it likes. */
export class Mallory implements AsyncDisposable {
  readonly #transport: MeshTransport;
  readonly #codec = new Codec();
  readonly #address: string;
  readonly #answers = new Map<number, unknown>();
  /** Times that the other side has answered a ping or closed the link. */
  #settled = 0;
  #lastId = 0;

  private constructor(secret: Uint8Array, address: string) {
    this.#transport = new MeshTransport({ secret });
    this.#address = address;
  }

  /** Joins the cluster that a node is in. */
  static async join(cluster: string, secret: Uint8Array, address: string): Promise<Mallory> {
    const mallory = new Mallory(secret, address);
    const meta = { role: 'member', processes: ['ledger'], osPid: 1 };
    await mallory.#transport.start(
      { cluster, node: 'mallory', incarnation: Date.now(), meta },
      {
        admit: () => undefined,
        onLink: () => {},
        onFrame: (_link, _lane, frame) => mallory.#hear(mallory.#codec.decode(frame)),
        onDown: () => void mallory.#settled++,
        onRefused: () => {},
      },
    );
    return mallory;
  }

  /** Which life of its node it is in. */
  get incarnation(): Promise<number> {
    return this.#transport.dial(this.#address).then(({ peer }) => peer.incarnation);
  }

  /** Says something, or several things; resolves when it was taken in, or the link was closed for it. */
  async say(...packets: readonly unknown[]): Promise<void> {
    const link = await this.#transport.dial(this.#address);
    const settled = this.#settled;
    for (const packet of packets) link.send('normal', this.#codec.encode(packet));
    link.send('normal', this.#codec.encode([packetKinds.system, 0, 'cluster.ping', null]));
    await eventually('it was taken in', () => this.#settled > settled, { everyMs: 1 });
  }

  /** Calls something, and gives the code of what that fails with. */
  async call(to: number, name: unknown, ...args: readonly unknown[]): Promise<string | undefined> {
    const id = ++this.#lastId;
    await this.say([packetKinds.call, to, id, name, args, 5_000]);
    await eventually('an answer', () => this.#answers.has(id), { everyMs: 1 });
    const answer = this.#answers.get(id);
    return isFoundationError(answer) ? answer.code : undefined;
  }

  #hear(packet: unknown): void {
    if (!Array.isArray(packet)) return;
    const [kind, id, content]: unknown[] = packet;
    if (content === 'cluster.pong') this.#settled++;
    const isAnswer = kind === packetKinds.reply || kind === packetKinds.fail;
    if (isAnswer) this.#answers.set(Number(id), content);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport.stop(50);
  }
}

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';

import type { FoundationError } from '../../packages/foundation/src/errors.ts';
import {
  MeshTransport,
  type Link,
  type MeshOptions,
  type TransportHandlers,
} from '../../packages/foundation/src/internal.ts';
import { eventually } from '../../packages/testing/src/eventually.ts';
import type { Area, Attempt } from './attempt.ts';

export const cluster = 'test';
/** Milliseconds that a stranger has on the targets here. */
export const handshakeTimeoutMs = 300;

/** Resolves when a connection is over, however it ended. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** What tells all that happens to a transport. */
class Witness implements TransportHandlers {
  readonly told: string[] = [];
  readonly refusals: FoundationError[] = [];
  readonly links: Link[] = [];

  admit(): undefined {}
  onLink(link: Link): void {
    this.links.push(link);
    this.told.push(`link ${link.peer.node}`);
  }
  onFrame(link: Link, _lane: string, frame: Uint8Array): void {
    this.told.push(`frame ${link.peer.node} ${Buffer.from(frame).toString().slice(0, 20)}`);
  }
  onDown(link: Link, reason: string): void {
    this.told.push(`down ${link.peer.node} ${reason}`);
  }
  onRefused(error: FoundationError): void {
    this.refusals.push(error);
  }
}

/** A mesh under attack, and a good peer whose link with it must not notice. */
export class MeshTarget implements AsyncDisposable {
  readonly transport: MeshTransport;
  readonly witness = new Witness();
  readonly #good: MeshTransport;
  readonly #goodWitness = new Witness();
  address = '';
  #link: Link | undefined;
  #greetings = 0;
  #told = 0;

  private constructor(options: MeshOptions, good: MeshOptions) {
    this.transport = new MeshTransport({ handshakeTimeoutMs, frameTimeoutMs: 200, ...options });
    this.#good = new MeshTransport(good);
  }

  static async start(options: MeshOptions, good: MeshOptions = options): Promise<MeshTarget> {
    const target = new MeshTarget(options, good);
    const identity = { cluster, incarnation: 1, meta: {} };
    target.address = await target.transport.start({ ...identity, node: 'n1' }, target.witness);
    await target.#good.start({ ...identity, node: 'good' }, target.#goodWitness);
    target.#link = await target.#good.dial(target.address);
    await target.damage();
    return target;
  }

  get port(): number {
    return Number(this.address.split(':').at(-1));
  }

  /** The code that the target has counted for an attack, once that is over. */
  async refusalOf(expected: string, attack: () => Promise<unknown>): Promise<string | undefined> {
    const before = { ...this.transport.counters().refused };
    await attack();
    const isCounted = (code: string, count: number): boolean => count > (before[code] ?? 0);
    const counted = (): readonly string[] =>
      Object.entries(this.transport.counters().refused).flatMap(([code, count]) =>
        isCounted(code, count) ? code : [],
      );
    try {
      await eventually('it is counted', () => counted().includes(expected), { timeoutMs: 3_000 });
      return expected;
    } catch {
      return counted()[0];
    }
  }

  /** As {@link refusalOf}, on a bare TCP connection. */
  tcp(expected: string, talk: (socket: Socket) => void): Promise<string | undefined> {
    return this.refusalOf(expected, async () => {
      const socket = connectTcp(this.port, '127.0.0.1');
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      talk(socket);
      await closed(socket);
    });
  }

  /** What has happened beside the good peer's own talk. */
  async damage(): Promise<string | undefined> {
    const greeting = `still here ${this.#greetings++}`;
    if (this.#link?.send('normal', Buffer.from(greeting)) !== true) return 'the good link is gone';
    const expected = `frame good ${greeting}`;
    try {
      await eventually('it is heard', () => this.witness.told.includes(expected));
    } catch {
      return 'the good link does not work';
    }
    const news = this.witness.told.slice(this.#told).filter((each) => each !== expected);
    this.#told = this.witness.told.length;
    return this.#greetings > 1 && news.length > 0 ? news.join(', ') : undefined;
  }

  /** Waits until a node that was let in for an attempt is gone, and takes no notice of it. */
  async forgetLinks(node: string): Promise<void> {
    const { told } = this.witness;
    const isOf = (each: string): boolean => each.split(' ')[1] === node;
    await eventually('it is gone', () => told.findLast(isOf)?.startsWith('down') === true);
    const others = told.slice(this.#told).filter((each) => !isOf(each));
    told.splice(this.#told, told.length, ...others);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.transport.stop(100), this.#good.stop(100)]);
  }
}

/** An area whose attempts are made on a mesh. */
export function meshArea(target: MeshTarget, attempts: readonly Attempt[]): Area {
  return {
    attempts,
    damage: () => target.damage(),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

import type { FoundationError } from '@foundation/core';
import type {
  Identity,
  Lane,
  Link,
  LinkDownReason,
  Transport,
  TransportHandlers,
} from '@foundation/core/internal';
import { vi } from 'vitest';

/** A node's transport and all that it told. */
export class SeenNode implements TransportHandlers {
  readonly transport: Transport;
  readonly self: Identity;
  address = '';
  /** `link n2`, `normal n2 text`, `down n2 closed`, in the order told. */
  readonly told: string[] = [];
  readonly refusals: FoundationError[] = [];
  readonly links: Link[] = [];
  refuses: FoundationError | undefined;

  constructor(transport: Transport, self: Identity) {
    this.transport = transport;
    this.self = self;
  }

  /** The newest link. */
  get link(): Link {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error(`${this.self.node} has no link`);
    return link;
  }

  admit(): FoundationError | undefined {
    return this.refuses;
  }

  onLink(link: Link): void {
    this.links.push(link);
    this.told.push(`link ${link.peer.node}`);
  }

  onFrame(link: Link, lane: Lane, frame: Uint8Array): void {
    const text = frame.length > 100 ? `${frame.length} bytes` : new TextDecoder().decode(frame);
    this.told.push(`${lane} ${link.peer.node} ${text}`);
  }

  onDown(link: Link, reason: LinkDownReason): void {
    this.told.push(`down ${link.peer.node} ${reason}`);
  }

  onRefused(error: FoundationError): void {
    this.refusals.push(error);
  }

  /** What was told, once `last` is among it. */
  async toldUntil(last: string): Promise<readonly string[]> {
    await waitUntil(
      () => this.told.includes(last),
      () => `"${last}" among ${this.told.slice(-20).join(', ')}`,
    );
    return this.told;
  }

  /** Waits until a refusal was told, and counted. */
  async refusedWith(code: string): Promise<void> {
    await waitUntil(
      () =>
        this.refusals.some((error) => error.code === code) &&
        (this.transport.counters().refused[code] ?? 0) > 0,
      () => `a refusal with ${code} among ${this.refusals.join(', ')}`,
    );
  }
}

async function waitUntil(isSo: () => boolean, what: () => string): Promise<void> {
  await vi.waitFor(
    () => {
      if (!isSo()) throw new Error(`still waiting for ${what()}`);
    },
    { timeout: 5_000, interval: 2 },
  );
}

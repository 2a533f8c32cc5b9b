import { FoundationError } from '../../errors.ts';
import type { Advertisement, Discovery, DiscoveryHandlers } from '../discovery.ts';

/** The meeting place of {@link MemoryDiscovery}: nodes of one process that share it find each other. */
export class MemoryHub {
  readonly #members = new Map<string, { self: Advertisement; handlers: DiscoveryHandlers }>();

  /** @throws FoundationError `NAME_TAKEN` */
  join(self: Advertisement, handlers: DiscoveryHandlers): void {
    if (this.#members.has(self.node)) {
      throw new FoundationError(
        'NAME_TAKEN',
        `a node named "${self.node}" is in this hub already`,
        {
          hint: 'Give each node a name of its own, or stop the other one first.',
          details: { node: self.node },
        },
      );
    }
    this.#members.set(self.node, { self, handlers });
    for (const node of this.#members.keys()) this.tell(node);
  }

  leave(node: string): void {
    if (!this.#members.delete(node)) return;
    for (const other of this.#members.keys()) this.tell(other);
  }

  /** Tells a member about all others. */
  tell(node: string): void {
    const others = [...this.#members.values()].map(({ self }) => self);
    this.#members.get(node)?.handlers.onPeers(others.filter((other) => other.node !== node));
  }
}

/** Discovery inside one process, for tests. */
export class MemoryDiscovery implements Discovery {
  readonly name = 'memory';
  readonly #hub: MemoryHub;
  #node: string | undefined;

  constructor(hub: MemoryHub) {
    this.#hub = hub;
  }

  async start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    this.#hub.join(self, handlers);
    this.#node = self.node;
  }

  /** Nothing to do: every change was told when it happened. */
  async refresh(): Promise<void> {}

  async stop(): Promise<void> {
    if (this.#node !== undefined) this.#hub.leave(this.#node);
    this.#node = undefined;
  }
}

import { describe, expect, it } from 'vitest';

import { ManualClock, settled } from '../../test/manual-clock.ts';
import { quietCluster } from '../../test/quiet-cluster.ts';
import { Dials } from './dials.ts';
import { MemoryDiscovery, MemoryHub } from './discoveries/memory.ts';
import type { Discovery, DiscoveryHandlers, Hint } from './discovery.ts';
import type { Link } from './transport.ts';
import { MemoryNetwork, MemoryTransport } from './transports/memory.ts';

/** Dials of a test, which end when it says so. */
class Tested {
  readonly clock = new ManualClock();
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (isThere: boolean) => void>();
  readonly dials = new Dials({
    clock: this.clock,
    dial: ({ address }) => {
      this.begun.push(address);
      return new Promise((resolve) => this.#ends.set(address, resolve));
    },
  });

  get running(): number {
    return this.#ends.size;
  }

  add(...addresses: readonly string[]): void {
    const { early } = this.dials;
    for (const address of addresses) if (!early.has(address)) this.dials.add({ address });
  }

  /** Those that run come to an end, and those that follow, until none waits. */
  async end(isThere = false): Promise<void> {
    while (this.#ends.size > 0) {
      const [first = ''] = this.#ends.keys();
      this.#ends.get(first)?.(isThere);
      this.#ends.delete(first);
      await settled();
    }
  }
}

describe('dials', () => {
  it('are at most eight at a time, and none is forgotten', async () => {
    const tested = new Tested();
    const addresses = Array.from({ length: 100 }, (_, at) => `a:${at}`);
    tested.add(...addresses);
    expect(tested.running).toBe(8);
    await tested.end();
    expect(tested.begun).toEqual(addresses);
  });

  it('come ever less often where nobody is, and at once where somebody was', async () => {
    const tested = new Tested();
    tested.dials.found('known:1');
    for (let look = 0; look < 60; look++) {
      tested.add('nobody:1', 'known:1');
      await tested.end();
      await tested.clock.advance(500);
    }
    const count = (address: string): number =>
      tested.begun.filter((each) => each === address).length;
    expect(count('known:1')).toBe(60);
    expect(count('nobody:1')).toBeGreaterThan(5);
    expect(count('nobody:1')).toBeLessThan(14);
  });

  it('come first where somebody was, and last where nobody was', async () => {
    const tested = new Tested();
    tested.add('nobody:1');
    await tested.end();
    await tested.clock.advance(1_000);
    const eight = Array.from({ length: 8 }, (_, at) => `a:${at}`);
    tested.dials.found('known:1');
    tested.add(...eight, 'nobody:1', 'new:1', 'known:1');
    await tested.end();
    expect(tested.begun.slice(-3)).toEqual(['known:1', 'new:1', 'nobody:1']);
  });

  it('forget where nobody was, and where somebody was, beyond a thousand addresses each', async () => {
    const tested = new Tested();
    const addresses = Array.from({ length: 1_001 }, (_, at) => `a:${at}`);
    tested.add(...addresses);
    await tested.end();
    const { early } = tested.dials;
    expect([early.size, early.has('a:0'), early.has('a:1')]).toEqual([1_000, false, true]);
    for (const address of addresses) tested.dials.found(address);
    tested.add('a:0', 'a:1');
    await tested.end();
    // Only who was known is dialled again at once.
    expect([...tested.dials.early]).toEqual(['a:0']);
  });

  it('that wait are dropped when they are cleared', async () => {
    const tested = new Tested();
    tested.add(...Array.from({ length: 20 }, (_, at) => `a:${at}`));
    tested.dials.clear();
    await tested.end();
    expect(tested.begun).toHaveLength(8);
  });
});

/** Counts the dials that run. */
class CountingTransport extends MemoryTransport {
  running = 0;
  most = 0;

  override async dial(address: string): Promise<Link> {
    this.most = Math.max(this.most, ++this.running);
    try {
      await settled();
      return await super.dial(address);
    } finally {
      this.running--;
    }
  }
}

/** Finds thousands of addresses at which nobody is, and at last one more. */
class FloodedDiscovery implements Discovery {
  readonly name = 'flooded';
  readonly #last: string;

  constructor(last: string) {
    this.#last = last;
  }

  async start(_: unknown, handlers: DiscoveryHandlers): Promise<void> {
    const hints = Array.from({ length: 2_000 }, (__, at): Hint => ({ address: `memory:x${at}` }));
    handlers.onPeers([...hints, { address: this.#last }]);
  }

  async refresh(): Promise<void> {}

  async stop(): Promise<void> {}
}

describe('a cluster whose discovery is flooded', () => {
  it('never dials more than eight at a time, and finds the one that is there', async () => {
    const network = new MemoryNetwork();
    const transport = new CountingTransport(network);
    const clock = new ManualClock();
    const hub = new MemoryHub();
    const there = quietCluster({
      node: 'b',
      transport: new MemoryTransport(network),
      discovery: new MemoryDiscovery(hub),
      clock,
    });
    await there.start();
    const discovery = new FloodedDiscovery(there.address);
    const flooded = quietCluster({ node: 'a', transport, discovery, clock });
    await flooded.start();
    while (flooded.peers().length === 0) await clock.advance(100);
    expect(transport.most).toBe(8);
    await Promise.all([flooded.stop(), there.stop()]);
  });
});

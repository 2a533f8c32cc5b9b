import { expect, it } from 'vitest';

import { ManualClock, settled } from '../../test/manual-clock.ts';
import { quietCluster } from '../../test/quiet-cluster.ts';
import { FoundationError } from '../errors.ts';
import { Events } from '../events.ts';
import type { Cluster } from './cluster.ts';
import type { ProbeHost, ProbeSource } from './detector/probe-channel.ts';
import { encodeSwim } from './detector/swim-packet.ts';
import { MemoryDiscovery, MemoryHub } from './discoveries/memory.ts';
import type { Identity, TransportHandlers } from './transport.ts';
import { MemoryNetwork, MemoryTransport } from './transports/memory.ts';

/** Its probes are what a test says. */
class ToldTransport extends MemoryTransport {
  host: ProbeHost | undefined;
  handlers: TransportHandlers | undefined;

  override start(self: Identity, handlers: TransportHandlers): Promise<string> {
    this.handlers = handlers;
    return super.start(self, handlers);
  }

  override probes(): ProbeSource {
    const open = async (
      host: ProbeHost,
    ): ReturnType<Extract<ProbeSource, { kind: 'here' }>['open']> => {
      this.host = host;
      return { addressFor: () => '', send: () => {}, close: async () => {} };
    };
    return { kind: 'here', open };
  }
}

class World {
  readonly network = new MemoryNetwork();
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  readonly downs: string[] = [];

  async start(
    node: string,
    incarnation = 1,
  ): Promise<{ cluster: Cluster; transport: ToldTransport }> {
    const transport = new ToldTransport(this.network);
    const events = new Events();
    events.on('member-down', (down) => this.downs.push(`${node}: ${down.node} ${down.reason}`));
    const cluster = quietCluster({
      node,
      incarnation,
      transport,
      discovery: new MemoryDiscovery(this.hub),
      clock: this.clock,
      events,
    });
    await cluster.start();
    return { cluster, transport };
  }
}

it.each([
  ['gives up one that is gone', false, ['a: b crashed']],
  ['does not give up one that says that it stands still', true, []],
])('a cluster %s, when it cannot be dialled', async (_, isStalled, downs) => {
  const world = new World();
  const { cluster: a, transport } = await world.start('a');
  const { cluster: b } = await world.start('b');
  while (a.peers().length === 0) await world.clock.advance(100);
  const said = { refutations: 0, isStalled, rumours: [] };
  transport.host?.onDatagram({ node: 'b', incarnation: 1 }, encodeSwim({ kind: 'news', ...said }));
  world.network.crash(b.address);
  await settled();
  await world.clock.advance(1_000);
  expect(world.downs).toEqual(downs);
  await a.stop();
});

it('a cluster whose own life was declared over does not say that the others have left', async () => {
  const world = new World();
  const { cluster: a, transport } = await world.start('a');
  const { cluster: b } = await world.start('b');
  while (a.peers().length === 0) await world.clock.advance(100);
  transport.handlers?.onRefused(new FoundationError('STALE_INCARNATION', 'life 1 is over'));
  while (b.peers()[0]?.incarnation !== 2) await world.clock.advance(100);
  expect(world.downs.filter((each) => each.startsWith('a'))).toEqual(['a: b cut-off']);
  await Promise.all([a.stop(), b.stop()]);
});

it('a cluster does not see in a new life of a node what it saw in the one before', async () => {
  const world = new World();
  const { cluster: a, transport } = await world.start('a');
  const { cluster: b } = await world.start('b');
  while (a.peers().length === 0) await world.clock.advance(100);
  transport.host?.onDatagram(
    { node: 'b', incarnation: 1 },
    encodeSwim({ kind: 'news', refutations: 0, isStalled: true, rumours: [] }),
  );
  expect(a.sighting('b')).toMatchObject({ isStalled: true });
  world.network.crash(b.address);
  await b.stop();
  await world.start('b', 2);
  while (a.peers()[0]?.incarnation !== 2) await world.clock.advance(100);
  expect(a.sighting('b')).toBeUndefined();
  await a.stop();
});

import type { Identity, Lane, Link } from '@foundation/core/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SimHost } from './sim-host.ts';
import { SimNetwork } from './sim-network.ts';
import { SimTransport } from './sim-transport.ts';
import { Simulation } from './simulation.ts';

/** A node that remembers what its transport told. */
class Seen {
  readonly host: SimHost;
  readonly transport: SimTransport;
  readonly told: string[] = [];
  readonly links: Link[] = [];
  address = '';

  constructor(simulation: Simulation, network: SimNetwork, node: string) {
    this.host = new SimHost(simulation, node);
    this.transport = new SimTransport(network, this.host);
  }

  async start(cluster = 'simulated'): Promise<void> {
    const self: Identity = { cluster, node: this.host.node, incarnation: 1, meta: {} };
    this.address = await this.transport.start(self, {
      onLink: (link) => {
        this.links.push(link);
        this.told.push(`up ${link.peer.node}`);
      },
      onFrame: (_link, _lane, frame) => this.told.push(Buffer.from(frame).toString()),
      onDown: (link, reason) => this.told.push(`down ${link.peer.node} ${reason}`),
      onRefused: ({ code }) => this.told.push(`refused ${code}`),
      admit: () => undefined,
    });
  }

  say(text: string, lane: Lane = 'normal'): boolean {
    return this.links.at(-1)?.send(lane, Buffer.from(text)) ?? false;
  }
}

async function pair(
  seed = 1,
): Promise<{ simulation: Simulation; network: SimNetwork; a: Seen; b: Seen }> {
  const simulation = new Simulation(seed);
  const network = new SimNetwork(simulation);
  const [a, b] = [new Seen(simulation, network, 'a'), new Seen(simulation, network, 'b')];
  await a.start();
  await b.start();
  return { simulation, network, a, b };
}

/** The code that a dial fails with, or the name of the node that answered. */
function outcomeOf(dial: Promise<Link>): { code?: string } {
  const outcome: { code?: string } = {};
  dial.then(
    (link) => (outcome.code = link.peer.node),
    (error: unknown) => (outcome.code = (error as { code: string }).code),
  );
  return outcome;
}

async function linked(seed = 1): ReturnType<typeof pair> {
  const both = await pair(seed);
  outcomeOf(both.a.transport.dial(both.b.address));
  await both.simulation.advance(100);
  both.a.told.length = both.b.told.length = 0;
  return both;
}

describe('a simulated network', () => {
  it('links two nodes once, however both dial', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(10), fc.nat(10), async (seed, first, second) => {
        const { simulation, a, b } = await pair(seed);
        simulation.schedule(first, () => outcomeOf(a.transport.dial(b.address)));
        simulation.schedule(second, () => outcomeOf(b.transport.dial(a.address)));
        await simulation.advance(200);
        a.say('from a');
        b.say('from b');
        await simulation.advance(100);
        expect([a.told.at(-1), b.told.at(-1)]).toEqual(['from b', 'from a']);
        expect(a.links.filter((link) => link.send('normal', Buffer.of(1)))).toHaveLength(1);
        expect(b.links.filter((link) => link.send('normal', Buffer.of(1)))).toHaveLength(1);
      }),
    );
  });

  it('keeps the order of what is sent, whatever it takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(fc.nat(20), { maxLength: 30 }), async (seed, gaps) => {
        const { simulation, a, b } = await linked(seed);
        for (const [index, gap] of gaps.entries()) {
          a.say(String(index));
          await simulation.advance(gap);
        }
        await simulation.advance(100);
        expect(b.told).toEqual(gaps.map((_, index) => String(index)));
      }),
    );
  });

  it('sends control frames of a turn first', async () => {
    const { simulation, a, b } = await linked();
    a.say('bulk', 'bulk');
    a.say('normal');
    a.say('control', 'control');
    await simulation.advance(50);
    expect(b.told).toEqual(['control', 'normal', 'bulk']);
  });

  it('breaks links at a cut, loses what was in flight, and refuses dials until it heals', async () => {
    const { simulation, network, a, b } = await linked();
    a.say('lost');
    await simulation.advance(0);
    network.cut('a', 'b', 'reset');
    const during = outcomeOf(a.transport.dial('sim:9'));
    await simulation.advance(50);
    expect([a.told, b.told]).toEqual([['down b reset'], ['down a reset']]);
    expect(during.code).toBe('NODE_UNREACHABLE');
    const again = outcomeOf(a.transport.dial(b.address));
    await simulation.advance(50);
    expect(again.code).toBe('NODE_UNREACHABLE');
    network.heal();
    const healed = outcomeOf(a.transport.dial(b.address));
    await simulation.advance(50);
    expect(healed.code).toBe('b');
  });

  it('holds everything back at a silent cut, and delivers it in order when it heals', async () => {
    const { simulation, network, a, b } = await linked();
    network.cut('a', 'b', 'silent');
    for (const text of ['1', '2', '3']) {
      a.say(text);
      await simulation.advance(3_000);
    }
    expect([a.told, b.told]).toEqual([[], []]);
    network.heal();
    await simulation.advance(50);
    expect(b.told).toEqual(['1', '2', '3']);
  });

  it('cuts only between the two sides of a split', async () => {
    const { simulation, network, a, b } = await linked();
    network.split(['a'], ['c', 'd'], 'reset');
    a.say('through');
    await simulation.advance(50);
    expect(b.told).toEqual(['through']);
  });

  it('tells the peers of a killed process, after what it had sent', async () => {
    const { simulation, network, a, b } = await linked();
    a.say('last words');
    await simulation.advance(0);
    network.crash(a.host, 'kill');
    await simulation.advance(50);
    expect(b.told).toEqual(['last words', 'down a reset']);
    expect(a.told).toEqual([]);
  });

  it('tells nobody of a machine that lost its power; dials to it time out', async () => {
    const { simulation, network, a, b } = await linked();
    network.crash(a.host, 'power-off');
    b.say('to nobody');
    const dial = outcomeOf(b.transport.dial(a.address));
    await simulation.advance(4_000);
    expect(b.told).toEqual([]);
    expect(dial.code).toBe('a');
    b.links[0]?.close('given up');
    const again = outcomeOf(b.transport.dial(a.address));
    await simulation.advance(4_000);
    expect(again.code).toBeUndefined();
    await simulation.advance(2_000);
    expect(again.code).toBe('NODE_UNREACHABLE');
  });

  it('lets a frozen node handle later what came meanwhile', async () => {
    const { simulation, a, b } = await linked();
    b.host.freeze(1_000);
    a.say('1');
    a.say('2');
    await simulation.advance(999);
    expect(b.told).toEqual([]);
    await simulation.advance(50);
    expect(b.told).toEqual(['1', '2']);
  });

  it('takes longer where it is slow', async () => {
    const { simulation, network, a, b } = await linked();
    network.slowDown('a', 'b', 500);
    a.say('slow');
    await simulation.advance(400);
    expect(b.told).toEqual([]);
    await simulation.advance(200);
    expect(b.told).toEqual(['slow']);
  });

  it('says goodbye to the peers of a node that stops', async () => {
    const { simulation, a, b } = await linked();
    a.say('before');
    const stopped = a.transport.stop();
    await simulation.advance(50);
    await stopped;
    expect(b.told).toEqual(['before', 'down a closed']);
    expect(a.told).toEqual(['down b local']);
  });

  it('refuses a node of another cluster, on both sides', async () => {
    const simulation = new Simulation(1);
    const network = new SimNetwork(simulation);
    const [a, b] = [new Seen(simulation, network, 'a'), new Seen(simulation, network, 'b')];
    await a.start('ours');
    await b.start('theirs');
    const dial = outcomeOf(a.transport.dial(b.address));
    await simulation.advance(50);
    expect(dial.code).toBe('WRONG_CLUSTER');
    expect([a.told, b.told]).toEqual([['refused WRONG_CLUSTER'], ['refused WRONG_CLUSTER']]);
  });
});

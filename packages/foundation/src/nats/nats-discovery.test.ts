import { discoveryConformance, eventually } from '@foundation/testing';
import { startNats, startTcpProxy, type NatsServers } from '@foundation/testing/servers';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Advertisement, DiscoveryHandlers, Hint } from '../cluster/discovery.ts';
import { isFoundationError } from '../errors.ts';
import { NatsClient } from './nats-client.ts';
import { NatsDiscovery, type NatsDiscoveryOptions } from './nats-discovery.ts';
import type { NatsOptions } from './nats-options.ts';

const secret = new Uint8Array(32).fill(7);
let clusters = 0;

class TestNode implements DiscoveryHandlers, AsyncDisposable {
  readonly discovery: NatsDiscovery;
  readonly errors: string[] = [];
  peers: readonly Hint[] = [];

  constructor(nats: NatsOptions, options: Partial<NatsDiscoveryOptions> = {}) {
    const cluster = `test-${clusters}`;
    this.discovery = new NatsDiscovery({ nats: new NatsClient(nats), cluster, secret, ...options });
  }

  async start(node: string, over: Partial<Advertisement> = {}): Promise<this> {
    await this.discovery.start(
      { node, incarnation: 1, address: `nats:test/${node}/1`, ...over },
      this,
    );
    return this;
  }

  onPeers(peers: readonly Hint[]): void {
    this.peers = peers;
  }

  onError(error: unknown): void {
    this.errors.push(isFoundationError(error) ? error.code : String(error));
  }

  sees(...nodes: readonly string[]): Promise<boolean> {
    return eventually(`${nodes.join(', ')} and nobody else`, () => {
      return JSON.stringify(this.peers.map(({ node }) => node)) === JSON.stringify(nodes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discovery.stop();
  }
}

describe('over NATS', () => {
  let servers: NatsServers;
  let outsider: NatsConnection;
  let at: NatsOptions;
  beforeAll(async () => {
    servers = await startNats({ jetstream: false });
    outsider = await connect({ servers: [...servers.urls] });
    at = { servers: servers.urls };
  });
  afterAll(async () => {
    await outsider.close();
    await servers[Symbol.asyncDispose]();
  });

  discoveryConformance('NatsDiscovery', async () => {
    const cluster = `conformance-${++clusters}`;
    return {
      join: () => new NatsDiscovery({ nats: new NatsClient(at), cluster, secret }),
      [Symbol.asyncDispose]: async () => {},
    };
  });

  describe('NatsDiscovery', () => {
    it('tells all of each other without being asked', async () => {
      clusters++;
      await using a = await new TestNode(at).start('a');
      await using b = await new TestNode(at).start('b');
      await using c = await new TestNode(at).start('c');
      await Promise.all([a.sees('b', 'c'), b.sees('a', 'c'), c.sees('a', 'b')]);
      await c.discovery.stop();
      await Promise.all([a.sees('b'), b.sees('a')]);
      expect([...a.errors, ...b.errors, ...c.errors]).toEqual([]);
    });

    it('forgets a node that was cut off, keeps all while it is cut off itself, and finds them again', async () => {
      clusters++;
      await using proxy = await startTcpProxy(Number(new URL(servers.urls[0] ?? '').port));
      const quick = { heartbeatMs: 100, staleMs: 500 };
      await using a = await new TestNode(at, quick).start('a');
      const behind = { servers: `127.0.0.1:${proxy.port}`, pingEveryMs: 100 };
      await using b = await new TestNode(behind, quick).start('b');
      await a.sees('b');
      proxy.hold();
      await a.sees();
      await eventually('b knows that it is cut off', () => b.errors.length > 0);
      expect(b.peers.map(({ node }) => node)).toEqual(['a']);
      expect(new Set(b.errors)).toEqual(new Set(['DISCOVERY_FAILED']));
      proxy.cut();
      proxy.release();
      await a.sees('b');
      await b.sees('a');
      expect(a.errors).toEqual([]);
    });

    it('says that another node has its name when they could not see each other before', async () => {
      clusters++;
      const [one, other] = [new TestNode(at), new TestNode(at)];
      await Promise.allSettled([one.start('a'), other.start('a', { incarnation: 2 })]);
      // Either one was first, or both were and hear of each other.
      const third = await new TestNode(at)
        .start('a', { incarnation: 3 })
        .catch((error: unknown) => error);
      expect(isFoundationError(third) && third.code).toBe('NAME_TAKEN');
      await one.discovery.stop();
      await other.discovery.stop();
      await using next = await new TestNode(at).start('a', { incarnation: 4 });
      expect(next.peers).toEqual([]);
    });

    it('does not listen to those who have not got the secret', async () => {
      clusters++;
      const subject = `foundation.test-${clusters}.nodes`;
      await using a = await new TestNode(at).start('a');
      await using _b = await new TestNode(at).start('b');
      await a.sees('b');
      const overheard: Uint8Array[] = [];
      outsider.subscribe(subject, { callback: (_, { data }) => void overheard.push(data) });
      await outsider.flush();
      await using _c = await new TestNode(at).start('c');
      await a.sees('b', 'c');
      const [word = new Uint8Array(0)] = overheard;
      const bye = Buffer.from(
        Buffer.from(word).toString('latin1').replace('"here"', '"bye" '),
        'latin1',
      );
      for (const said of [bye, Buffer.alloc(2_000), Buffer.alloc(0), Buffer.from('{}')]) {
        outsider.publish(subject, said);
        outsider.publish(`${subject}.ask`, said, { reply: subject });
      }
      await outsider.flush();
      await using stranger = await new TestNode(at, { secret: new Uint8Array(32) }).start('d');
      await a.discovery.refresh();
      await a.sees('b', 'c');
      expect(stranger.peers).toEqual([]);
    });

    it('says that no server answers', async () => {
      await expect(new TestNode({ servers: '127.0.0.1:1' }).start('a')).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
    });
  });
});

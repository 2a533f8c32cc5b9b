import { eventually } from '@foundation/testing';
import { Lab, labHindrance, spawnNode, type TestProcess } from '@foundation/testing/lab';
import { startAvahi } from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { MdnsFlood } from './mdns-flood-node.ts';
import type { MdnsNode } from './mdns-node.ts';

const program = new URL('mdns-node.ts', import.meta.url);
const stranger = new URL('mdns-flood-node.ts', import.meta.url);
const isSkipped = labHindrance() !== undefined && process.env['CI'] !== 'true';

type Host = 'a' | 'b' | 'c';

/** Programs start slowly where other tests run beside them. */
const readyMs = 60_000;
const testMs = 180_000;

/** Real nodes on three machines. They stay from test to test. */
describe.skipIf(isSkipped)('nodes that find each other by multicast DNS', () => {
  const opened = new AsyncDisposableStack();
  let lab: Lab<Host>;
  let first: TestProcess<MdnsNode>;
  let neighbour: TestProcess<MdnsNode>;
  let remote: TestProcess<MdnsNode>;

  beforeAll(async () => {
    lab = opened.use(await Lab.open({ hosts: ['a', 'b', 'c'] }));
    [first, neighbour, remote] = await Promise.all([start('a', 1), start('a', 2), start('b', 1)]);
  }, 320_000);
  afterAll(() => opened.disposeAsync());

  async function start(
    host: Host,
    port: number,
    times: readonly string[] = [],
  ): Promise<TestProcess<MdnsNode>> {
    const { address, through } = lab.host(host);
    const args = [address, String(port), `${host}-${port}`, ...times];
    const env = { NODE_OPTIONS: '--expose-gc' };
    return opened.use(await spawnNode<MdnsNode>(program, { args, through, env, readyMs }));
  }

  const addressOf = (host: Host, port: number): string => `${lab.host(host).address}:${port}`;

  const knows = (node: TestProcess<MdnsNode>, addresses: readonly string[]): Promise<true> =>
    eventually(`${addresses.join()} and nobody else is known`, async () => {
      const hints = await node.ask('hints');
      return hints.join() === addresses.toSorted().join();
    });

  it('are one cluster, two on one machine and one on another', async () => {
    for (const node of [first, neighbour, remote]) {
      await eventually('all are members', async () => (await node.ask('members')).length === 3);
      expect(await node.ask('errors')).toEqual([]);
    }
    await knows(first, [addressOf('a', 2), addressOf('b', 1)]);
    expect(await remote.ask('members')).toEqual(['a-1', 'a-2', 'b-1']);
  });

  it(
    'keep their memory and dial no strangers while 10,000 hostile packets come, and find a new node',
    async () => {
      const { address, through } = lab.host('c');
      await using enemy = await spawnNode<MdnsFlood>(stranger, {
        args: [address],
        through,
        readyMs,
      });
      const [heap, dials] = [await first.ask('heap'), await first.ask('dials')];

      await enemy.ask('flood');
      await using late = await start('a', 3);
      const begun = performance.now();
      const isFound = async (): Promise<boolean> =>
        (await first.ask('hints')).includes(addressOf('a', 3));
      await eventually('the new one is known', isFound);
      expect(performance.now() - begun).toBeLessThan(2_000);
      await eventually('10,000 are sent', async () => (await enemy.ask('sent')) >= 10_000);
      expect((await enemy.ask('stop')).overheard).toBeGreaterThan(0);

      await knows(first, [addressOf('a', 2), addressOf('a', 3), addressOf('b', 1)]);
      await knows(remote, [addressOf('a', 1), addressOf('a', 2), addressOf('a', 3)]);
      expect(await late.ask('members')).toHaveLength(4);
      // To the new one, and perhaps to a friend again.
      expect((await first.ask('dials')) - dials).toBeLessThanOrEqual(8);
      expect((await first.ask('heap')) - heap).toBeLessThan(4 * 2 ** 20);
      await late.stop();
    },
    testMs,
  );

  it(
    'forget at once who says goodbye, and who was killed when its time is over',
    async () => {
      const dying = await start('c', 1, ['2000', '500']);
      await knows(first, [addressOf('a', 2), addressOf('b', 1), addressOf('c', 1)]);
      await neighbour.stop();
      // It had said that it would be there for 30 s.
      await knows(first, [addressOf('b', 1), addressOf('c', 1)]);
      await dying.kill();
      await knows(first, [addressOf('b', 1)]);
      expect(await first.ask('members')).toEqual(['a-1', 'b-1']);
    },
    testMs,
  );

  it(
    'are seen by the Bonjour of the system, and share its port',
    async () => {
      const { through } = lab.host('b');
      await using avahi = await startAvahi({ through, interface: 'eth0' });
      const found = async (mark: '+' | '='): Promise<readonly string[]> =>
        (await avahi.browse('_foundation._tcp')).filter((line) => line.startsWith(mark));
      const seen = await eventually('both are seen', async () => {
        const lines = await found('=');
        return lines.length === 2 && lines;
      });
      for (const line of seen) {
        expect(line).toMatch(
          /^=;eth0;IPv4;[a-z0-9]{20};_foundation\._tcp;local;[a-z0-9]{20}\.local;10\.77\.0\.[12];1;"tag=[\w-]{22}" "t=\d+" "v=1"$/,
        );
      }
      await start('b', 2);
      await knows(first, [addressOf('b', 1), addressOf('b', 2)]);
      await first.stop();
      await knows(remote, [addressOf('b', 2)]);
      await eventually('it is seen no more', async () => (await found('+')).length === 2);
    },
    testMs,
  );
});

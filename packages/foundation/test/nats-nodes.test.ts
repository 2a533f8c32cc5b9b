import { eventually, spawnNode, type TestProcess } from '@foundation/testing';
import { startNats, type NatsServers } from '@foundation/testing/servers';
import { expect, it } from 'vitest';

import type { NatsNodeCommands } from './nats-node.ts';

type Node = TestProcess<NatsNodeCommands>;

function start(servers: NatsServers, name: string): Promise<Node> {
  const program = new URL('nats-node.ts', import.meta.url);
  return spawnNode<NatsNodeCommands>(program, { args: [servers.urls.join(','), name] });
}

async function formed(...nodes: readonly Node[]): Promise<void> {
  await eventually('all see all', async () => {
    const seen = await Promise.all(nodes.map((node) => node.ask('members')));
    const isUp = (member: string): boolean => member.endsWith(' up');
    return seen.every((members) => members.length === nodes.length && members.every(isUp));
  });
}

it('nodes on NATS call each other, keep together while the server is gone for a moment, and notice a kill', async () => {
  await using servers = await startNats();
  await using a = await start(servers, 'a');
  await using b = await start(servers, 'b');
  await formed(a, b);
  await a.ask('start', 'b');
  await eventually('a knows the name', () => a.ask('add', 0).catch(() => false));
  expect(await a.ask('add', 2)).toBe('2 on b');

  await servers.members[0]?.kill();
  await servers.members[0]?.restart();
  const again = (): Promise<unknown> => a.ask('add', 1).catch(() => false);
  await eventually('they are linked again', again, { everyMs: 50 });
  await formed(a, b);
  expect([...(await a.ask('downs')), ...(await b.ask('downs'))]).toEqual([]);

  const killedAt = Date.now();
  await b.kill();
  const [down] = await eventually('a has noticed', async () => {
    const downs = await a.ask('downs');
    return downs.length > 0 && downs;
  });
  expect(down?.node).toBe('b');
  expect((down?.at ?? 0) - killedAt).toBeLessThan(8_000);
  // What was acknowledged is there where it goes on.
  const last = await eventually('the counter goes on', () => a.ask('add', 1).catch(() => ''));
  expect(last).toMatch(/^\d on a$/);
  expect(Number.parseInt(last, 10)).toBeGreaterThanOrEqual(4);
  await a.stop();
  expect(a.isRunning).toBe(false);
});

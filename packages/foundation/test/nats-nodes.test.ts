import { eventually, spawnNode, type TestProcess } from '@foundation/testing';
import { startNats, type NatsServers } from '@foundation/testing/servers';
import { expect, it } from 'vitest';

import type { NatsNodeCommands } from './nats-node.ts';

type Node = TestProcess<NatsNodeCommands>;

function start(servers: NatsServers, name: string): Promise<Node> {
  const program = new URL('nats-node.ts', import.meta.url);
  return spawnNode<NatsNodeCommands>(program, { args: [servers.urls.join(','), name] });
}

/** A user for each node, who may do what docs/guide/nats.md says and nothing else. */
function user(node: string): string {
  const stream = 'foundation-nats-nodes';
  const api = ['STREAM.INFO', 'STREAM.CREATE', 'STREAM.MSG.GET', 'STREAM.PURGE', 'CONSUMER.CREATE'];
  const publish = [
    'foundation.nats-nodes.node.*.*.*',
    'foundation.nats-nodes.nodes.>',
    'foundation.nats-nodes.nodes',
    'foundation.nats-nodes.probe.*',
    'foundation.nats-nodes.store.>',
    ...api.map((call) => `$JS.API.${call}.${stream}`),
    `$JS.FC.${stream}.>`,
  ];
  const subscribe = [
    `foundation.nats-nodes.node.${node}.>`,
    `foundation.nats-nodes.probe.${node}`,
    'foundation.nats-nodes.nodes.>',
    'foundation.nats-nodes.nodes',
    `_INBOX.${node}.>`,
  ];
  const permissions = `{ publish: ${list(publish)}, subscribe: ${list(subscribe)}, allow_responses: true }`;
  return `{ user: ${node}, password: pw, permissions: ${permissions} }`;
}

const list = (subjects: readonly string[]): string =>
  `[${subjects.map((each) => `"${each}"`).join(', ')}]`;

async function formed(...nodes: readonly Node[]): Promise<void> {
  await eventually('all see all', async () => {
    const seen = await Promise.all(nodes.map((node) => node.ask('members')));
    const isUp = (member: string): boolean => member.endsWith(' up');
    return seen.every((members) => members.length === nodes.length && members.every(isUp));
  });
}

it('nodes on NATS that may do only what they must call each other, keep together while the server is gone for a moment, and notice a kill', async () => {
  const config = `authorization { users: [ ${user('a')}, ${user('b')} ] }`;
  await using servers = await startNats({ config });
  const starting = [start(servers, 'a'), start(servers, 'b')] as const;
  await using a = await starting[0];
  await using b = await starting[1];
  await formed(a, b);
  await a.ask('start', 'b');
  await eventually('a knows the name', () => a.ask('add', 0).catch(() => false));
  expect(await a.ask('add', 2)).toBe('2 on b');

  await servers.members[0]?.kill();
  await servers.members[0]?.restart();
  const again = (): Promise<unknown> => a.ask('add', 1).catch(() => false);
  await eventually('they are linked again', again, { everyMs: 50 });
  await formed(a, b);
  expect(await a.ask('watch')).toEqual(['snapshot/counter/count']);
  expect([...(await a.ask('problems')), ...(await b.ask('problems'))]).toEqual([]);
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

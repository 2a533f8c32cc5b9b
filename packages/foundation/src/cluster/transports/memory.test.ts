import { transportConformance } from '@foundation/testing';
import { describe, expect, it, vi } from 'vitest';

import type { LinkDownReason, TransportHandlers } from '../transport.ts';
import { MemoryNetwork, MemoryTransport } from './memory.ts';

transportConformance('MemoryTransport', async () => {
  const network = new MemoryNetwork();
  return { join: () => new MemoryTransport(network), [Symbol.asyncDispose]: async () => {} };
});

async function start(network: MemoryNetwork, node: string) {
  const told: string[] = [];
  const handlers: TransportHandlers = {
    admit: () => undefined,
    onLink: (link) => told.push(`link ${link.peer.node}`),
    onFrame: (_, __, frame) => told.push(Buffer.from(frame).toString()),
    onDown: (link, reason: LinkDownReason) => told.push(`down ${link.peer.node} ${reason}`),
    onRefused: () => {},
  };
  const transport = new MemoryTransport(network);
  const identity = { cluster: 'test', node, incarnation: 1, meta: {} };
  const address = await transport.start(identity, handlers);
  return { transport, address, told };
}

describe('MemoryNetwork', () => {
  it('keeps what is sent across a cut until it heals, and tells nobody', async () => {
    const network = new MemoryNetwork();
    const [a, b] = [await start(network, 'n1'), await start(network, 'n2')];
    const link = await a.transport.dial(b.address);
    network.cut('n1', 'n2');
    link.send('normal', Buffer.from('one'));
    await new Promise(setImmediate);
    link.send('normal', Buffer.from('two'));
    await new Promise(setImmediate);
    expect(b.told).toStrictEqual(['link n1']);
    await expect(b.transport.dial(a.address)).resolves.toBeDefined();
    network.heal();
    await vi.waitFor(() => expect(b.told).toStrictEqual(['link n1', 'one', 'two']));
  });

  it('lets nobody dial across a cut, and lets a link that one side gave up be replaced', async () => {
    const network = new MemoryNetwork();
    const [a, b] = [await start(network, 'n1'), await start(network, 'n2')];
    const link = await a.transport.dial(b.address);
    network.cut('n2', 'n1');
    link.close('silent');
    await expect(a.transport.dial(b.address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    expect(b.told).toStrictEqual(['link n1']);
    network.heal();
    await a.transport.dial(b.address);
    expect(b.told.slice(0, 2)).toStrictEqual(['link n1', 'down n1 closed']);
    expect(b.told.at(-1)).toBe('link n1');
  });

  it('resets the links of a node that crashes, after what it had sent', async () => {
    const network = new MemoryNetwork();
    const [a, b] = [await start(network, 'n1'), await start(network, 'n2')];
    const link = await a.transport.dial(b.address);
    link.send('bulk', Buffer.from('last words'));
    network.crash(a.address);
    await vi.waitFor(() =>
      expect(b.told).toStrictEqual(['link n1', 'last words', 'down n1 reset']),
    );
    expect(a.told).toStrictEqual(['link n2']);
    await expect(b.transport.dial(a.address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  });
});

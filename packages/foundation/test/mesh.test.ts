import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { MeshTransport } from '@foundation/core/internal';
import { describe, expect, it, vi } from 'vitest';

const secret = Buffer.alloc(32, 7);

class Child implements Disposable {
  readonly process: ChildProcess;

  constructor(address: string, childSecret: Buffer, frames: number) {
    const program = new URL('mesh-node.ts', import.meta.url);
    const args = [address, childSecret.toString('hex'), String(frames)];
    const execArgv = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
    this.process = fork(program, args, { execArgv });
  }

  async says(): Promise<unknown> {
    const [message] = await once(this.process, 'message');
    return message;
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL');
  }
}

async function listen() {
  const told: string[] = [];
  const transport = new MeshTransport({ secret });
  const identity = { cluster: 'test', node: 'parent', incarnation: 1, meta: {} };
  const address = await transport.start(identity, {
    admit: () => undefined,
    onLink: (link) => told.push(`link ${link.peer.node} at ${link.peerAddress}`),
    onFrame: (_, __, frame) => told.push(Buffer.from(frame).toString()),
    onDown: (link, reason) => told.push(`down ${link.peer.node} ${reason}`),
    onRefused: (error) => told.push(error.code),
  });
  return { transport, address, told, [Symbol.asyncDispose]: () => transport.stop() };
}

describe('MeshTransport between processes', () => {
  it('finds the link of a killed process reset, after every frame it had sent', async () => {
    await using node = await listen();
    using child = new Child(node.address, secret, 5_000);
    expect(await child.says()).toBe('sent');
    child.process.kill('SIGKILL');
    await vi.waitFor(() => expect(node.told.at(-1)).toBe('down child reset'), 10_000);
    const [link = '', ...rest] = node.told;
    expect(link).toMatch(/^link child at 127\.0\.0\.1:\d+$/);
    expect(rest).toStrictEqual([
      ...Array.from({ length: 5_000 }, (_, index) => `${index}`),
      'down child reset',
    ]);
    const address = link.slice('link child at '.length);
    await expect(node.transport.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  });

  it('keeps out a process with another secret', async () => {
    await using node = await listen();
    using child = new Child(node.address, Buffer.alloc(32, 8), 1);
    expect(await child.says()).toBe('AUTHENTICATION_FAILED');
    expect(node.told).toStrictEqual(['AUTHENTICATION_FAILED']);
  });
});

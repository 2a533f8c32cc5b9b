import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

import { eventually } from '../eventually.ts';
import { freePorts, startServer } from './server.ts';

const answers = async (port: number): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}`)).ok;

function webServer(port: number): { command: string; args: readonly string[] } {
  const code = `require('node:http').createServer((_, reply) => reply.end('yes')).listen(${port}, '127.0.0.1')`;
  return { command: process.execPath, args: ['-e', code] };
}

function isThere(osPid: number): boolean {
  try {
    return process.kill(osPid, 0);
  } catch {
    return false;
  }
}

describe('a server of a test', () => {
  it('answers when it has started, and is gone when it is disposed of', async () => {
    const [port = 0] = await freePorts(1);
    const server = await startServer({ ...webServer(port), isReady: () => answers(port) });
    expect(isThere(server.osPid)).toBe(true);
    await server[Symbol.asyncDispose]();
    expect(server.isRunning).toBe(false);
    expect(isThere(server.osPid)).toBe(false);
  });

  it('is told of with what it said when it ends at once', async () => {
    const starting = startServer({
      command: 'sh',
      args: ['-c', 'echo no such thing >&2; exit 3'],
      isReady: async () => false,
    });
    await expect(starting).rejects.toThrow('no such thing');
  });

  it('is killed with the program that started it, however that ends', async () => {
    const [port = 0] = await freePorts(1);
    const { command, args } = webServer(port);
    const code = `
      import { startServer } from ${JSON.stringify(new URL('server.ts', import.meta.url).href)};
      const isReady = async () => (await fetch('http://127.0.0.1:${port}')).ok;
      const server = await startServer({ command: ${JSON.stringify(command)}, args: ${JSON.stringify(args)}, isReady });
      console.log(server.osPid);
      process.kill(process.pid, 'SIGKILL');`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said]: Buffer[] = await once(program.stdout, 'data');
    const osPid = Number(String(said));
    expect(osPid).toBeGreaterThan(0);
    await eventually('the server is gone', () => !isThere(osPid));
  });
});

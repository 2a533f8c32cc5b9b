import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

import { expect, it } from 'vitest';

import { eventually } from '../eventually.ts';
import { startTcpProxy } from './tcp-proxy.ts';

it('keeps back what is sent, one way or both, lets it go on in order, and breaks connections', async () => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      heard.push(String(bytes));
      socket.write(`re:${String(bytes)}`);
    });
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await using proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const client = connect(proxy.port, '127.0.0.1').on('error', () => {});
  let answers = '';
  client.on('data', (bytes) => (answers += String(bytes)));
  client.write('1');
  await eventually('an answer', () => answers === 're:1');

  proxy.hold('to-client');
  client.write('2');
  await eventually('it was heard', () => heard.includes('2'));
  expect(answers).toBe('re:1');
  proxy.hold();
  client.write('3');
  proxy.release();
  await eventually('all is there', () => answers === 're:1re:2re:3');
  expect(heard).toEqual(['1', '2', '3']);

  const closed = once(client, 'close');
  proxy.cut();
  await closed;
  server.close();
});

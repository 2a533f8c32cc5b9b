import { eventually } from '@foundation/testing';
import { startNats, startTcpProxy, testAuthority } from '@foundation/testing/servers';
import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { isFoundationError } from '../errors.ts';
import { NatsClient } from './nats-client.ts';
import { NatsDatagrams } from './nats-datagrams.ts';
import { natsSettings, type NatsOptions } from './nats-options.ts';

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}

/** Opens a client and closes it again. */
async function outcomeOf(options: NatsOptions): Promise<string> {
  const client = new NatsClient(options);
  try {
    await client.open();
    await client.close();
    return 'connected';
  } catch (error) {
    return isFoundationError(error) ? error.code : String(error);
  }
}

describe('options of NATS', () => {
  it('name servers in a list or a text, with what URLs carry', () => {
    const servers =
      'nats://ann:se%40cret@one:1, tls://two ,three:3,nats://[::1]:5, nats://four:80/';
    expect(natsSettings({ servers }).servers).toEqual([
      { host: 'one', port: 1, isTls: false, user: 'ann', password: 'se@cret' },
      { host: 'two', port: 4222, isTls: true, user: undefined, password: undefined },
      { host: 'three', port: 3, isTls: false, user: undefined, password: undefined },
      { host: '::1', port: 5, isTls: false, user: undefined, password: undefined },
      { host: 'four', port: 80, isTls: false, user: undefined, password: undefined },
    ]);
  });

  it.each([
    [{ servers: '' }, 'servers'],
    [{ servers: [] }, 'servers'],
    [{ servers: 'http://host' }, 'servers'],
    [{ servers: 'nats://host/path' }, 'servers'],
    [{ servers: 'nats://ann:secret@' }, 'servers'],
    [{ servers: 'nats://ann:secret%zz@host' }, 'servers'],
    [{ servers: { url: 'nats://ann:secret@host', toString: 1 } }, 'servers'],
    [{ servers: 'nats://host', pingEveryMs: 0 }, 'pingEveryMs'],
    [{ servers: 'nats://host', plaintext: 'no' }, 'plaintext'],
    [{ servers: 'nats://host', user: 7 }, 'user'],
    [{ servers: 'nats://host', tls: { caFiles: '' } }, 'caFile'],
    [{ servers: 'nats://host', pasword: 'x' }, 'password'],
  ])('%j are refused', (options, name) => {
    const refusal = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(new RegExp(`^(?!.*secret).*${name}`)),
    });
    expect(() => natsSettings(Object(options))).toThrow(refusal);
  });
});

describe('NatsClient', () => {
  it('connects for the first of its users, and hangs up after the last', async () => {
    await using servers = await startNats({ jetstream: false });
    const client = new NatsClient({ servers: servers.urls });
    await Promise.all([client.open(), client.open()]);
    const { connection } = client;
    await client.close();
    expect(connection?.isClosed()).toBe(false);
    await client.close();
    expect(connection?.isClosed()).toBe(true);
    expect(client.connection).toBeUndefined();
    await client.open();
    expect(client.connection).toBeDefined();
    await client.close();
  });

  it('goes to another server when its own is frozen, and tells', async () => {
    await using servers = await startNats({ servers: 3, jetstream: false });
    const client = new NatsClient({
      servers: servers.urls,
      pingEveryMs: 100,
      connectTimeoutMs: 300,
    });
    const told: string[] = [];
    client.listen({
      onUp: () => told.push('up'),
      onDown: () => told.push('down'),
      onProblem: ({ code, message }) =>
        told.push(`${code} ${message.split(' ').slice(0, 2).join(' ')}`),
    });
    await client.open();
    const frozen = servers.members.find(({ url }) =>
      url.endsWith(client.connection?.getServer() ?? '?'),
    );
    frozen?.freeze();
    // More than the system takes for a server that reads nothing.
    for (let index = 0; index < 32; index++)
      client.connection?.publish('a', new Uint8Array(1_000_000));
    await eventually('it is connected again', () => told.length === 4);
    expect(told).toEqual(['up', 'down', 'NODE_UNREACHABLE the connection', 'up']);
    expect(frozen?.url).not.toContain(client.connection?.getServer());
    await client.close();
    frozen?.thaw();
  });

  it('gives up a server that takes connections and says nothing, and leaves none open', async () => {
    await using silent = await startNats({ jetstream: false });
    await using servers = await startNats({ jetstream: false });
    silent.members[0]?.freeze();
    const before = openSockets();
    const options = { servers: silent.urls, connectTimeoutMs: 100 };
    expect(await outcomeOf(options)).toBe('NODE_UNREACHABLE');
    const some = { ...options, servers: [...silent.urls, ...servers.urls] };
    expect(await outcomeOf(some)).toBe('connected');
    expect(openSockets()).toBe(before);
  });

  it('reports that it was cut off because it did not read', async () => {
    await using servers = await startNats({
      jetstream: false,
      config: 'max_pending: 8MB\nwrite_deadline: "200ms"',
    });
    await using proxy = await startTcpProxy(Number(new URL(servers.urls[0] ?? '').port));
    const slow = new NatsClient({ servers: `127.0.0.1:${proxy.port}`, pingEveryMs: 60_000 });
    const fast = new NatsClient({ servers: servers.urls });
    const problems: string[] = [];
    slow.listen({ onProblem: ({ hint }) => problems.push(hint ?? '') });
    await Promise.all([slow.open(), fast.open()]);
    slow.connection?.subscribe('flood', { callback: () => {} });
    await slow.connection?.flush();
    proxy.hold('to-client');
    const flood = setInterval(
      () => fast.connection?.publish('flood', new Uint8Array(1_000_000)),
      1,
    );
    const isCutOff = (): boolean => /slow consumer/i.test(servers.members[0]?.log ?? '');
    await eventually('the server has had enough', isCutOff);
    clearInterval(flood);
    proxy.release();
    await eventually('the slow one knows', () => problems.length > 0);
    expect(problems[0]).toContain('event loop');
    await slow.close();
    await fast.close();
  });

  it('carries datagrams between nodes by name', async () => {
    await using servers = await startNats({ jetstream: false });
    const heard: string[] = [];
    const nodes = await Promise.all(
      ['a', 'b'].map(async (node) => {
        const nats = new NatsClient({ servers: servers.urls });
        const datagrams = new NatsDatagrams({ nats, cluster: 'test', node });
        await datagrams.start((bytes) => heard.push(`${node}: ${Buffer.from(bytes).toString()}`));
        return datagrams;
      }),
    );
    // One that comes before the server knows of the other node is lost, as any datagram may be.
    await eventually('it is there', () => {
      expect(nodes[0]?.send('b', Buffer.from('ping'))).toBe(true);
      return heard.includes('b: ping');
    });
    await eventually('so is the answer', () => {
      nodes[1]?.send('a', Buffer.from('pong'));
      return heard.includes('a: pong');
    });
    await Promise.all(nodes.map((node) => node.stop()));
    expect(nodes[0]?.send('b', Buffer.from('late'))).toBe(false);
    expect(new Set(heard)).toEqual(new Set(['b: ping', 'a: pong']));
  });
});

describe('credentials of NATS', () => {
  it('are a user and a password, in the options or the URL', async () => {
    await using servers = await startNats({
      jetstream: false,
      config: 'authorization { user: ann, password: secret }',
    });
    const [url = ''] = servers.urls;
    expect(await outcomeOf({ servers: url, user: 'ann', password: 'secret' })).toBe('connected');
    expect(await outcomeOf({ servers: url.replace('//', '//ann:secret@') })).toBe('connected');
    expect(await outcomeOf({ servers: url, user: 'ann', password: 'wrong' })).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(await outcomeOf({ servers: url })).toBe('AUTHENTICATION_FAILED');
  });

  it('are an nkey, whose seed stays here', async () => {
    const user = nkeys.createUser();
    const other = nkeys.createUser();
    await using servers = await startNats({
      jetstream: false,
      config: `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
    });
    const outcomes = [user, other].map((each) =>
      outcomeOf({ servers: servers.urls, nkeySeed: Buffer.from(each.getSeed()).toString() }),
    );
    expect(await Promise.all(outcomes)).toEqual(['connected', 'AUTHENTICATION_FAILED']);
  });

  it('are in files that can be read', async () => {
    await using servers = await startNats({ jetstream: false });
    const options = { servers: servers.urls, credentialsFile: '/nowhere/node.creds' };
    await expect(new NatsClient(options).open()).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('/nowhere/node.creds'),
    });
  });

  it('are a certificate, where servers ask for one', async () => {
    using authority = await testAuthority();
    using strangers = await testAuthority();
    const [server, node] = [authority.issue(), authority.issue('node')];
    const tls = { certFile: server.certPath, keyFile: server.keyPath, caFile: authority.caPath };
    await using open = await startNats({ jetstream: false, tls });
    await using strict = await startNats({ jetstream: false, tls: { ...tls, verify: true } });
    const caFile = authority.caPath;
    const own = { certFile: node.certPath, keyFile: node.keyPath };
    expect(await outcomeOf({ servers: open.urls, tls: { caFile } })).toBe('connected');
    expect(await outcomeOf({ servers: open.urls, tls: { caFile: strangers.caPath } })).toBe(
      'AUTHENTICATION_FAILED',
    );
    expect(await outcomeOf({ servers: open.urls })).toBe('AUTHENTICATION_FAILED');
    expect(await outcomeOf({ servers: strict.urls, tls: { caFile, ...own } })).toBe('connected');
    expect(await outcomeOf({ servers: strict.urls, tls: { caFile } })).not.toBe('connected');
  });

  it('are not shown without TLS away from this machine, unless that is allowed', async () => {
    await using servers = await startNats({
      jetstream: false,
      config: 'authorization { user: ann, password: secret }',
    });
    const [url = ''] = servers.urls;
    // The same machine, by an address that does not say so.
    const away = {
      servers: url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
      user: 'ann',
      password: 'secret',
    };
    const refused = new NatsClient(away);
    await expect(refused.open()).rejects.toMatchObject({
      message: expect.stringContaining('offers no TLS'),
      hint: expect.stringContaining('plaintext'),
    });
    const allowed = new NatsClient({ ...away, plaintext: 'anywhere' });
    await allowed.open();
    expect(allowed.isExposed).toBe(true);
    await allowed.close();
  });
});

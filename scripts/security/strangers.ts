import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';

import { meshKinds } from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { secretKeys } from '../../packages/foundation/src/cluster/transports/mesh-secret.ts';
import { meshTls } from '../../packages/foundation/src/cluster/transports/mesh-tls.ts';
import { MeshTransport } from '../../packages/foundation/src/internal.ts';
import { encodeFrame } from '../../packages/foundation/src/wire/frame.ts';
import type { Area, Attempt } from './attempt.ts';
import { closed, cluster, meshArea, MeshTarget } from './mesh-target.ts';

const secret = new Uint8Array(randomBytes(32));
const keys = secretKeys([secret], cluster);

/** Those who do not have the secret. */
export async function strangers(): Promise<Area> {
  const target = await MeshTarget.start({ secret });
  const attempts = [...plaintext(target), ...downgrades(target), ...wrongKeys(target)];
  return meshArea(target, [...attempts, ...recordings(target), ...crowds(target)]);
}

function plaintext(target: MeshTarget): readonly Attempt[] {
  const threat = 'T1 plaintext and downgrade';
  const said: Readonly<Record<string, Buffer>> = {
    'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    'a WebSocket upgrade': Buffer.from('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n'),
    'HTTP/2 in the clear': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'an SSH banner': Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'),
    'a Redis command': Buffer.from('*1\r\n$4\r\nPING\r\n'),
    'a PROXY line': Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'),
    'a greeting in the clear': encodeFrame(meshKinds.hello, Buffer.from('{"identity":{}}')),
    'a frame in the clear': encodeFrame(1, Buffer.from('data')),
    'zero bytes': Buffer.alloc(64),
    'random bytes': Buffer.from('000000050901020304050607080910111213', 'hex'),
    'a broken ClientHello': Buffer.from('16030100050100000100', 'hex'),
    'an SSLv2 ClientHello': Buffer.from('802e010002001500000010010080', 'hex'),
    'a TLS alert': Buffer.from('15030300020228', 'hex'),
    'TLS application data': Buffer.from('1703030005aaaaaaaaaa', 'hex'),
    'a TLS record that is too long': Buffer.from('160301ffff0100', 'hex'),
  };
  const talking = Object.entries(said).map(
    ([name, bytes]) =>
      ({
        name: `plaintext: ${name}`,
        threat,
        expected: name === 'an SSLv2 ClientHello' ? 'AUTHENTICATION_FAILED' : 'MALFORMED',
        run: () => target.tcp('MALFORMED', (socket) => socket.write(bytes)),
      }) as const,
  );
  return [
    ...talking,
    {
      name: 'plaintext: nothing at all',
      threat: 'T8 exhaustion',
      expected: 'AUTHENTICATION_FAILED',
      run: () => target.tcp('AUTHENTICATION_FAILED', () => {}),
    },
    {
      name: 'plaintext: half of a ClientHello, one byte at a time',
      threat: 'T8 exhaustion',
      expected: 'AUTHENTICATION_FAILED',
      run: () =>
        target.tcp('AUTHENTICATION_FAILED', (socket) => {
          const bytes = Buffer.from('1603010200010001fc0303', 'hex');
          let at = 0;
          const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 20);
          socket.once('close', () => clearInterval(timer));
        }),
    },
  ];
}

/** Speaks TLS as told, and waits to be hung up on. */
function tls(target: MeshTarget, expected: string, options: ConnectionOptions) {
  return target.refusalOf(expected, async () => {
    const socket = connect({
      ...meshTls,
      port: target.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...options,
    });
    socket.on('error', () => {}).resume();
    await closed(socket);
  });
}

const psk = (key: Buffer, identity: string): ConnectionOptions => ({
  pskCallback: () => ({ psk: key, identity }),
});
const rightKey = psk(keys.psk, keys.pskIdentity);

function downgrades(target: MeshTarget): readonly Attempt[] {
  const threat = 'T1 plaintext and downgrade';
  const offers: readonly (readonly [name: string, expected: string, ConnectionOptions])[] = [
    ...(['TLSv1.2', 'TLSv1.1', 'TLSv1'] as const).map(
      (version) =>
        [
          `downgrade: ${version}, with the right key`,
          'PROTOCOL_VERSION',
          {
            ...rightKey,
            minVersion: version,
            maxVersion: version,
            ciphers: 'PSK:ECDHE-PSK:ALL:@SECLEVEL=0',
          },
        ] as const,
    ),
    [
      'downgrade: TLS 1.2 without a key',
      'PROTOCOL_VERSION',
      { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ALL' },
    ],
    [
      'cipher: ChaCha20 only',
      'AUTHENTICATION_FAILED',
      { ...rightKey, ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
    ],
    [
      'cipher: AES-256 only',
      'AUTHENTICATION_FAILED',
      { ...rightKey, ciphers: 'TLS_AES_256_GCM_SHA384' },
    ],
    ['key: none', 'AUTHENTICATION_FAILED', {}],
  ];
  return offers.map(([name, expected, options]) => ({
    name,
    threat,
    expected,
    run: () => tls(target, expected, options),
  }));
}

function wrongKeys(target: MeshTarget): readonly Attempt[] {
  const threat = 'T2 guessed or stolen secret';
  const expected = 'AUTHENTICATION_FAILED';
  const flipped = secret.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
  const derive = (info: string): Buffer =>
    Buffer.from(hkdfSync('sha256', Buffer.from(secret), 'foundation-mesh', info, 32));
  const [clusterId = '', keyId = ''] = keys.pskIdentity.split('.');
  const other = createHash('sha256').update('other').digest('base64url');
  const tries: Readonly<Record<string, readonly [key: Buffer, identity: string]>> = {
    'of zeros': [Buffer.alloc(32), keys.pskIdentity],
    'that is random': [randomBytes(32), keys.pskIdentity],
    'that is the secret itself': [Buffer.from(secret), keys.pskIdentity],
    'that is the key of proofs': [keys.proofKeys[0] ?? Buffer.alloc(32), keys.pskIdentity],
    'cut short': [keys.psk.subarray(0, 16), keys.pskIdentity],
    'of one bit': [Buffer.of(1), keys.pskIdentity],
    'of a secret with one bit flipped': [secretKeys([flipped], cluster).psk, keys.pskIdentity],
    'of another cluster, shown as of this one': [derive(`psk ${other}`), keys.pskIdentity],
    'shown as of another cluster': [keys.psk, `${other}.${keyId}`],
    'of an unknown secret': [keys.psk, `${clusterId}.AAAAAAAA`],
    'of nobody': [keys.psk, 'x'],
    'of a name with line ends': [keys.psk, `${keys.pskIdentity}\nadmin`],
    'of a path': [keys.psk, '../../etc/passwd'],
    'of a prototype': [keys.psk, '__proto__'],
    'of a very long name': [keys.psk, 'x'.repeat(250)],
    'of the cluster’s name in the clear': [keys.psk, cluster],
  };
  const dials: Readonly<Record<string, Uint8Array>> = {
    'another secret': new Uint8Array(randomBytes(32)),
    'the first half of the secret': secret.slice(0, 16),
    'the secret backwards': secret.toReversed(),
  };
  return [
    ...Object.entries(tries).map(
      ([name, [key, identity]]) =>
        ({
          name: `key: ${name}`,
          threat,
          expected,
          run: () => tls(target, expected, psk(key, identity)),
        }) as const,
    ),
    ...Object.entries(dials).map(
      ([name, given]) =>
        ({
          name: `a node with ${name}`,
          threat,
          expected,
          run: () => dialWith(given, target),
        }) as const,
    ),
  ];
}

async function dialWith(given: Uint8Array, target: MeshTarget): Promise<unknown> {
  await using transport = await nodeWith(given);
  return await transport.dial(target.address);
}

async function nodeWith(given: Uint8Array): Promise<MeshTransport & AsyncDisposable> {
  const transport = new MeshTransport({ secret: given });
  await transport.start(
    { cluster, node: 'intruder', incarnation: 1, meta: {} },
    {
      admit: () => undefined,
      onLink: () => {},
      onFrame: () => {},
      onDown: () => {},
      onRefused: () => {},
    },
  );
  return Object.assign(transport, { [Symbol.asyncDispose]: () => transport.stop(50) });
}

/** A good node's own bytes, recorded on their way and said again. */
function recordings(target: MeshTarget): readonly Attempt[] {
  const threat = 'T4 replay';
  const expected = 'AUTHENTICATION_FAILED';
  const replay = (change: (bytes: Buffer) => Buffer, code: string) => async () => {
    const recorded = await record(target);
    return target.tcp(code, (socket) => socket.write(change(recorded)));
  };
  return [
    {
      name: 'replay: all that a node has sent',
      threat,
      // The server's own random is new: what was encrypted with the old one cannot be read.
      expected: 'MALFORMED',
      run: replay((all) => all, 'MALFORMED'),
    },
    {
      name: 'replay: its ClientHello only',
      threat,
      expected,
      run: replay((all) => all.subarray(0, clientHelloBytes(all)), expected),
    },
    {
      name: 'replay: its ClientHello with another random',
      threat,
      expected,
      run: replay((all) => {
        const hello = Buffer.from(all.subarray(0, clientHelloBytes(all)));
        randomBytes(32).copy(hello, 11);
        return hello;
      }, expected),
    },
    {
      name: 'replay: what follows its ClientHello',
      threat,
      expected: 'MALFORMED',
      run: replay((all) => all.subarray(clientHelloBytes(all)), 'MALFORMED'),
    },
  ];
}

/** Its TLS record: five bytes of header, of which two are the length. */
function clientHelloBytes(recorded: Buffer): number {
  return 5 + recorded.readUInt16BE(3);
}

/** What a good node sends when it links with the target through somebody in the middle. */
async function record(target: MeshTarget): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const middle = createTcpServer((socket) => {
    const onward = connectTcp(target.port, '127.0.0.1');
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      onward.write(chunk);
    });
    onward.on('data', (chunk: Buffer) => socket.write(chunk));
    for (const each of [socket, onward]) {
      each.on('error', () => {});
      each.on('close', () => [socket, onward].forEach((other) => other.destroy()));
    }
  });
  await once(middle.listen(0, '127.0.0.1'), 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = middle.address() as AddressInfo;
  {
    await using transport = await nodeWith(secret);
    await transport.dial(`127.0.0.1:${port}`);
  }
  middle.close();
  // The link that this made is no damage.
  await target.forgetLinks('intruder');
  return Buffer.concat(chunks);
}

function crowds(target: MeshTarget): readonly Attempt[] {
  return [
    {
      name: 'a crowd of 200 that say nothing, while a node joins',
      threat: 'T8 exhaustion',
      expected: 'OVERLOADED',
      run: () =>
        target.refusalOf('OVERLOADED', async () => {
          const crowd = Array.from({ length: 200 }, () => connectTcp(target.port, '127.0.0.1'));
          for (const socket of crowd) socket.on('error', () => {}).resume();
          await Promise.all(crowd.map((socket) => once(socket, 'connect')));
          {
            await using transport = await nodeWith(secret);
            await transport.dial(target.address);
          }
          await target.forgetLinks('intruder');
          await Promise.all(crowd.map(closed));
        }),
    },
  ];
}

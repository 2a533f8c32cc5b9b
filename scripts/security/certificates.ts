import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import {
  connect,
  createServer,
  type ConnectionOptions,
  type Server as TlsServer,
  type TlsOptions,
} from 'node:tls';

import {
  issue,
  newAuthority,
  type KeyPair,
  type Wanted,
} from '../../packages/cli/src/certificate.ts';
import { certificateProofKey } from '../../packages/foundation/src/cluster/transports/mesh-certificates.ts';
import { meshKinds } from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { secretKeys } from '../../packages/foundation/src/cluster/transports/mesh-secret.ts';
import { meshTls } from '../../packages/foundation/src/cluster/transports/mesh-tls.ts';
import type { MeshCertificates } from '../../packages/foundation/src/internal.ts';
import type { Area, Attempt, Threat } from './attempt.ts';
import { closed, cluster, meshArea, MeshTarget } from './mesh-target.ts';
import { Rogue, type Claims } from './rogue.ts';

const day = { days: 1 };
const authority = newAuthority(cluster, day);
const sameName = newAuthority(cluster, day);
const past = { days: 1, from: new Date(Date.now() - 3 * 86_400_000) };
const future = { days: 1, from: new Date(Date.now() + 3 * 86_400_000) };

function pair(over: Partial<Wanted> = {}, by: KeyPair = authority): KeyPair {
  const names = [{ uri: `spiffe://${cluster}/n2` }];
  return issue(by, { subject: 'n2', names, ends: ['server', 'client'], lifetime: day, ...over });
}

const uri = (text: string): Partial<Wanted> => ({ names: [{ uri: text }] });

function given(node: string): MeshCertificates {
  return { ca: authority.cert, ...pair(uri(`spiffe://${cluster}/${node}`)) };
}

/** Certificates that do not count. */
const certs: Readonly<Record<string, KeyPair>> = {
  'of another authority': pair({}, sameName),
  'that has expired': pair({ lifetime: past }),
  'that is of the future': pair({ lifetime: future }),
  'that signs itself': newAuthority(cluster, day),
  'of the authority itself': authority,
  'that a node has signed': pair({}, pair()),
  'for listeners only': pair({ ends: ['server'] }),
  'without a name': pair({ names: [] }),
  'with a DNS name only': pair({ names: [{ dns: `spiffe://${cluster}/n2` }] }),
  'with two names': pair({
    names: [{ uri: `spiffe://${cluster}/n2` }, { uri: `spiffe://${cluster}/n3` }],
  }),
  'with a second name hidden in the first': pair({
    names: [{ dns: `x, URI:spiffe://${cluster}/n2, y` }],
  }),
  'of another scheme': pair(uri(`https://${cluster}/n2`)),
  'with a path': pair(uri(`spiffe://${cluster}/n2/admin`)),
  'with a path that goes up': pair(uri(`spiffe://${cluster}/x/../n2`)),
  'with a query': pair(uri(`spiffe://${cluster}/n2?x`)),
  'with a user': pair(uri(`spiffe://admin@${cluster}/n2`)),
  'with a port': pair(uri(`spiffe://${cluster}:1/n2`)),
  'with an encoded name': pair(uri(`spiffe://${cluster}/%6e2`)),
  'of nobody': pair(uri(`spiffe://${cluster}/`)),
  'of the cluster in capitals': pair(uri(`spiffe://${cluster.toUpperCase()}/n2`)),
  'with a line end': pair(uri(`spiffe://${cluster}/n2\n`)),
};

/** Those who have a certificate that does not count, or that is of somebody else. */
export async function certificates(): Promise<Area> {
  const target = await MeshTarget.start(
    { certificates: given('n1') },
    { certificates: given('good') },
  );
  return meshArea(target, [...shown(target), ...claimed(target), ...imposters(target)]);
}

/** Certificates that a dialler shows. */
function shown(target: MeshTarget): readonly Attempt[] {
  const threat = 'T3 spoofed identity';
  return [
    ...Object.entries(certs).map(([name, cert]) =>
      dialler(
        target,
        { name: `a certificate ${name}`, threat, expected: 'AUTHENTICATION_FAILED' },
        cert,
      ),
    ),
    dialler(
      target,
      { name: 'a certificate of another cluster', threat, expected: 'WRONG_CLUSTER' },
      pair(uri('spiffe://other/n2')),
    ),
    dialler(target, { name: 'no certificate', threat, expected: 'AUTHENTICATION_FAILED' }, {}),
    dialler(
      target,
      {
        name: 'a good certificate, over TLS 1.2',
        threat: 'T1 plaintext and downgrade',
        expected: 'PROTOCOL_VERSION',
      },
      { ...pair(), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ALL' },
    ),
    resumption(target, 'with a ticket, but no certificate', pair()),
    resumption(target, 'with the ticket of a certificate that does not count', pair({}, sameName)),
    {
      name: 'plaintext to a listener with certificates',
      threat: 'T1 plaintext and downgrade',
      expected: 'MALFORMED',
      run: () => target.tcp('MALFORMED', (socket) => socket.write('GET / HTTP/1.1\r\n\r\n')),
    },
    {
      name: 'a shared secret, where certificates count',
      threat,
      expected: 'AUTHENTICATION_FAILED',
      run: () => {
        const keys = secretKeys([new Uint8Array(32).fill(1)], cluster);
        const pskCallback = () => ({ psk: keys.psk, identity: keys.pskIdentity });
        return speak(target, 'AUTHENTICATION_FAILED', { pskCallback });
      },
    },
  ];
}

function dialler(
  target: MeshTarget,
  known: Pick<Attempt, 'name' | 'expected' | 'threat'>,
  options: ConnectionOptions,
): Attempt {
  return { ...known, run: () => speak(target, known.expected, options) };
}

/** Dials, and says something at once: it must not be heard. */
function speak(target: MeshTarget, expected: string, options: ConnectionOptions) {
  return target.refusalOf(expected, async () => {
    const socket = connect(dialOptions(target.port, options));
    socket.on('error', () => {}).resume();
    socket.once('secureConnect', () => socket.write(Buffer.from('0000000401deadbeef', 'hex')));
    await closed(socket);
  });
}

function dialOptions(port: number, options: ConnectionOptions): ConnectionOptions {
  return {
    ...meshTls,
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...options,
  };
}

/** Connects once with a certificate to get a ticket, then without one. */
function resumption(target: MeshTarget, how: string, cert: KeyPair): Attempt {
  const expected = 'AUTHENTICATION_FAILED';
  const run = async () => {
    const first = connect(dialOptions(target.port, cert));
    first.on('error', () => {}).resume();
    const tickets: Buffer[] = [];
    first.on('session', (ticket) => tickets.push(ticket));
    await closed(first);
    const [session] = tickets;
    return speak(target, expected, session === undefined ? {} : { session });
  };
  return { name: `a session resumed ${how}`, threat: 'T4 replay', expected, run };
}

/** Claims of one who has a good certificate, that of n2. */
function claimed(target: MeshTarget): readonly Attempt[] {
  const mine = pair();
  const say = async (act: (made: Rogue) => void | Promise<void>): Promise<void> => {
    const made = await Rogue.connect(target.port, certificateProofKey, {
      ...mine,
      rejectUnauthorized: false,
    });
    await act(made);
    await made.closed();
  };
  const claims: Readonly<Record<string, Claims>> = {
    'the name of the target': { identity: { node: 'n1' } },
    'the name of a living member': { identity: { node: 'good', incarnation: 2 } },
    'the name of nobody yet': { identity: { node: 'n3' } },
    'its own name in capitals': { identity: { node: 'N2' } },
    'another name, in another cluster': { identity: { node: 'n3', cluster: 'other' } },
  };
  const attempt = (
    known: Omit<Attempt, 'run'>,
    acting: (made: Rogue) => void | Promise<void>,
  ): Attempt => ({ ...known, run: () => target.refusalOf(known.expected, () => say(acting)) });
  return [
    ...Object.entries(claims).map(([name, said]) =>
      attempt(
        {
          name: `a good certificate that claims ${name}`,
          threat: 'T3 spoofed identity',
          expected: 'IDENTITY_MISMATCH',
        },
        (made) => made.greet(said),
      ),
    ),
    attempt(
      {
        name: 'a good certificate whose greeting is for another cluster',
        threat: 'T3 spoofed identity',
        expected: 'WRONG_CLUSTER',
      },
      (made) => made.greet({ identity: { node: 'n2', cluster: 'other' } }),
    ),
    attempt(
      {
        name: 'a good certificate with a greeting of another connection',
        threat: 'T4 replay',
        expected: 'AUTHENTICATION_FAILED',
      },
      async (made) => {
        const binding = Buffer.alloc(32, 1);
        made.greet({ identity: { node: 'n2' } }, { binding });
      },
    ),
  ];
}

const spoofed = 'T3 spoofed identity';
const ask: TlsOptions = { ...meshTls, requestCert: true, rejectUnauthorized: false };
const listeners: Readonly<Record<string, readonly [expected: string, threat: Threat, TlsOptions]>> =
  {
    'another authority’s certificate': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...ask, ...pair({}, sameName) },
    ],
    'a certificate that has expired': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...ask, ...pair({ lifetime: past }) },
    ],
    'a certificate for diallers only': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...ask, ...pair({ ends: ['client'] }) },
    ],
    'a certificate that signs itself': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...ask, ...newAuthority(cluster, day) },
    ],
    'a certificate of another cluster': [
      'WRONG_CLUSTER',
      spoofed,
      { ...ask, ...pair(uri('spiffe://other/n2')) },
    ],
    'a certificate without a name': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...ask, ...pair({ names: [] }) },
    ],
    'TLS 1.2 only': [
      'PROTOCOL_VERSION',
      'T1 plaintext and downgrade',
      { ...pair(), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ALL' },
    ],
    'a shared secret only': [
      'AUTHENTICATION_FAILED',
      spoofed,
      { ...meshTls, pskCallback: () => Buffer.alloc(32) },
    ],
  };

/** Takes no notice of errors. */
function quiet(server: TlsServer): TlsServer {
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  return server.on('tlsClientError', () => {});
}

/** Listeners that are not what they are taken for. */
function imposters(target: MeshTarget): readonly Attempt[] {
  const dial = (server: Server) => async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = server.address() as AddressInfo;
    try {
      return await target.transport.dial(`127.0.0.1:${port}`);
    } finally {
      server.close();
    }
  };
  return [
    ...Object.entries(listeners).map(([name, [expected, of, options]]) => ({
      name: `a listener with ${name}`,
      threat: of,
      expected,
      run: dial(quiet(createServer(options))),
    })),
    {
      name: 'a listener that speaks HTTP in the clear',
      threat: 'T1 plaintext and downgrade',
      expected: 'MALFORMED',
      run: dial(
        createTcpServer((socket) => {
          socket.on('error', () => {});
          socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        }),
      ),
    },
    imposter(target, 'the certificate of n2 that says it is the good peer', 'good'),
    imposter(target, 'the certificate of n2 that says it is nobody known', 'n9'),
  ];
}

/** A listener with a good certificate that welcomes under another name. */
function imposter(target: MeshTarget, how: string, node: string): Attempt {
  const run = async () => {
    const server = createServer(
      { ...meshTls, ...pair(), ca: authority.cert, requestCert: true },
      (socket) => {
        const made = Rogue.at(socket, certificateProofKey);
        made.say(meshKinds.welcome, made.hello({ identity: { node } }, { role: 'welcome' }));
      },
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = server.address() as AddressInfo;
    try {
      return await target.transport.dial(`127.0.0.1:${port}`);
    } finally {
      server.close();
    }
  };
  return {
    name: `a listener with ${how}`,
    threat: 'T3 spoofed identity',
    expected: 'IDENTITY_MISMATCH',
    run,
  };
}

import { randomBytes } from 'node:crypto';

import {
  decodeRefusal,
  meshKinds,
  protocolVersion,
} from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { secretKeys } from '../../packages/foundation/src/cluster/transports/mesh-secret.ts';
import { creditKind } from '../../packages/foundation/src/wire/credit.ts';
import { encodeFrame, partFlag } from '../../packages/foundation/src/wire/frame.ts';
import type { Area, Attempt, Threat } from './attempt.ts';
import { cluster, meshArea, MeshTarget } from './mesh-target.ts';
import { Rogue, type Claims } from './rogue.ts';

const secret = new Uint8Array(randomBytes(32));
const keys = secretKeys([secret], cluster);
const [proofKey = Buffer.alloc(32)] = keys.proofKeys;

/** Those who have the secret, and greet as no node does. */
export async function greetings(): Promise<Area> {
  const target = await MeshTarget.start({ secret });
  const attempts = [...replays(target), ...claims(target), ...frames(target)];
  return meshArea(target, attempts);
}

const connect = (target: MeshTarget): Promise<Rogue> =>
  Rogue.connect(target.port, proofKey, {
    pskCallback: () => ({ psk: keys.psk, identity: keys.pskIdentity }),
  });

/** What a rogue does on its connection until it is hung up on. */
function rogue(
  target: MeshTarget,
  given: Pick<Attempt, 'name' | 'expected' | 'threat'>,
  act: (rogue: Rogue) => void | Promise<void>,
): Attempt {
  const run = () =>
    target.refusalOf(given.expected, async () => {
      const made = await connect(target);
      await act(made);
      await made.closed();
    });
  return { ...given, run };
}

/** Greets and goes on at once, as one who is welcome: whoever was not refused would be linked. */
function hello(made: Rogue, payload: Buffer): void {
  made.say(meshKinds.hello, payload);
  made.say(meshKinds.ready);
}

function changed(payload: Buffer, at: number): Buffer {
  payload[at] = (payload[at] ?? 0) ^ 1;
  return payload;
}

function replays(target: MeshTarget): readonly Attempt[] {
  const threat = 'T4 replay';
  const expected = 'AUTHENTICATION_FAILED';
  return [
    rogue(
      target,
      { name: 'replay: a greeting of another connection', threat, expected },
      async (made) => {
        const other = await connect(target);
        hello(made, made.hello({}, { binding: other.proving.binding }));
        other.socket.destroy();
      },
    ),
    rogue(
      target,
      { name: 'replay: the target’s own welcome, as a greeting', threat, expected },
      async (made) => {
        const other = await connect(target);
        other.say(meshKinds.hello, other.hello());
        const welcome = await other.heard(meshKinds.welcome);
        other.socket.destroy();
        hello(made, welcome);
      },
    ),
    rogue(target, { name: 'replay: a welcome as a greeting', threat, expected }, (made) =>
      hello(made, made.hello({}, { role: 'welcome' })),
    ),
    rogue(target, { name: 'proof: of zeros', threat, expected }, (made) =>
      hello(made, made.hello().fill(0, 2, 34)),
    ),
    rogue(target, { name: 'proof: with another key', threat, expected }, (made) =>
      hello(made, made.hello({}, { proofKey: randomBytes(32) })),
    ),
    rogue(target, { name: 'proof: with the key of TLS', threat, expected }, (made) =>
      hello(made, made.hello({}, { proofKey: keys.psk })),
    ),
    rogue(target, { name: 'proof: of another connection’s bytes', threat, expected }, (made) =>
      hello(made, made.hello({}, { binding: randomBytes(32) })),
    ),
    rogue(target, { name: 'proof: one bit flipped', threat, expected }, (made) =>
      hello(made, changed(made.hello(), 2)),
    ),
    rogue(target, { name: 'proof: the greeting changed afterwards', threat, expected }, (made) =>
      hello(made, changed(made.hello(), 60)),
    ),
    rogue(target, { name: 'proof: missing', threat, expected }, (made) =>
      hello(made, made.hello().subarray(0, 2)),
    ),
    rogue(target, { name: 'a greeting said twice', threat, expected: 'MALFORMED' }, (made) => {
      const payload = made.hello();
      made.say(meshKinds.hello, payload);
      hello(made, payload);
    }),
  ];
}

function claims(target: MeshTarget): readonly Attempt[] {
  const spoofed: Readonly<Record<string, readonly [expected: string, claims: Claims]>> = {
    'the name of the target': ['NAME_TAKEN', { identity: { node: 'n1', incarnation: 2 } }],
    'another cluster': ['WRONG_CLUSTER', { identity: { cluster: 'other' } }],
  };
  const names = [
    '',
    '../n3',
    'n3/..',
    'n3\nadmin',
    '\u001b[2J',
    '__proto__',
    'n3 ',
    'n\u202e3',
    'ñ',
    '-n3',
  ];
  const malformed: Readonly<Record<string, Claims>> = {
    ...Object.fromEntries(
      names.map((node) => [`the name ${JSON.stringify(node)}`, { identity: { node } }]),
    ),
    'a name of 64 letters': { identity: { node: 'n'.repeat(64) } },
    'a name that is a list': { identity: { node: ['n3'] } },
    'a name that is a number': { identity: { node: 3 } },
    'a cluster with a path': { identity: { cluster: '../test' } },
    'a cluster in capitals': { identity: { cluster: 'TEST' } },
    'a negative life': { identity: { incarnation: -1 } },
    'a life past all numbers': { identity: { incarnation: 2 ** 53 } },
    'a life and a half': { identity: { incarnation: 1.5 } },
    'a life as a text': { identity: { incarnation: '1' } },
    'facts that are a list': { identity: { meta: [] } },
    'no facts': { identity: { meta: null } },
    'sessions that are none': { sessions: 'all' },
    'a session that is an object': { sessions: [{}] },
    'an address with a path': { address: 'n3:80/x' },
    'an address of a script': { address: 'javascript:alert(1)' },
    'an address without a port': { address: 'n3' },
    'port 0': { address: 'n3:0' },
    'port 65536': { address: 'n3:65536' },
    'an address with a line end': { address: 'n3:80\n' },
  };
  const bodies: Readonly<Record<string, unknown>> = {
    'a list': [],
    'a text': 'hello',
    null: null,
    'a number': 1,
    'an object without identity': {},
    'an identity that is a list': { identity: [] },
    'a prototype for an identity': JSON.parse('{"__proto__":{"identity":{}}}'),
    'levels upon levels': Array.from({ length: 500 }).reduce((inner) => [inner], 1),
  };
  const spoofing = Object.entries(spoofed).map(([name, [expected, given]]) =>
    greet(target, { name: `claims ${name}`, threat: 'T3 spoofed identity', expected }, given),
  );
  const odd = Object.entries(malformed).map(([name, given]) =>
    greet(
      target,
      { name: `claims ${name}`, threat: 'T7 malformed bytes', expected: 'MALFORMED' },
      given,
    ),
  );
  const shaped = Object.entries(bodies).map(([name, body]) =>
    rogue(
      target,
      { name: `greets with ${name}`, threat: 'T7 malformed bytes', expected: 'MALFORMED' },
      (made) => hello(made, made.greeting(body)),
    ),
  );
  return [...spoofing, itself(target), ...odd, ...shaped];
}

/** A node that dials its own address is not counted: only the rogue hears of it. */
function itself(target: MeshTarget): Attempt {
  const run = async () => {
    const made = await connect(target);
    made.say(meshKinds.hello, made.hello({ identity: { node: 'n1', incarnation: 1 } }));
    const { code } = decodeRefusal(await made.heard(meshKinds.refused), 'n1');
    await made.closed();
    return code;
  };
  const expected = 'DUPLICATE_LINK';
  return { name: 'claims to be the target itself', threat: 'T3 spoofed identity', expected, run };
}

function greet(
  target: MeshTarget,
  given: Pick<Attempt, 'name' | 'expected' | 'threat'>,
  said: Claims,
): Attempt {
  return rogue(target, given, (made) => hello(made, made.hello(said)));
}

/** A good greeting, but for its version. */
function versioned(made: Rogue, version: number): Buffer {
  const payload = made.hello();
  payload.writeUInt16BE(version);
  return payload;
}

/** The beginning of a frame. */
function header(bytes: number): Buffer {
  const announced = Buffer.alloc(5, meshKinds.hello);
  announced.writeUInt32BE(bytes);
  return announced;
}

const acts: readonly (readonly [string, string, Threat, (made: Rogue) => void])[] = [
  ...[0, protocolVersion - 1, protocolVersion + 1, 65_535].map(
    (number) =>
      [
        `version ${number} of the protocol`,
        'PROTOCOL_VERSION',
        'T1 plaintext and downgrade',
        (made: Rogue) => made.say(meshKinds.hello, versioned(made, number)),
      ] as const,
  ),
  ...[4_097, 16 * 2 ** 20, 2 ** 31, 2 ** 32 - 1].map(
    (bytes) =>
      [
        `a frame of a stranger that announces ${bytes} bytes`,
        'FRAME_TOO_LARGE',
        'T8 exhaustion',
        (made: Rogue) => void made.socket.write(header(bytes)),
      ] as const,
  ),
  ...[
    0,
    1,
    2,
    creditKind,
    partFlag,
    meshKinds.hello | partFlag,
    meshKinds.ready,
    meshKinds.bye,
    255,
  ].map(
    (kind) =>
      [
        `a frame of kind ${kind} in place of a greeting`,
        'MALFORMED',
        'T7 malformed bytes',
        (made: Rogue) => made.say(kind, Buffer.from('data')),
      ] as const,
  ),
  ['an empty greeting', 'MALFORMED', 'T7 malformed bytes', (made) => made.say(meshKinds.hello)],
  ['silence after TLS', 'AUTHENTICATION_FAILED', 'T8 exhaustion', () => {}],
  [
    'silence after the welcome',
    'AUTHENTICATION_FAILED',
    'T8 exhaustion',
    (made) => made.say(meshKinds.hello, made.hello()),
  ],
  [
    'a greeting one byte at a time',
    'AUTHENTICATION_FAILED',
    'T8 exhaustion',
    (made) => {
      const bytes = encodeFrame(meshKinds.hello, made.hello());
      let at = 0;
      const timer = setInterval(() => made.socket.write(bytes.subarray(at, ++at)), 20);
      made.socket.once('close', () => clearInterval(timer));
    },
  ],
  [
    'a refusal with an unknown code',
    'MALFORMED',
    'T7 malformed bytes',
    (made) => made.say(meshKinds.refused, Buffer.from('{"code":"__proto__","message":"x"}')),
  ],
  [
    'a refusal that is no JSON',
    'MALFORMED',
    'T7 malformed bytes',
    (made) => made.say(meshKinds.refused, Buffer.from('{')),
  ],
];

function frames(target: MeshTarget): readonly Attempt[] {
  return acts.map(([name, expected, threat, act]) =>
    rogue(target, { name, expected, threat }, act),
  );
}

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { meshKinds } from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { secretKeys } from '../../packages/foundation/src/cluster/transports/mesh-secret.ts';
import { creditKind } from '../../packages/foundation/src/wire/credit.ts';
import { encodeFrame, partBytesMax, partFlag } from '../../packages/foundation/src/wire/frame.ts';
import type { Area, Attempt, Threat } from './attempt.ts';
import { cluster, meshArea, MeshTarget } from './mesh-target.ts';
import { Rogue } from './rogue.ts';

const secret = new Uint8Array(randomBytes(32));
const keys = secretKeys([secret], cluster);
const [proofKey = Buffer.alloc(32)] = keys.proofKeys;
const frameBytesMax = 100_000;
const normal = 1;

/** Those who are linked, and break the protocol below the messages. */
export async function links(): Promise<Area> {
  const target = await MeshTarget.start({ secret, frameBytesMax }, { secret });
  return meshArea(
    target,
    acts.map((act) => linked(target, act)),
  );
}

type Act = readonly [
  name: string,
  expected: string,
  threat: Threat,
  act: (rogue: Rogue) => void | Promise<void>,
];

const malformed = 'MALFORMED';
const tooLarge = 'FRAME_TOO_LARGE';

const acts: readonly Act[] = [
  ...[4, 15, 21, 77, 127, 128, 255].map((kind): Act => [
    `a frame of unknown kind ${kind}`,
    malformed,
    'T7 malformed bytes',
    (rogue) => rogue.say(kind, Buffer.from('data')),
  ]),
  ...Object.entries({
    hello: meshKinds.hello,
    welcome: meshKinds.welcome,
    ready: meshKinds.ready,
  }).map(([name, kind]): Act => [
    `a ${name} once more`,
    malformed,
    'T4 replay',
    (rogue) => rogue.say(kind, rogue.hello()),
  ]),
  ...[partBytesMax + 1, frameBytesMax + 1, 2 ** 31, 2 ** 32 - 1].map((bytes): Act => [
    `a frame that announces ${bytes} bytes`,
    tooLarge,
    'T8 exhaustion',
    (rogue) => {
      const header = Buffer.alloc(5, normal);
      header.writeUInt32BE(bytes);
      rogue.socket.write(header);
    },
  ]),
  [
    'parts without end',
    tooLarge,
    'T8 exhaustion',
    (rogue) => {
      for (let count = 0; count < 10; count++)
        rogue.say(normal | partFlag, Buffer.alloc(partBytesMax));
    },
  ],
  [
    'a frame one byte at a time',
    malformed,
    'T8 exhaustion',
    (rogue) => {
      const bytes = encodeFrame(normal, Buffer.alloc(10_000));
      let at = 0;
      const timer = setInterval(() => rogue.socket.write(bytes.subarray(at, ++at)), 20);
      rogue.socket.once('close', () => clearInterval(timer));
    },
  ],
  [
    'a frame that stops in the middle',
    malformed,
    'T8 exhaustion',
    (rogue) => void rogue.socket.write(encodeFrame(normal, Buffer.alloc(1_000)).subarray(0, 500)),
  ],
  [
    'HTTP',
    tooLarge,
    'T7 malformed bytes',
    (rogue) => void rogue.socket.write('GET / HTTP/1.1\r\n'),
  ],
  ['gzip', tooLarge, 'T9 decompression', (rogue) => void rogue.socket.write(gzipSync('data'))],
  ['credit that is empty', malformed, 'T7 malformed bytes', (rogue) => rogue.say(creditKind)],
  [
    'credit that is too long',
    malformed,
    'T7 malformed bytes',
    (rogue) => rogue.say(creditKind, Buffer.alloc(6, 1)),
  ],
  [
    'credit for an unknown lane',
    malformed,
    'T7 malformed bytes',
    (rogue) => rogue.say(creditKind, Buffer.of(9, 0, 0, 0, 1)),
  ],
  [
    'a refusal that is no JSON',
    malformed,
    'T7 malformed bytes',
    (rogue) => rogue.say(meshKinds.refused, Buffer.from('\u001b[2J')),
  ],
  [
    'a refusal with the code __proto__',
    malformed,
    'T23 prototype pollution',
    (rogue) => rogue.say(meshKinds.refused, Buffer.from('{"code":"__proto__","message":"x"}')),
  ],
];

function linked(target: MeshTarget, [name, expected, threat, act]: Act): Attempt {
  const run = async (): Promise<string | undefined> => {
    const refusal = await target.refusalOf(expected, async () => {
      const rogue = await Rogue.connect(target.port, proofKey, {
        pskCallback: () => ({ psk: keys.psk, identity: keys.pskIdentity }),
      });
      await rogue.link();
      await act(rogue);
      await rogue.closed();
    });
    await target.forgetLinks('rogue');
    return refusal;
  };
  return { name: `over a link: ${name}`, threat, expected, run };
}

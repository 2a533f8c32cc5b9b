import {
  decodeHello,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
} from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { open, seal } from '../../packages/foundation/src/context/sealed-bytes.ts';
import { FoundationError } from '../../packages/foundation/src/errors.ts';
import { parsePacket } from '../../packages/foundation/src/messaging/packet.ts';
import { parseCredit, encodeCredit } from '../../packages/foundation/src/wire/credit.ts';
import { encodeFrame, FrameReader } from '../../packages/foundation/src/wire/frame.ts';
import { codec, encoded, pid, values } from './corpus.ts';
import type { Decoder } from './decoder.ts';

const hello = {
  identity: { cluster: 'test', node: 'n1', incarnation: 1, meta: { role: 'member' } },
  address: '10.0.0.1:7400',
  sessions: ['AAAAAAAAAAAAAAAA'],
};
const unproven = Buffer.alloc(32);

/** What comes over a link, before anybody is told. */
export const wire: readonly Decoder[] = [
  {
    name: 'frame',
    corpus: [1, 2, 16, 20].map((kind) => encodeFrame(kind, Buffer.alloc(40 * kind, kind))),
    read(bytes) {
      const reader = new FrameReader(1_000);
      let frames = 0;
      // As it may come in pieces.
      const middle = bytes.length >> 1;
      for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
        reader.push(piece, () => frames++);
      }
      return frames > 0;
    },
  },
  { name: 'codec', corpus: encoded(...values), read: (bytes) => codec.decode(bytes) !== null },
  {
    name: 'packet',
    corpus: encoded(
      [
        1,
        2,
        3,
        'add',
        [1],
        5_000,
        ['id', new Uint8Array(9), undefined, 100],
        [{ pid, turn: 1, who: 'x' }],
      ],
      [2, 1, 'add', [1]],
      [5, 1, pid, { kind: 'exit', from: pid, exit: { reason: 'killed' } }],
      [6, 0, 'cluster.view', []],
    ),
    read: (bytes) => parsePacket(codec.decode(bytes)) !== undefined,
  },
  {
    name: 'hello',
    corpus: [encodeHello(hello, () => unproven)],
    read: (bytes) => decodeHello(bytes, () => true).identity.node !== '',
  },
  {
    name: 'refusal',
    corpus: [
      encodeRefusal(
        new FoundationError('NAME_TAKEN', 'no', { hint: 'h', details: { node: 'n1' } }),
      ),
    ],
    read: (bytes) => decodeRefusal(bytes, 'n1').code !== 'MALFORMED',
  },
  {
    name: 'credit',
    corpus: [
      encodeCredit({ lane: 'normal', bytes: 1_000 }),
      encodeCredit({ lane: 'bulk', bytes: 1 }),
    ],
    read: (bytes) => parseCredit(bytes) !== undefined,
  },
  {
    name: 'context',
    corpus: [20, 1_200].map((length) => Buffer.from(seal(Buffer.alloc(length, 'ab'), 'x'))),
    read: (bytes) => open(bytes).length >= 0,
  },
];

import * as dnsPacket from 'dns-packet';

import { parseSliceEvent } from '../../packages/foundation/src/cluster/discoveries/endpoint-slices.ts';
import { mdnsCodec } from '../../packages/foundation/src/cluster/discoveries/mdns-packet.ts';
import { json, parsed } from './corpus.ts';
import type { Decoder } from './decoder.ts';

/** What tells where nodes may be. */
export const found: readonly Decoder[] = [
  {
    name: 'endpoint-slices',
    corpus: json({
      metadata: { name: 'web', resourceVersion: '7' },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
      ports: [{ name: 'mesh', port: 7_400 }],
      code: 410,
    }),
    read: (bytes) => {
      const kinds = ['ADDED', 'ERROR'].map((type) => parseSliceEvent(type, parsed(bytes)).kind);
      return kinds.some((kind) => kind !== 'none');
    },
  },
  mdns(),
];
function mdns(): Decoder {
  const reader = mdnsCodec(dnsPacket);
  const announced = {
    instance: 'abc',
    address: { host: '10.0.0.1', port: 7_400 },
    ttlSeconds: 120,
    atSeconds: 1,
    tag: 'x'.repeat(43),
  };
  return {
    name: 'mdns',
    corpus: [Buffer.from(reader.question()), Buffer.from(reader.announcement(announced))],
    read: (bytes) => reader.read(bytes) !== undefined,
  };
}

import {
  decodeSwim,
  encodeSwim,
} from '../../packages/foundation/src/cluster/detector/swim-packet.ts';
import { ProbeSeal } from '../../packages/foundation/src/cluster/transports/probe-seal.ts';
import type { Decoder } from './decoder.ts';

/** What comes in packets of the failure detector. */
export function probeDecoders(): readonly Decoder[] {
  return [
    { name: 'swim', corpus: probes, read: (bytes) => decodeSwim(bytes) !== undefined },
    sealedProbes(),
  ];
}

const sender = { node: 'n1', incarnation: 1_700_000_000_000 };
const rumour = { about: { node: 'n3', incarnation: 1 }, refutations: 1 };
const said = { serial: 1, refutations: 0, isStalled: false };
const probes: readonly Buffer[] = [
  encodeSwim({ ...said, kind: 'ping', about: sender, rumours: [] }),
  encodeSwim({
    ...said,
    kind: 'ack',
    about: sender,
    aboutRefutations: 1,
    rumours: [
      { kind: 'suspect', ...rumour, by: 'n4' },
      { kind: 'alive', ...rumour },
    ],
  }),
  encodeSwim({ ...said, kind: 'news', rumours: [{ kind: 'dead', ...rumour, by: 'n4' }] }),
];

/** Packets as they come in, and what a member may seal that lies about its numbers. */
function sealedProbes(): Decoder {
  let sequence = 0;
  const nextSequence = (): number => sequence;
  const receiver = new ProbeSeal({
    self: { ...sender, node: 'n2' },
    cluster: 'test',
    nextSequence,
  });
  const liar = new ProbeSeal({ self: sender, cluster: 'test', nextSequence });
  const key = receiver.keyFor(sender);
  return {
    name: 'probe-seal',
    corpus: probes.map((probe, index) => {
      sequence = index;
      return liar.seal(probe, key);
    }),
    read(bytes) {
      sequence = bytes.length < 6 ? 0 : bytes.readIntBE(0, 6);
      const sealed = bytes.subarray(0, 1_300);
      receiver.unseal(liar.seal(sealed, key));
      // Most are refused for their seal only, so that all before it was as it should be.
      return receiver.unseal(bytes) !== 'MALFORMED';
    },
  };
}

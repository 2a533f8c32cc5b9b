import { headers, type MsgHdrs } from '@nats-io/transport-node';

import { systemClock } from '../../packages/foundation/src/clock.ts';
import { protocolVersion } from '../../packages/foundation/src/cluster/transports/mesh-hello.ts';
import { prove } from '../../packages/foundation/src/cluster/transports/mesh-tls.ts';
import { parseDelivery } from '../../packages/foundation/src/nats/entry-feed.ts';
import { entryOf, entryHeaders } from '../../packages/foundation/src/nats/jet-stream-bucket.ts';
import { decodeKnock } from '../../packages/foundation/src/nats/knock.ts';
import { NatsSession } from '../../packages/foundation/src/nats/nats-session.ts';
import {
  agree,
  newKeyShare,
  type SessionKeys,
} from '../../packages/foundation/src/nats/session-keys.ts';
import { nameOf } from '../../packages/foundation/src/nats/subjects.ts';
import { decodeWord } from '../../packages/foundation/src/nats/word.ts';
import { json, texts, proofKey } from './corpus.ts';
import type { Decoder } from './decoder.ts';

/** What comes over NATS. */
export const nats: readonly Decoder[] = [
  natsSession(),
  {
    name: 'word',
    corpus: json({
      kind: 'here',
      node: 'n1',
      incarnation: 1,
      address: 'nats:test/n1/1',
      number: 1,
    }),
    read: (body) => {
      const subject = 's';
      const proof = prove(proofKey, Buffer.from(subject), { role: 'discovery', body });
      const word = Buffer.concat([proof, body]);
      return decodeWord(word, [proofKey], { subject, cluster: 'test' }) !== undefined;
    },
  },
  {
    name: 'knock',
    corpus: json({
      from: { cluster: 'test', node: 'n1', incarnation: 1 },
      session: 'A'.repeat(16),
      key: 'A'.repeat(43),
    }),
    read: (body) => {
      const proof = prove(proofKey, Buffer.from('door'), { role: 'knock', body });
      const version = Buffer.of(0, protocolVersion);
      return (
        decodeKnock(Buffer.concat([version, proof, body]), [proofKey], 'door').knock.key !== ''
      );
    },
  },
  {
    name: 'nats-entry',
    corpus: texts(
      `NATS/1.0\r\n${entryHeaders.operation}: a1\r\n${entryHeaders.over}: 7\r\n\r\nvalue`,
      `NATS/1.0\r\n${entryHeaders.operation}: a1\r\n${entryHeaders.deleted}: 1\r\n\r\n`,
      '$JS.ACK.stream.consumer.1.7.3.1700000000000000000.0',
      '=2Ek=24/a=C3=A9',
    ),
    read(bytes) {
      const text = bytes.toString('latin1');
      const entry = entryOf({ seq: 7, header: headersOf(text), data: bytes });
      const delivery = parseDelivery(text);
      return entry?.operation !== '' || delivery !== undefined || nameOf(text) !== text;
    },
  },
];

/** Headers in a text; those that the client would refuse never get to the store. */
function headersOf(text: string): MsgHdrs {
  const parsed = headers();
  for (const line of text.split('\r\n').slice(1)) {
    const at = line.indexOf(':');
    try {
      if (at > 0) parsed.append(line.slice(0, at), line.slice(at + 1));
    } catch {
      break;
    }
  }
  return parsed;
}

/** Messages as they come in, and what a member may seal that does not keep to the protocol. */
function natsSession(): Decoder {
  const shares = [newKeyShare(), newKeyShare()] as const;
  const agreement = { proofKey, transcript: Buffer.from('both') };
  const keys = (isDialler: boolean): SessionKeys => {
    const [own, other] = isDialler ? shares : [shares[1], shares[0]];
    return agree({ ...agreement, share: own, peerKey: other.publicKey, isDialler });
  };
  const receiving = keys(false);
  let taken = 0;
  const host = {
    clock: systemClock,
    lateMs: 10_000,
    messageBytesMax: 65_536,
    publish: () => {},
    onForged: () => {},
    onEnd: () => {},
  };
  const moment = Buffer.alloc(13);
  const sealing = keys(true);
  return {
    name: 'nats-session',
    corpus: [moment, Buffer.concat([moment, Buffer.from('hello')])],
    read(bytes) {
      const session = new NatsSession('n1', receiving, host);
      session.on('data', () => taken++);
      session.receive(bytes);
      session.receive(sealing.seal.seal(bytes, Buffer.alloc(0)));
      const isTaken = !session.destroyed;
      session.lose();
      return isTaken;
    },
  };
}

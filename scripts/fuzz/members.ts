import { parseContacts } from '../../packages/foundation/src/cluster/contact-message.ts';
import { parseReply, parseRequest } from '../../packages/foundation/src/mabeam/message.ts';
import { vickreyAuction } from '../../packages/foundation/src/mabeam/protocols/sealed-bid-auction.ts';
import {
  parseDelta,
  parseSharePart,
} from '../../packages/foundation/src/registry/registry-message.ts';
import { RegistryState } from '../../packages/foundation/src/registry/registry-state.ts';
import { codec, encoded, json, parsed } from './corpus.ts';
import type { Decoder } from './decoder.ts';

const registration = {
  serial: 1,
  process: 'p',
  name: 'n',
  capabilities: ['c'],
  groups: ['g'],
  metadata: { a: 1 },
  registeredAt: { wallMs: 1, count: 0 },
};
const singleton = { name: 's', process: 'p', init: { a: 1 }, listing: { capabilities: ['c'] } };
const share = {
  incarnation: 1,
  version: 1,
  part: 0,
  parts: 1,
  registrations: [registration],
  singletons: [singleton],
};
const delta = { incarnation: 1, version: 2, set: registration, setSingleton: singleton };

/** What members tell each other. */
export const members: readonly Decoder[] = [
  {
    name: 'contacts',
    corpus: encoded([{ node: 'n1', incarnation: 1, address: '10.0.0.1:80' }]),
    read: (bytes) => parseContacts(codec.decode(bytes)).length > 0,
  },
  {
    name: 'registry',
    corpus: encoded(share, delta),
    read(bytes) {
      const value = codec.decode(bytes);
      const state = new RegistryState();
      const part = parseSharePart(value);
      if (part !== undefined) state.replace('n1', part);
      const change = parseDelta(value);
      state.replace('n2', { ...share, version: 1 });
      if (change !== undefined) state.apply('n2', change);
      return part !== undefined || change !== undefined;
    },
  },
  {
    name: 'bids',
    corpus: json(
      {
        kind: 'mabeam.coordination.reply',
        v: 1,
        session: 's',
        round: 1,
        nonce: 'n',
        from: 'a',
        status: 'ok',
        body: { amount: '1' },
      },
      {
        kind: 'mabeam.coordination.request',
        v: 1,
        session: 's',
        protocol: 'p',
        protocolVersion: '1',
        type: 't',
        to: 'a',
        round: 1,
        seq: 1,
        epoch: 1,
        nonce: 'n',
        budgetMs: 1,
        idempotencyKey: 'k',
        body: {},
      },
    ),
    read(bytes) {
      const value = parsed(bytes);
      const reply = parseReply(value);
      const body = reply.ok && reply.value.status === 'ok' ? reply.value.body : value;
      return vickreyAuction.parseReply('get_bid', body).ok || parseRequest(value).ok;
    },
  },
];

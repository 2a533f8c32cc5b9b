import {
  Keyspace,
  parseToken,
  parseVersion,
  parseVoters,
  parseWritten,
} from '../../packages/foundation/src/cluster/stores/etcd-messages.ts';
import { decodeRecord, encodeRecord } from '../../packages/foundation/src/lease/lease-record.ts';
import {
  decodeVariable,
  encodeVariable,
} from '../../packages/foundation/src/values/variable-record.ts';
import { codec, json, parsed, values } from './corpus.ts';
import type { Decoder } from './decoder.ts';

/** What comes out of stores. */
export const stored: readonly Decoder[] = [
  {
    name: 'lease',
    corpus: [Buffer.from(encodeRecord({ holder: 'n1', nonce: 'x', ttlMs: 3_000 }))],
    read: (bytes) => decodeRecord('key', bytes).ttlMs > 0,
  },
  {
    name: 'variable',
    corpus: values.map((value) => {
      const record = { token: 1, schemaVersion: 1, stored: { value } };
      return Buffer.from(encodeVariable(codec, 'x', record));
    }),
    read: (bytes) => decodeVariable(codec, 'x', bytes).token >= 0,
  },
  {
    name: 'etcd',
    corpus: json(
      { header: { revision: '7', cluster_id: '1' }, succeeded: true },
      { members: [{ isLearner: true }, {}], token: 't', etcdserver: '3.5.1', etcdcluster: '3.5.0' },
      {
        header: { revision: '7' },
        kvs: [{ key: 'Zm91bmRhdGlvbi90ZXN0L2tleQ==', value: 'dmFsdWU=', mod_revision: '5' }],
      },
      {
        result: {
          header: { revision: '7' },
          events: [
            { type: 'DELETE', kv: { key: 'Zm91bmRhdGlvbi90ZXN0L2tleQ==', mod_revision: '5' } },
          ],
        },
      },
    ),
    read: (bytes) => isEtcd(parsed(bytes)),
  },
];

function isEtcd(body: unknown): boolean {
  for (const parse of [parseWritten, parseVoters, parseToken, parseVersion]) parse(body);
  const keyspace = new Keyspace('test');
  return keyspace.parseRange(body) !== undefined || keyspace.parseWatch(body) !== undefined;
}

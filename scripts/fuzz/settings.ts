import { parseAddress } from '../../packages/foundation/src/cluster/address.ts';
import { parseNodeUri } from '../../packages/foundation/src/cluster/names.ts';
import { parseSecrets } from '../../packages/foundation/src/cluster/secret.ts';
import {
  configure,
  environmentSource,
} from '../../packages/foundation/src/config/configuration.ts';
import { natsSettings } from '../../packages/foundation/src/nats/nats-options.ts';
import { parseNatsAddress } from '../../packages/foundation/src/nats/node-address.ts';
import { json, texts, parsed } from './corpus.ts';
import type { Decoder } from './decoder.ts';

/** What people write. */
export const settings: readonly Decoder[] = [
  {
    name: 'names',
    corpus: texts(
      '10.0.0.1:7400',
      '[2001:db8::7]:80',
      'n1.example:1',
      'spiffe://test/n1',
      'nats:test/n1/1',
    ),
    read(bytes) {
      const text = bytes.toString();
      const reads = [parseAddress(text), parseNodeUri(text), parseNatsAddress(text)];
      return reads.some((each) => each !== undefined);
    },
  },
  {
    name: 'secret',
    corpus: texts('A'.repeat(43), `${'B'.repeat(43)}\n${'C'.repeat(22)}\n`),
    read: (bytes) => parseSecrets(bytes.toString(), 'a test').length > 0,
  },
  {
    name: 'nats-servers',
    corpus: texts('nats://a%20b:c%3A@10.0.0.1:4222,tls://n2', '[::1]:4222,n1.example'),
    read: (bytes) => natsSettings({ servers: bytes.toString() }).servers.length > 0,
  },
  {
    name: 'environment',
    corpus: texts(
      'FOUNDATION_PROFILE=production\nFOUNDATION_CLUSTER=static\nFOUNDATION_CLUSTER_ADDRESSES=10.0.0.1:1,n2:2',
      'FOUNDATION_LISTEN_PORT=7400\nFOUNDATION_STORE=etcd\nFOUNDATION_LAG_MAX_MS=1e3\nNATS_URL=nats://n1:4222',
    ),
    read(bytes) {
      const lines = bytes.toString().split('\n');
      const pairs = lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]);
      return configure(environmentSource(Object.fromEntries(pairs))).size > 0;
    },
  },
  {
    name: 'settings',
    corpus: json(
      {
        name: 'n1',
        cluster: { kind: 'static', addresses: ['10.0.0.1:1'] },
        listen: { host: '::', port: 1 },
      },
      {
        profile: 'production',
        store: 'etcd',
        lagMaxMs: 100,
        voters: ['n1'],
        certificates: { ca: 'a', cert: 'b', key: 'c' },
      },
    ),
    read(bytes) {
      const given = parsed(bytes);
      if (typeof given !== 'object' || given === null) return false;
      return configure([{ origin: 'a test', values: { ...given } }]).size > 0;
    },
  },
];

import type { Setting } from './setting.ts';

const port = { kind: 'number', rule: { min: 0, max: 65_535, integer: true } } as const;
const text = { kind: 'text' } as const;
const list = { kind: 'list' } as const;

/** How the nodes of a cluster find each other. */
export const clusterKinds = [
  'auto',
  'local',
  'off',
  'static',
  'dns',
  'mdns',
  'kubernetes',
  'nats',
] as const;

/** Where a cluster keeps what it agrees on. */
export const storeKinds = ['sqlite', 'memory', 'etcd', 'jetstream', 'none'] as const;

/** Everything that can be set for a node, and written down as text. */
export const settings: readonly Setting[] = [
  {
    path: 'name',
    type: text,
    means: 'name of the node, unique in the cluster',
    otherwise: 'made of the process id',
  },
  {
    path: 'role',
    type: choice('member', 'observer'),
    means: 'whether it hosts processes',
    otherwise: 'member',
  },
  {
    path: 'profile',
    type: choice('development', 'test', 'production', 'enterprise'),
    means: 'what is the default of the others',
    otherwise: 'development, or production if NODE_ENV says so',
  },
  {
    path: 'clusterName',
    type: text,
    means: 'nodes of one cluster meet, others never do',
    otherwise: 'the name of the nearest package.json',
  },
  {
    path: 'directory',
    type: text,
    means: 'where clusters keep their files',
    otherwise: 'the user’s state directory',
    aliases: ['FOUNDATION_HOME'],
  },
  {
    path: 'lagMaxMs',
    type: { kind: 'number', rule: { above: 0, endless: true } },
    means: 'lateness of the event loop from which calls from outside are refused',
    otherwise: 'no limit',
  },
  { path: 'cluster.kind', type: choice(...clusterKinds), means: 'how nodes find each other' },
  { path: 'cluster.addresses', type: list, means: 'static: `host:port` of nodes' },
  { path: 'cluster.hostname', type: text, means: 'dns: the name to look up' },
  {
    path: 'cluster.record',
    type: choice('A', 'SRV'),
    means: 'dns: what to look up',
    otherwise: 'A and AAAA',
  },
  {
    path: 'cluster.port',
    type: port,
    means: 'dns, kubernetes: the port that nodes listen on',
    otherwise: 'listen.port',
  },
  {
    path: 'cluster.resolvers',
    type: list,
    means: 'dns: servers to ask, instead of the system’s',
    otherwise: 'the system’s',
  },
  {
    path: 'cluster.refreshMs',
    type: { kind: 'number', rule: { above: 0 } },
    means: 'dns, mdns, kubernetes: milliseconds between two looks',
    otherwise: '10000',
  },
  {
    path: 'cluster.interface',
    type: text,
    means: 'mdns: name of the network interface, such as `eth0`',
    otherwise: 'that of `listen.host`, or the only private one',
  },
  { path: 'cluster.service', type: text, means: 'kubernetes: the headless service of the nodes' },
  {
    path: 'cluster.namespace',
    type: text,
    means: 'kubernetes: the namespace of the service',
    otherwise: 'that of this pod',
  },
  {
    path: 'cluster.kubeconfig',
    type: text,
    means: 'kubernetes: path of a kubeconfig, outside of the cluster',
    otherwise: 'the credentials of the pod',
  },
  {
    path: 'store.kind',
    type: choice(...storeKinds),
    means: 'where the cluster agrees',
    otherwise: 'sqlite on one machine, jetstream on NATS, otherwise none',
  },
  { path: 'store.endpoints', type: list, means: 'etcd: addresses of members' },
  { path: 'store.username', type: text, means: 'etcd: the user' },
  { path: 'store.password', type: text, means: 'etcd: its password', isSecret: true },
  { path: 'store.ca', type: text, means: 'etcd: path of the authority’s certificate' },
  { path: 'store.cert', type: text, means: 'etcd: path of this client’s certificate' },
  { path: 'store.key', type: text, means: 'etcd: path of its key' },
  {
    path: 'store.replicas',
    type: { kind: 'number', rule: { min: 1, max: 5, integer: true } },
    means: 'jetstream: servers that keep a copy of each value',
    otherwise: '3',
  },
  {
    path: 'nats.servers',
    type: list,
    means: 'addresses of NATS servers',
    otherwise: 'nats://127.0.0.1:4222',
    aliases: ['NATS_URL'],
  },
  { path: 'nats.credentials', type: text, means: 'path of a `.creds` file, as `nsc` makes it' },
  { path: 'nats.user', type: text, means: 'the user' },
  { path: 'nats.password', type: text, means: 'its password', isSecret: true },
  { path: 'nats.token', type: text, means: 'the token', isSecret: true },
  { path: 'nats.nkeySeed', type: text, means: 'the seed of an nkey', isSecret: true },
  { path: 'nats.ca', type: text, means: 'path of the authority’s certificate' },
  { path: 'nats.cert', type: text, means: 'path of this client’s certificate' },
  { path: 'nats.key', type: text, means: 'path of its key' },
  {
    path: 'nats.plaintext',
    type: choice('loopback', 'anywhere'),
    means: 'where a connection without TLS is allowed',
    otherwise: 'loopback',
  },
  {
    path: 'listen.host',
    type: text,
    means: 'address to listen on',
    otherwise: '127.0.0.1 on one machine, otherwise every address',
  },
  {
    path: 'listen.port',
    type: port,
    means: 'port to listen on; 0 takes a free one',
    otherwise: 'a free one on one machine, otherwise 7400',
  },
  {
    path: 'listen.advertise',
    type: text,
    means: '`host` or `host:port` that others dial',
    otherwise: 'where it listens',
  },
  { path: 'secret', type: text, means: 'the cluster’s secret, as base64url', isSecret: true },
  {
    path: 'secretFile',
    type: text,
    means: 'path of a file with the secret',
    otherwise: '`secret` in the cluster’s directory',
  },
  { path: 'certificates.ca', type: text, means: 'path of the authority’s certificate' },
  { path: 'certificates.cert', type: text, means: 'path of this node’s certificate' },
  { path: 'certificates.key', type: text, means: 'path of its key' },
  {
    path: 'splitPolicy',
    type: choice('available', 'majority'),
    means: 'whether the smaller part of a split goes on',
  },
  {
    path: 'voters',
    type: list,
    means: 'names of the nodes whose majority counts',
    otherwise: 'those of the last stable view',
  },
];

function choice(...of: readonly string[]): Setting['type'] {
  return { kind: 'choice', of };
}

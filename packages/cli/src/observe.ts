import { existsSync } from 'node:fs';

import {
  FoundationError,
  startNode,
  systemClock,
  type ClusterView,
  type Node,
  type NodeOptions,
} from '@foundation/core';
import {
  locateHome,
  nodeSettings,
  type ClusterHome,
  networkPort,
  type NodeSettings,
  type SettingsFrom,
} from '@foundation/core/internal';

/** Longest time to look for nodes of this machine, and of others, in milliseconds. */
const waitDefaultMs = { local: 2_000, network: 5_000 };

/** Milliseconds without a new node after which all are taken to be linked. */
const quietMs = 300;

/** The cluster to look into. */
export interface Observed {
  /** On top of the file of settings and the environment, as a node of this application has them. */
  readonly options: NodeOptions;
  readonly from: SettingsFrom;
  /** Longest time to look for nodes, in milliseconds. @defaultValue 2000 on one machine, otherwise 5000 */
  readonly waitMs: number | undefined;
  /**
   * Whether what is looked for is in the store of the cluster, which then must be there, whether nodes run or not.
   *
   * @defaultValue false
   */
  readonly usesStore?: boolean;
}

/**
 * Joins a cluster by the configuration of its nodes, as an observer, which hosts nothing and is not counted; gives the
 * node to `look` when it is linked to the others, and leaves.
 *
 * @returns the name of the cluster, with what `look` returned.
 * @throws FoundationError `NODE_UNREACHABLE` when nobody is there, or what `startNode` throws.
 */
export async function observe<T>(
  { options, from, waitMs, usesStore = false }: Observed,
  look: (node: Node) => Promise<T>,
): Promise<T & { readonly cluster: string }> {
  const settings = await nodeSettings(options, from);
  const { clusterName, directory, cluster } = settings;
  const home = locateHome({
    cluster: clusterName,
    directory,
    env: from.environment,
    cwd: from.cwd,
  });
  if (cluster === 'off') throw alone();
  const isLocal = cluster === 'local';
  // Joining would make the cluster's files.
  if (isLocal && !existsSync(home.databasePath)) throw notRunning(settings, home);
  await using node = await startNode({
    ...options,
    ...ofObserver(settings),
    ...(usesStore ? {} : { store: 'none' }),
    clusterName: home.name,
  });
  if (!usesStore) {
    await settled(node.cluster, waitMs ?? waitDefaultMs[isLocal ? 'local' : 'network']);
    if (node.cluster.members().length === 0) throw notRunning(settings, home, node);
  }
  return { cluster: home.name, ...(await look(node)) };
}

/** What is not the same as of a node of the application, which may run beside it. */
function ofObserver(settings: NodeSettings): NodeOptions {
  const { values, name, random } = settings;
  const { host, advertise } = values.listen;
  const hasCertificates = values.certificates.cert !== undefined;
  if (hasCertificates && !name.startsWith('fnd')) throw needsOwnCertificate(name);
  return {
    name: hasCertificates ? name : `fnd-${process.pid}-${random.int(36 ** 4).toString(36)}`,
    role: 'observer',
    ...portOfOthers(settings),
    listen: {
      port: 0,
      ...(host === undefined ? {} : { host }),
      ...(advertise === undefined ? {} : { advertise: withoutPort(advertise) }),
    },
  };
}

/** The port of the nodes that a name in DNS stands for: that on which they listen, which is not this one's. */
function portOfOthers({ cluster, values }: NodeSettings): NodeOptions {
  const { hostname, port = values.listen.port ?? networkPort } = values.cluster;
  if (cluster !== 'dns' || hostname === undefined) return {};
  return { cluster: { kind: cluster, hostname, port } };
}

/** Two nodes of one name would drive each other out. */
function needsOwnCertificate(name: string): FoundationError {
  return new FoundationError(
    'INVALID_OPTION',
    `the certificate of ${name} is that of a node, which may be running`,
    {
      hint: 'Make one for looking on with `fnd cert new`, for a name that begins with `fnd`, and set `name` and `certificates` for this command (FOUNDATION_NAME, FOUNDATION_CERTIFICATES_CERT, …_KEY).',
      details: { name },
    },
  );
}

function withoutPort(address: string): string {
  return address.replace(/:\d+$/, '');
}

function alone(): FoundationError {
  return new FoundationError('INVALID_OPTION', 'a node of this application is alone', {
    hint: "Its `cluster` is 'off': there is no cluster to look into.",
  });
}

function notRunning(settings: NodeSettings, home: ClusterHome, node?: Node): FoundationError {
  const refused = Object.entries(node?.counters().refused ?? {});
  const reasons = refused.map(([code, count]) => `${count} × ${code}`).join(', ');
  return new FoundationError('NODE_UNREACHABLE', `no cluster "${home.name}" is running`, {
    hint: [
      `Looked ${placeOf(settings, home)}; \`--cluster\`, \`--directory\` and \`--file\` lead to another one.`,
      ...(reasons === '' ? [] : [`Refused were: ${reasons}.`]),
    ].join(' '),
    details: { cluster: settings.cluster, refused: node?.counters().refused ?? {} },
  });
}

/** Where nodes were looked for, in words. */
function placeOf({ cluster, values }: NodeSettings, { directory }: ClusterHome): string {
  const { addresses = [], hostname, service } = values.cluster;
  switch (cluster) {
    case 'local':
      return `in ${directory}`;
    case 'static':
      return `at ${addresses.join(', ')}`;
    case 'dns':
      return `at what DNS says of ${hostname}`;
    case 'kubernetes':
      return `at the endpoints of the service ${service}`;
    case 'mdns':
      return 'around by mDNS';
    case 'nats':
      return `on NATS at ${(values.nats.servers ?? ['nats://127.0.0.1:4222']).join(', ')}`;
    case 'off':
      return 'nowhere';
  }
}

/** Resolves when somebody is linked and nothing has changed for a while; at the latest after `waitMs`. */
async function settled(cluster: ClusterView, waitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const deadline = systemClock.after(waitMs, resolve);
  let quiet = systemClock.after(waitMs, resolve);
  const begin = (): void => {
    if (cluster.all().length === 1) return;
    quiet.cancel();
    quiet = systemClock.after(quietMs, resolve);
  };
  using _watch = cluster.onChange(begin);
  begin();
  await promise;
  deadline.cancel();
  quiet.cancel();
}

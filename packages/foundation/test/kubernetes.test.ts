import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { eventually, lookupConformance } from '@foundation/testing';
import {
  debianProgram,
  freePorts,
  startKubernetes,
  type KubernetesServer,
} from '@foundation/testing/servers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  KubernetesDiscovery,
  type KubernetesOptions,
} from '../src/cluster/discoveries/kubernetes.ts';
import type { DiscoveryHandlers, Hint } from '../src/cluster/discovery.ts';
import { MeshTransport } from '../src/cluster/transports/mesh.ts';
import { startNode, type FoundationError, type Node } from '../src/index.ts';

const service = 'nodes';

function discovery(
  server: KubernetesServer,
  options: Partial<KubernetesOptions> = {},
): KubernetesDiscovery {
  const { kubeconfig } = server;
  return new KubernetesDiscovery({
    service,
    kubeconfig,
    refreshMs: 300,
    timeoutMs: 1_200,
    ...options,
  });
}

/** The first use of the client takes long. */
beforeAll(async () => {
  await using server = await startKubernetes();
  const looking = discovery(server, { timeoutMs: 30_000 });
  await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, new Seen());
  await looking.stop();
});

lookupConformance('KubernetesDiscovery', async () => {
  const server = await startKubernetes();
  const host = (address: string): string => address.split(':')[0] ?? '';
  return {
    make: () => discovery(server),
    answer: async (addresses) => {
      server.trouble(undefined);
      server.put(service, { ready: addresses.map(host) });
    },
    fail: async () => server.trouble(503),
    hang: async () => server.trouble('hang'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

class Seen implements DiscoveryHandlers {
  readonly told: string[] = [];
  readonly errors: FoundationError[] = [];
  onPeers(hints: readonly Hint[]): void {
    this.told.push(hints.map(({ address }) => address).join(' '));
  }
  onError(error: unknown): void {
    this.errors.push(error as FoundationError);
  }
  get known(): string | undefined {
    return this.told.at(-1);
  }
}

/** A discovery that looks by itself only when it must. */
async function watching(
  options: Partial<KubernetesOptions>,
  test: (server: KubernetesServer, seen: Seen) => Promise<void>,
): Promise<void> {
  await using server = await startKubernetes();
  server.put(service, { ready: ['10.0.0.1'] });
  const seen = new Seen();
  const looking = discovery(server, { refreshMs: 60_000, ...options });
  await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
  try {
    await test(server, seen);
  } finally {
    await looking.stop();
  }
}

const isKnown = (seen: Seen, known: string): Promise<true> =>
  eventually(`${known} is known`, () => seen.known === known);
const isWatched = (server: KubernetesServer): Promise<true> =>
  eventually('there is a watch', () => server.watches === 1);

describe('KubernetesDiscovery', () => {
  it('lists once, and is told of changes from then on', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.put(service, { ready: ['10.0.0.1', 'fd00::2'] });
      await isKnown(seen, '10.0.0.1:7946 [fd00::2]:7946');
      server.put('others', { ready: ['10.9.9.9'] });
      server.put(service, { ready: ['10.0.0.3'] });
      await isKnown(seen, '10.0.0.3:7946');
      expect(server.requests).toEqual(['list', 'watch']);
      expect(seen.errors).toEqual([]);
    }));

  it('tells endpoints when they are ready', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.put(service, { ready: ['10.0.0.1', '10.0.0.3'], notReady: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.1:7946 10.0.0.3:7946');
      server.put(service, { ready: ['10.0.0.1', '10.0.0.2'] });
      await isKnown(seen, '10.0.0.1:7946 10.0.0.2:7946');
      expect(seen.told).toHaveLength(3);
    }));

  it('takes a port by its name, by its number, or the only one', async () => {
    await using server = await startKubernetes();
    server.put(service, { ready: ['10.0.0.1'], ports: { http: 80, cluster: 7946 } });
    const seenWith = async (options: Partial<KubernetesOptions>): Promise<Seen> => {
      const seen = new Seen();
      const looking = discovery(server, options);
      await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
      await looking.stop();
      return seen;
    };
    expect((await seenWith({ port: 'cluster' })).known).toBe('10.0.0.1:7946');
    expect((await seenWith({ port: 9 })).known).toBe('10.0.0.1:9');
    const { errors } = await seenWith({});
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'DISCOVERY_FAILED',
        message:
          'kubernetes: the service has no port of its own to take, but http (80), cluster (7946)',
        hint: expect.stringContaining('Give `port`'),
      }),
    ]);
    const [error] = (await seenWith({ port: 'udp' })).errors;
    expect(error?.message).toContain('no port udp, but http (80)');
  });

  it('takes up a stream that broke from where it was', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.dropWatches();
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
      expect(server.requests).toEqual(['list', 'watch', 'watch']);
      expect(seen.errors).toEqual([]);
    }));

  it('lists again when the server has forgotten where that was', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.put('others', { ready: ['10.9.9.9'] });
      server.expire();
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
      await isWatched(server);
      expect(server.requests).toEqual(['list', 'watch', 'watch', 'list', 'watch']);
      expect(seen.errors).toEqual([]);
    }));

  it('needs no list when a bookmark had told where it is', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.put('others', { ready: ['10.9.9.9'] });
      server.bookmark();
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
      server.put('others', { ready: ['10.9.9.8'] });
      server.bookmark();
      server.expire();
      server.put(service, { ready: ['10.0.0.3'] });
      await isKnown(seen, '10.0.0.3:7946');
      expect(server.requests).toEqual(['list', 'watch', 'watch']);
    }));

  it('keeps who is known when all are gone, and reports it', () =>
    watching({}, async (server, seen) => {
      await isWatched(server);
      server.put(service, { ready: [] });
      await eventually('it is reported', () => seen.errors.length > 0);
      expect(seen.told).toEqual(['10.0.0.1:7946']);
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
    }));

  it('gives up a request that is not answered', async () => {
    await using server = await startKubernetes();
    server.trouble('hang');
    const seen = new Seen();
    const looking = discovery(server, { refreshMs: 60_000 });
    await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
    expect(seen.errors[0]?.message).toBe('kubernetes: no answer within 1200 ms');
    expect(server.requests).toEqual(['list']);
    await eventually('the connection is closed', () => server.hanging === 0);
    await looking.stop();
  });

  it.each(['list', 'watch'] as const)(
    'says which right is missing when it must not %s',
    async (verb) => {
      await using server = await startKubernetes();
      server.put(service, { ready: ['10.0.0.1'] });
      server.trouble(403, [verb]);
      const seen = new Seen();
      const looking = discovery(server);
      await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
      await eventually('it is reported', () => seen.errors.length > 0);
      await looking.stop();
      expect(seen.errors[0]).toMatchObject({
        code: 'DISCOVERY_FAILED',
        message: `kubernetes: the API server did not ${verb} the endpoints of default/nodes: 403`,
        hint: expect.stringContaining('`get, list, watch endpointslices.discovery.k8s.io`'),
        details: { namespace: 'default', service: 'nodes', verb, status: 403 },
      });
    },
  );

  it('polls when it may list and not watch', () =>
    watching({ refreshMs: 200 }, async (server, seen) => {
      server.trouble(403, ['watch']);
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
      expect(seen.errors.at(-1)?.details['status']).toBe(403);
    }));

  it.each([
    [{ service: 'No' }, "`service` to be the name of a service, got: 'No'"],
    [{ namespace: 'a/b' }, '`namespace`'],
    [{ port: 0 }, '`port` to be a port, or the name of one, got: 0'],
    [{ port: 'a b' }, '`port`'],
    [{ kubeconfig: 7 }, '`kubeconfig` to be a path, got: 7'],
    [{ timeoutMs: 0 }, '`timeoutMs`'],
    [{ services: 'x' }, 'did you mean `service`?'],
  ])('refuses %j', (options, message) => {
    const given = { service, ...options } as KubernetesOptions;
    expect(() => new KubernetesDiscovery(given)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('brings nodes together that are behind one service', async () => {
    await using server = await startKubernetes();
    const secret = new Uint8Array(32).fill(7);
    const [port = 0] = await freePorts(1);
    const join = (node: string, host: string): Promise<Node> =>
      startNode({
        name: node,
        clusterName: 'kubernetes',
        ports: {
          transport: new MeshTransport({ secret, host, port }),
          discovery: discovery(server, { port }),
        },
      });
    server.put(service, { ready: ['127.0.0.2'] });
    await using one = await join('one', '127.0.0.2');
    await using two = await join('two', '127.0.0.3');
    server.put(service, { ready: ['127.0.0.2', '127.0.0.3'] });
    await eventually('both are up', () =>
      [one, two].every((node) => node.cluster.members().length === 2),
    );
  });
});

describe('the credentials of KubernetesDiscovery', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** The options of a pod of this server. */
  function inPod({ host, port, root }: KubernetesServer): Partial<KubernetesOptions> {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', host);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(port));
    return { root, refreshMs: 200 };
  }

  async function withPod(
    test: (server: KubernetesServer, seen: Seen) => Promise<void>,
  ): Promise<void> {
    await using server = await startKubernetes();
    server.put(service, { ready: ['10.0.0.1'] });
    const seen = new Seen();
    const looking = new KubernetesDiscovery({ service, ...inPod(server) });
    await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
    try {
      await isWatched(server);
      await test(server, seen);
    } finally {
      await looking.stop();
    }
  }

  it('are those of the pod, and its namespace is taken', () =>
    withPod(async (_, seen) => {
      expect(seen.known).toBe('10.0.0.1:7946');
    }));

  it('may change: the token is read anew', () =>
    withPod(async (server, seen) => {
      server.rotateToken(true);
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
      expect(seen.errors).toEqual([]);
    }));

  it('that are not taken are reported, until they are', () =>
    withPod(async (server, seen) => {
      server.rotateToken(false);
      await eventually('it is reported', () => seen.errors.length > 0);
      expect(seen.errors[0]).toMatchObject({
        message: 'kubernetes: the API server did not watch the endpoints of default/nodes: 401',
        hint: expect.stringContaining('does not take the token'),
      });
      server.rotateToken(true);
      server.put(service, { ready: ['10.0.0.2'] });
      await isKnown(seen, '10.0.0.2:7946');
    }));

  /** What is reported at the start. */
  async function errorOf(
    options: Partial<KubernetesOptions>,
  ): Promise<FoundationError | undefined> {
    const seen = new Seen();
    const looking = new KubernetesDiscovery({ service, ...options });
    await looking.start({ node: 'a', incarnation: 1, address: '10.0.0.1:1' }, seen);
    await looking.stop();
    return seen.errors[0];
  }

  it('are missing: says what to do', async () => {
    await using server = await startKubernetes();
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
    vi.stubEnv('KUBECONFIG', undefined);
    vi.stubEnv('HOME', server.root);
    expect(await errorOf({})).toMatchObject({
      message: 'kubernetes: found no service account and no kubeconfig',
      hint: expect.stringContaining('give `kubeconfig`'),
    });
  });

  it('are of a server that cannot be reached, or is another one', async () => {
    await using server = await startKubernetes();
    const options = inPod(server);
    const [nobody = 0] = await freePorts(1);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(nobody));
    expect((await errorOf(options))?.message).toContain('ECONNREFUSED');
    await using other = await startKubernetes();
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(other.port));
    expect((await errorOf(options))?.message).toMatch(/certificate/);
  });
});

describe("Debian's kubectl", () => {
  async function withKubectl(
    test: (
      server: KubernetesServer,
      ask: (args: readonly string[], input?: string) => Promise<string>,
    ) => Promise<void>,
  ): Promise<void> {
    await using server = await startKubernetes();
    const kubectl = await debianProgram({ package: 'kubernetes-client', path: 'usr/bin/kubectl' });
    await test(server, async (args, input = '') => {
      const global = ['--kubeconfig', server.kubeconfig, '--cache-dir', server.root];
      const running = promisify(execFile)(kubectl, [...global, ...args]);
      running.child.stdin?.end(input);
      return (await running).stdout;
    });
  }

  it('takes the server of the tests for one', () =>
    withKubectl(async (server, ask) => {
      server.put(service, { ready: ['10.0.0.1'], notReady: ['10.0.0.2'] });
      expect(await ask(['get', 'endpointslices'])).toContain('nodes-ipv4-0');
      const path = 'jsonpath={.items[*].endpoints[*].addresses[*]}';
      const label = `kubernetes.io/service-name=${service}`;
      const found = await ask(['get', 'endpointslices', '-l', label, '-o', path]);
      expect(found).toBe('10.0.0.1 10.0.0.2');
      server.rotateToken(false);
      await expect(ask(['get', 'endpointslices'])).rejects.toThrow('Unauthorized');
    }));

  it('watches as the discovery does', () =>
    withKubectl(async (server, ask) => {
      const limits = ['--watch', '--request-timeout=3s'];
      const watch = ask(['get', 'endpointslices', ...limits, '-o', 'name']);
      await isWatched(server);
      server.put(service, { ready: ['10.0.0.3'] });
      const told = await watch.catch((error: { stdout: string }) => error.stdout);
      expect(told).toContain('endpointslice.discovery.k8s.io/nodes-ipv4-0');
    }));

  it('takes the manifests of the guide', () =>
    withKubectl(async (_, ask) => {
      const guide = new URL('../../../docs/guide/clustering-strategies.md', import.meta.url);
      const [, manifests = ''] = /^```yaml\n(.*?)^```$/ms.exec(readFileSync(guide, 'utf8')) ?? [];
      const dry = ['create', '--dry-run=client', '--validate=false', '-o', 'name', '-f', '-'];
      expect((await ask(dry, manifests)).trim().split('\n')).toEqual([
        'serviceaccount/workers',
        'role.rbac.authorization.k8s.io/workers-discovery',
        'rolebinding.rbac.authorization.k8s.io/workers-discovery',
        'service/workers',
        'deployment.apps/workers',
      ]);
    }));
});

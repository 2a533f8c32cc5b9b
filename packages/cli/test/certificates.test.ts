import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { defineProcess, startNode, type FoundationError } from '@foundation/core';
import {
  MeshTransport,
  nodeUri,
  type Identity,
  type MeshCertificates,
  type MeshSettings,
  type Transport,
  type TransportHandlers,
} from '@foundation/core/internal';
import { eventually, transportConformance } from '@foundation/testing';
import { freePorts } from '@foundation/testing/servers';
import { describe, expect, it } from 'vitest';

import { issueCertificate, newAuthority, type KeyPair, type Lifetime } from '../src/certificate.ts';

const authority = newAuthority('test', { days: 1 });
const otherAuthority = newAuthority('test', { days: 1 });

interface Signing {
  readonly by: KeyPair;
  readonly lifetime: Lifetime;
}

function certificates(
  self: Pick<Identity, 'cluster' | 'node'>,
  { by = authority, lifetime = { days: 1 } }: Partial<Signing> = {},
): MeshCertificates {
  return { ca: by.cert, ...issueCertificate(by, nodeUri(self), lifetime) };
}

/** A mesh that gets the certificate of whichever node it starts as. */
class CertifiedMesh implements Transport {
  readonly name = 'mesh';
  #mesh: MeshTransport | undefined;

  get #started(): MeshTransport {
    if (this.#mesh === undefined) throw new Error('not started');
    return this.#mesh;
  }

  start(self: Identity, handlers: TransportHandlers): Promise<string> {
    this.#mesh = new MeshTransport({ certificates: certificates(self) });
    return this.#mesh.start(self, handlers);
  }
  dial(address: string) {
    return this.#started.dial(address);
  }
  probes() {
    return this.#started.probes();
  }
  async stop(graceMs?: number): Promise<void> {
    await this.#mesh?.stop(graceMs);
  }
  counters() {
    return this.#started.counters();
  }
}

transportConformance('MeshTransport with certificates', async () => ({
  join: () => new CertifiedMesh(),
  [Symbol.asyncDispose]: async () => {},
}));

interface Told extends AsyncDisposable {
  readonly transport: MeshTransport;
  readonly address: string;
  readonly told: string[];
  readonly refusals: FoundationError[];
}

async function start(
  node: string,
  given: MeshCertificates,
  settings: Partial<MeshSettings> = {},
): Promise<Told> {
  const transport = new MeshTransport({ certificates: given, ...settings });
  const told: string[] = [];
  const refusals: FoundationError[] = [];
  const address = await transport.start(
    { cluster: 'test', node, incarnation: 1, meta: {} },
    {
      admit: () => undefined,
      onLink: ({ peer }) => told.push(`link ${peer.node}`),
      onFrame: ({ peer }) => told.push(`frame ${peer.node}`),
      onDown: ({ peer }) => told.push(`down ${peer.node}`),
      onRefused: (error) => refusals.push(error),
    },
  );
  const stop = () => transport.stop();
  return { transport, address, told, refusals, [Symbol.asyncDispose]: stop };
}

const n1 = { cluster: 'test', node: 'n1' };
const n2 = { cluster: 'test', node: 'n2' };

describe('certificates of a node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foundation-certificates-'));
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((part) => join(folder, part)) as [
    string,
    string,
    string,
  ];

  function write(made: MeshCertificates): void {
    writeFileSync(key, made.key, { mode: 0o600 });
    writeFileSync(cert, made.cert);
    writeFileSync(ca, made.ca);
  }

  it('may be in files, and are read again when they are renewed', async () => {
    const soon = { days: 2 / 86_400, from: new Date() };
    write(certificates(n1, { lifetime: soon }));
    await using a = await start('n1', { ca, cert, key }, { renewEveryMs: 20 });
    await using b = await start('n2', certificates(n2));
    write(certificates(n1));
    // By now the first one has expired.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await b.transport.dial(a.address);
    await eventually('both are linked', () => a.told.includes('link n2'));
    expect([...a.refusals, ...b.refusals]).toEqual([]);
    await b.transport.stop();
    await using c = await start('n3', certificates({ cluster: 'test', node: 'n3' }));
    await a.transport.dial(c.address);
    expect(a.told).toContain('link n3');
  });

  it('stay as they are when what is in the files cannot be used, and the node says so once', async () => {
    write(certificates(n1));
    await using a = await start('n1', { ca, cert, key }, { renewEveryMs: 20 });
    writeFileSync(cert, 'nonsense');
    await eventually('it is told', () => a.refusals.length > 0);
    expect(a.refusals[0]).toMatchObject({ code: 'CERTIFICATE_INVALID' });
    await using b = await start('n2', certificates(n2));
    await b.transport.dial(a.address);
    expect(a.refusals).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  const good = certificates(n1);
  it.each<readonly [what: string, given: MeshCertificates, why: string]>([
    ['of another node', certificates(n2), 'names spiffe://test/n2, not spiffe://test/n1'],
    ['of another cluster', certificates({ ...n1, cluster: 'prod' }), 'names spiffe://prod/n1'],
    ['that have expired', certificates(n1, { lifetime: past() }), 'has expired'],
    ['with the key of another', { ...good, key: certificates(n1).key }, 'another certificate'],
    ['of another authority', { ...good, ca: otherAuthority.cert }, 'not signed by an authority'],
    ['without a certificate', { ...good, cert: good.key }, 'holds no certificate'],
    ['with a broken key', { ...good, key: good.key.slice(0, 90) }, 'no private key'],
    ['in files that are not there', { ca, cert, key }, 'cannot be read'],
  ])('are refused at start: %s', async (_what, given, why) => {
    const refusal = start('n1', given);
    await expect(refusal).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: expect.stringContaining(why),
    });
  });

  it('go with an authority that is changed, one node after the other', async () => {
    const both = { ca: `${authority.cert}${otherAuthority.cert}` };
    await using a = await start('n1', { ...certificates(n1), ...both });
    await using b = await start('n2', { ...certificates(n2, { by: otherAuthority }), ...both });
    await a.transport.dial(b.address);
    await eventually('both are linked', () => b.told.includes('link n1'));
  });
});

function past(): Lifetime {
  return { days: 1, from: new Date(Date.now() - 2 * 86_400_000) };
}

describe('nodes with certificates', () => {
  it('form a cluster that others can reach, and call each other', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'foundation-certified-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(directory, { recursive: true }));
    const ports = await freePorts(2);
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const [one, two] = await Promise.all(
      ['n1', 'n2'].map((name, index) =>
        startNode({
          name,
          config: false,
          clusterName: 'test',
          directory,
          profile: 'production',
          cluster: { kind: 'static', addresses },
          listen: { host: '0.0.0.0', port: ports[index] ?? 0, advertise: '127.0.0.1' },
          certificates: certificates({ cluster: 'test', node: name }),
          processes: [greeter],
        }),
      ),
    );
    if (one === undefined || two === undefined) throw new Error('both are there');
    stack.use(one);
    stack.use(two);
    await one.cluster.reached(2);
    await two.processes.start(greeter, { name: 'greeter' });
    await eventually('its name is known', () => one.registry.lookup('greeter'));
    expect(await one.ref(greeter, 'greeter').greet()).toBe('n2 greets');
    const members = one.cluster.members().map(({ node, address }) => `${node} ${address}`);
    expect(members).toEqual(addresses.map((address, index) => `n${index + 1} ${address}`));
  });
});

const greeter = defineProcess('greeter', {
  init: () => ({}),
  calls: { greet: ({ node }) => `${node.name} greets` },
});

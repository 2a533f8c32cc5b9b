import { describe, expect, it } from 'vitest';

import { configure, environmentSource } from './configuration.ts';
import { decideCluster, detectEnvironment, type Decision } from './environment.ts';

const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function decided(environment: Record<string, string>, files: readonly string[] = []): Decision {
  const surroundings = {
    environment,
    exists: (path: string) => files.includes(path),
    cpus: 2,
  };
  return decideCluster(detectEnvironment(surroundings, configure(environmentSource(environment))));
}

describe('cluster: auto', () => {
  it('stays on this machine when nothing points elsewhere', () => {
    expect(decided({})).toMatchObject({
      kind: 'local',
      because: expect.stringContaining('nothing points'),
    });
  });

  it.each([
    { kind: 'nats', environment: { NATS_URL: 'nats://n1' } },
    { kind: 'kubernetes', environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
    { kind: 'dns', environment: { FOUNDATION_CLUSTER_HOSTNAME: 'nodes.example' } },
    { kind: 'static', environment: { FOUNDATION_CLUSTER_ADDRESSES: 'a:1' } },
  ])('decides by evidence, and names it: $kind', ({ kind, environment }) => {
    const { kind: chosen, because } = decided(environment, [token]);
    expect(chosen).toBe(kind);
    expect(because).toContain(Object.keys(environment)[0]);
  });

  it('prefers what was set for it to where it seems to run', () => {
    const kubernetes = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
    expect(decided({ ...kubernetes, NATS_URL: 'nats://n1' }, [token]).kind).toBe('nats');
    expect(decided({ ...kubernetes, FOUNDATION_CLUSTER_ADDRESSES: 'a:1' }, [token]).kind).toBe(
      'kubernetes',
    );
  });

  it('does not take a variable alone for Kubernetes, and says what is missing', () => {
    const { kind, findings } = decided({ KUBERNETES_SERVICE_HOST: '10.0.0.1' });
    expect(kind).toBe('local');
    expect(findings.find(({ what }) => what === 'kubernetes')?.evidence).toContain('no /var/run');
  });

  it('says that it sees Consul and has no strategy for it', () => {
    const { kind, findings } = decided({ CONSUL_HTTP_ADDR: '127.0.0.1:8500' });
    expect(kind).toBe('local');
    expect(findings.find(({ what }) => what === 'consul')?.evidence).toContain('no strategy');
  });
});

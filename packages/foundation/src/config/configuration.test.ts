import { describe, expect, it } from 'vitest';

import {
  configure,
  environmentSource,
  settingValues,
  type Configuration,
} from './configuration.ts';
import { environmentName } from './setting.ts';
import { settings } from './settings.ts';

const program = (values: Record<string, unknown>) => ({ origin: 'startNode', values });

function shownIn(configuration: Configuration): Record<string, unknown> {
  const entries = [...configuration].map(([path, { value, origin }]) => [path, [value, origin]]);
  return Object.fromEntries(entries);
}

function problemsOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return Object(error).details.problems;
  }
  throw new Error('nothing was refused');
}

describe('a configuration', () => {
  it('has the defaults of its profile, and says so', () => {
    expect(shownIn(configure([]))).toEqual({
      'cluster.kind': ['local', 'profile development'],
      splitPolicy: ['available', 'profile development'],
    });
    const enterprise = configure([program({ profile: 'enterprise' })]);
    expect(shownIn(enterprise)).toMatchObject({
      'cluster.kind': ['auto', 'profile enterprise'],
      splitPolicy: ['majority', 'profile enterprise'],
    });
  });

  it('takes the last source that sets something, and says which', () => {
    const found = configure([
      { origin: 'foundation.config.ts', values: { name: 'a', listen: { port: 1, host: '::1' } } },
      ...environmentSource({ FOUNDATION_LISTEN_PORT: '2', FOUNDATION_ROLE: 'observer' }),
      program({ listen: { port: undefined }, cluster: 'dns' }),
    ]);
    expect(shownIn(found)).toMatchObject({
      name: ['a', 'foundation.config.ts'],
      'listen.host': ['::1', 'foundation.config.ts'],
      'listen.port': [2, 'FOUNDATION_LISTEN_PORT'],
      role: ['observer', 'FOUNDATION_ROLE'],
      'cluster.kind': ['dns', 'startNode'],
    });
    expect(settingValues(found).listen).toEqual({ host: '::1', port: 2 });
  });

  it('reads lists and numbers out of the environment, and other names for what has them', () => {
    const found = configure(
      environmentSource({
        FOUNDATION_CLUSTER: 'static',
        FOUNDATION_CLUSTER_ADDRESSES: 'a:1, b:2,',
        NATS_URL: 'nats://n1,nats://n2',
        FOUNDATION_HOME: '/var/lib/x',
        FOUNDATION_LAG_MAX_MS: '50',
        FOUNDATION_VOTERS: '',
      }),
    );
    expect(shownIn(found)).toMatchObject({
      'cluster.kind': ['static', 'FOUNDATION_CLUSTER'],
      'cluster.addresses': [['a:1', 'b:2'], 'FOUNDATION_CLUSTER_ADDRESSES'],
      'nats.servers': [['nats://n1', 'nats://n2'], 'NATS_URL'],
      directory: ['/var/lib/x', 'FOUNDATION_HOME'],
      lagMaxMs: [50, 'FOUNDATION_LAG_MAX_MS'],
    });
    expect(found.has('voters')).toBe(false);
  });

  it('names everything that is wrong at once, with what was meant, and where it stands', () => {
    const problems = problemsOf(() =>
      configure([
        { origin: 'foundation.config.ts', values: { lisen: { port: 1 }, role: 'boss' } },
        ...environmentSource({
          FOUNDATION_LISTEN_PORT: 'many',
          FOUNDATION_SPLITPOLICY: 'majority',
          FOUNDATION_QUUX: '1',
        }),
        program({ cluster: { kind: 'static', adresses: ['a:1'] }, voters: 'a' }),
      ]),
    );
    expect(problems).toEqual([
      'foundation.config.ts: unknown option `lisen`, did you mean `listen`?',
      "foundation.config.ts: expected `role` to be 'member' or 'observer', got: 'boss'",
      "FOUNDATION_LISTEN_PORT: expected `listen.port` to be a whole number of at least 0 and of at most 65535, got: 'many'",
      'environment: unknown option `FOUNDATION_SPLITPOLICY`, did you mean `FOUNDATION_SPLIT_POLICY`?',
      'environment: unknown option `FOUNDATION_QUUX`',
      'startNode: unknown option `cluster.adresses`, did you mean `cluster.addresses`?',
      "startNode: expected `voters` to be a list of texts, got: 'a'",
    ]);
  });

  it('leaves alone what Kubernetes tells of a service with this name, and what is empty', () => {
    const links = {
      FOUNDATION_PORT: 'tcp://10.0.0.1:7400',
      FOUNDATION_WEB_SERVICE_HOST: '10.0.0.1',
      FOUNDATION_SERVICE_PORT: '7400',
      FOUNDATION_SERVICE_PORT_MESH: '7400',
      FOUNDATION_PORT_7400_TCP_ADDR: '10.0.0.1',
      FOUNDATION_NOTHING: '',
      FOUNDATIONS: '1',
    };
    expect(environmentSource(links)).toEqual([]);
    expect(environmentSource({ FOUNDATION_PORT: '7400' })).toHaveLength(1);
  });

  it('shows no secret in a message', () => {
    const problems = problemsOf(() =>
      configure([program({ secret: 12_345, store: { kind: 'etcd', password: ['hunter2'] } })]),
    );
    expect(JSON.stringify(problems)).not.toMatch(/12345|hunter2/);
    expect(problems).toHaveLength(2);
  });

  it('shows what has no text, and nothing secret, in a list', () => {
    const odd = { origin: 'foundation.config.ts', values: { voters: [{ toString: 1 }] } };
    const address = {
      origin: 'NATS_URL',
      values: { nats: { servers: ['nats://a:hidden@n1', 7] } },
    };
    expect(problemsOf(() => configure([odd, address]))).toEqual([
      'foundation.config.ts: expected `voters` to be a list of texts, got: [ { toString: 1 } ]',
      "NATS_URL: expected `nats.servers` to be a list of texts, got: [ 'nats://[redacted]@n1', 7 ]",
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes no option from the prototype of objects: %s',
    (name) => {
      const values: unknown = JSON.parse(`{ "${name}": { "profile": "production" } }`);
      const problems = problemsOf(() => configure([program(Object(values))]));
      expect(problems).toEqual([`startNode: unknown option \`${name}\``]);
      const inner: unknown = JSON.parse(`{ "listen": { "${name}": 1 } }`);
      expect(problemsOf(() => configure([program(Object(inner))]))).toHaveLength(1);
      expect({}).not.toHaveProperty('profile');
    },
  );

  it('lets a program give what only a program can', () => {
    expect(configure([program({ processes: [] })], ['processes']).has('processes')).toBe(false);
  });
});

describe('the settings', () => {
  it('have one name each in the environment', () => {
    const names = settings.flatMap((each) => [environmentName(each), ...(each.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('FOUNDATION_CLUSTER');
    expect(names).toContain('FOUNDATION_LAG_MAX_MS');
  });
});

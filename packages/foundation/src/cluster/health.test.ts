import { describe, expect, it } from 'vitest';

import { assess, type HealthFacts, type LinkHealth, type MissingNode } from './health.ts';

const member = (node: string) =>
  ({
    node,
    incarnation: 1,
    address: `${node}:1`,
    status: 'up',
    link: 'up',
    isSilent: false,
    isStalled: false,
    role: 'member',
    osPid: 1,
    isSelf: node === 'a',
    isDraining: false,
  }) as const;

const link = (node: string): LinkHealth => ({
  node,
  roundTripMs: 1,
  queuedBytes: 0,
  probeMs: 1,
  isDetoured: false,
});

const missing: MissingNode = {
  address: 'd:1',
  node: undefined,
  wasSeen: false,
  isVoter: false,
  forMs: 61_000,
  reason: 'the connection was refused',
};

const fine: HealthFacts = {
  view: { nodes: ['a', 'b', 'c'].map(member), stableMs: 10_000, suspicions: [], selfDoubt: 0 },
  links: ['b', 'c'].map(link),
  store: {
    name: 'etcd',
    isAnswering: true,
    readMs: 1,
    error: undefined,
    promises: { scope: 'cluster', outlives: 'power-loss', voters: 3, leaseMs: 5_000, caveats: [] },
  },
  split: {
    policy: 'majority',
    hasQuorum: true,
    voters: ['a', 'b', 'c'],
    absent: [],
    isConfigured: true,
  },
  discovery: { name: 'static', error: undefined },
  missing: [],
  refused: {},
  isNetwork: true,
  transport: 'mesh',
};

describe('the health of a cluster', () => {
  it('is fine when nothing is the matter', () => {
    expect(assess(fine)).toMatchObject({ status: 'healthy', recommendations: [] });
  });

  it.each<readonly [string, Partial<HealthFacts>, string, RegExp]>([
    [
      'a lost quorum',
      { split: { ...fine.split, hasQuorum: false, absent: ['b', 'c'] } },
      'critical',
      /1 of 3 voters/,
    ],
    [
      'a silent store',
      { store: { ...fine.store, isAnswering: false, error: 'no leader' } },
      'critical',
      /etcd does not answer: no leader/,
    ],
    [
      'a suspicion',
      { view: { ...fine.view, suspicions: [{ node: 'b', forMs: 1_234.5 }] } },
      'degraded',
      /b has been suspected for 1235 ms/,
    ],
    [
      'a slow link',
      { links: [...fine.links, { ...link('d'), roundTripMs: 180 }] },
      'degraded',
      /answer of d takes 180 ms/,
    ],
    [
      'a link without an answer',
      { links: [{ ...link('b'), roundTripMs: undefined }] },
      'degraded',
      /answer of b takes more than 1000 ms/,
    ],
    [
      'a full queue',
      { links: [{ ...link('b'), queuedBytes: 3_000_000 }] },
      'degraded',
      /3000000 bytes wait for b/,
    ],
    [
      'probes that do not pass',
      { links: [{ ...link('b'), isDetoured: true }] },
      'degraded',
      /no probes pass between this node and b/,
    ],
    [
      'an event loop that stands still',
      { view: { ...fine.view, nodes: [{ ...member('b'), isStalled: true }] } },
      'degraded',
      /event loop of b stands still/,
    ],
    [
      'a node that doubts itself',
      { view: { ...fine.view, selfDoubt: 5 } },
      'degraded',
      /hears too little of the others/,
    ],
    [
      'strangers',
      { refused: { AUTHENTICATION_FAILED: 2, WRONG_CLUSTER: 1 } },
      'degraded',
      /^3 connections/,
    ],
    [
      'a discovery that fails',
      { discovery: { name: 'dns', error: 'SERVFAIL' } },
      'degraded',
      /dns fails: SERVFAIL/,
    ],
    [
      'a store of one machine in a network',
      {
        store: {
          ...fine.store,
          name: 'sqlite',
          promises: { ...fine.store.promises, scope: 'machine' },
        },
      },
      'degraded',
      /sqlite is for one machine/,
    ],
    [
      'a mesh that is too large',
      { view: { ...fine.view, nodes: Array.from({ length: 101 }, (_, i) => member(`n${i}`)) } },
      'degraded',
      /101 nodes keep a connection/,
    ],
    [
      'an address at which nobody was ever seen',
      { missing: [missing] },
      'degraded',
      /^a node at d:1 was never seen, for 61 s: the connection was refused$/,
    ],
    [
      'a written down node that is gone',
      { missing: [{ ...missing, node: 'd', wasSeen: true, isVoter: true }] },
      'degraded',
      /^d at d:1, a voter, has not been there for 61 s: /,
    ],
    [
      'a voter that was never seen',
      {
        missing: [{ ...missing, address: undefined, node: 'd', isVoter: true, reason: undefined }],
      },
      'degraded',
      /^the voter d was never seen, for 61 s$/,
    ],
    [
      'voters that nobody has named',
      { split: { ...fine.split, isConfigured: false } },
      'healthy',
      /last stable view/,
    ],
    [
      'an even number of voters',
      { split: { ...fine.split, voters: ['a', 'b', 'c', 'd'] } },
      'healthy',
      /4 voters can lose no more than 3/,
    ],
    [
      'a caveat of the store',
      {
        store: { ...fine.store, promises: { ...fine.store.promises, caveats: ['no TLS'] } },
      },
      'healthy',
      /etcd: no TLS/,
    ],
  ])('tells of %s', (...[, facts, status, what]) => {
    const health = assess({ ...fine, ...facts });
    expect(health.status).toBe(status);
    expect(health.recommendations).toHaveLength(1);
    expect(health.recommendations[0]?.what).toMatch(what);
    expect(health.recommendations[0]?.fix).not.toBe('');
  });

  it('tells the most urgent first', () => {
    const { recommendations } = assess({
      ...fine,
      refused: { AUTHENTICATION_FAILED: 1 },
      split: { ...fine.split, hasQuorum: false, absent: ['b', 'c'], isConfigured: false },
    });
    expect(recommendations.map(({ severity }) => severity)).toEqual([
      'critical',
      'warning',
      'note',
    ]);
  });

  it('names ten of those who are missing, and counts the others', () => {
    const { recommendations } = assess({
      ...fine,
      missing: Array.from({ length: 12 }, () => missing),
    });
    expect(recommendations).toHaveLength(11);
    expect(recommendations.at(-1)?.what).toMatch(/^2 more/);
  });

  it('asks for nothing in a cluster that is available, whoever is missing', () => {
    const split = { ...fine.split, policy: 'available', hasQuorum: false, absent: ['b'] } as const;
    expect(assess({ ...fine, split }).status).toBe('healthy');
  });
});

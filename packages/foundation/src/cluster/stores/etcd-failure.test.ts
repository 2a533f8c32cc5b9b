import { describe, expect, it } from 'vitest';

import { failureOf } from './etcd-failure.ts';

describe('what etcd says when it does not do something', () => {
  it.each([
    ['etcdserver: no leader', 'NO_QUORUM', 'not-executed'],
    ['etcdserver: request timed out', 'NO_QUORUM', 'unknown'],
    [
      'etcdserver: request timed out, possibly due to previous leader failure',
      'NO_QUORUM',
      'unknown',
    ],
    ['etcdserver: leader changed', 'NO_QUORUM', 'unknown'],
    ['etcdserver: too many requests', 'STORE_UNAVAILABLE', 'not-executed'],
    ['raft proposal dropped', 'STORE_UNAVAILABLE', 'not-executed'],
    ['etcdserver: rpc not supported for learner', 'STORE_UNAVAILABLE', 'not-executed'],
    ['etcdserver: server stopped', 'STORE_UNAVAILABLE', 'unknown'],
    ['context deadline exceeded', 'STORE_UNAVAILABLE', 'unknown'],
    ['etcdserver: invalid auth token', 'AUTHENTICATION_FAILED', 'not-executed'],
    ['something of a later version', 'STORE_UNAVAILABLE', 'unknown'],
  ])('%s: %s, %s, and another server may do it', (words, code, outcome) => {
    const failure = failureOf({ kind: 'refusal', status: 503, words });
    expect(failure).toMatchObject({ code, outcome, isPassing: true, reason: words });
  });

  it.each([
    ['etcdserver: permission denied', 'AUTHENTICATION_FAILED', 'not-executed'],
    [
      'etcdserver: authentication failed, invalid user ID or password',
      'AUTHENTICATION_FAILED',
      'not-executed',
    ],
    ['etcdserver: request is too large', 'FRAME_TOO_LARGE', 'not-executed'],
    // It is also said of the write that filled the database, which was carried out.
    ['etcdserver: mvcc: database space exceeded', 'STORE_UNAVAILABLE', 'unknown'],
  ])('%s: %s, %s, and no other server is asked', (words, code, outcome) => {
    const failure = failureOf({ kind: 'refusal', status: 400, words });
    expect(failure).toMatchObject({ code, outcome, isPassing: false, hint: expect.any(String) });
  });

  it('says nothing about a request that may have arrived, and all about one that did not', () => {
    const silence = { kind: 'silence', reason: 'ECONNRESET' } as const;
    expect(failureOf({ ...silence, isSent: true }).outcome).toBe('unknown');
    expect(failureOf({ ...silence, isSent: false }).outcome).toBe('not-executed');
  });
});

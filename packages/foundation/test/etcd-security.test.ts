import {
  startEtcd,
  testAuthority,
  type EtcdServers,
  type TestAuthority,
} from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { EtcdTls } from '../src/cluster/stores/etcd-options.ts';
import { bytes, started, Watched, write } from './etcd-stores.ts';

let authority: TestAuthority;
let etcd: EtcdServers;
let tls: EtcdTls;
const user = { name: 'foundation', password: 'correct horse', prefix: 'mine/' };
const login = { username: user.name, password: user.password, namespace: user.prefix };

beforeAll(async () => {
  authority = await testAuthority();
  etcd = await startEtcd({ authority, user });
  tls = pemOf();
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  authority[Symbol.dispose]();
});

function pemOf(commonName?: string, from = authority): Required<EtcdTls> {
  const { cert, key } = from.issue(commonName);
  return { ca: authority.ca, cert, key };
}

const refused = { code: 'AUTHENTICATION_FAILED', outcome: 'not-executed', retryable: false };

describe('an etcd with users and certificates', () => {
  it('lets in who has both, and has nothing to warn of but that it is alone', async () => {
    await using store = await started({ endpoints: etcd.endpoints, tls, ...login });
    const version = await store.compareAndSet('key', 0, bytes('secret'));
    expect(await store.get('key')).toEqual({ version, value: bytes('secret') });
    expect(await store.list('')).toEqual(['key']);
    expect(store.promises.caveats).toEqual([
      'one etcd server: while it is down, nothing can be agreed',
    ]);
  });

  it('refuses a wrong password, nobody, and keys of somebody else', async () => {
    const { endpoints } = etcd;
    const wrong = started({ endpoints, tls, ...login, password: 'wrong horse' });
    await expect(wrong).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('authentication failed'),
    });
    await expect(wrong).rejects.not.toThrow('horse');
    const nobody = started({ endpoints, tls, namespace: user.prefix });
    await expect(nobody).rejects.toMatchObject({
      ...refused,
      hint: expect.stringContaining('Give the `username`'),
    });
    const stranger = started({ endpoints, tls, ...login, namespace: 'yours/' });
    await expect(stranger).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('permission denied'),
    });
  });

  it('refuses who has no certificate, one of others, or one that names a user', async () => {
    const { endpoints } = etcd;
    const unavailable = { code: 'STORE_UNAVAILABLE', outcome: 'not-executed' };
    const timeoutMs = 500;
    const { ca } = authority;
    const without = started({ endpoints, tls: { ca }, ...login, timeoutMs });
    await expect(without).rejects.toMatchObject(unavailable);
    using stranger = await testAuthority();
    const foreign = started({ endpoints, tls: pemOf(undefined, stranger), ...login, timeoutMs });
    await expect(foreign).rejects.toMatchObject(unavailable);
    await expect(started({ endpoints, tls: pemOf('root'), ...login })).rejects.toMatchObject({
      ...refused,
      hint: expect.stringContaining('without a common name'),
    });
  });

  it('is not trusted when its certificate is signed by somebody else', async () => {
    using stranger = await testAuthority();
    const { endpoints } = etcd;
    const fooled = started({
      endpoints,
      tls: { ...tls, ca: stranger.ca },
      ...login,
      timeoutMs: 500,
    });
    await expect(fooled).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/signature|certificate/),
    });
  });

  it('gets the password again when it has forgotten who this is', async () => {
    const { endpoints } = etcd;
    await using store = await started({ endpoints, tls, ...login });
    await using watching = await started({ endpoints, tls, ...login });
    const watched = new Watched();
    using _watch = await watching.watch('w/', watched);
    await write(store, 'before', 'me');
    // Tokens are kept in memory. (After a kill etcd gives out again those since its last write to the disk.)
    await etcd.members[0]?.stop();
    await etcd.members[0]?.restart();
    await Promise.all(['w/a', 'w/b'].map((key) => write(store, key, 'still me')));
    expect(await store.list('w/')).toEqual(['w/a', 'w/b']);
    await watched.until({ 'w/a': 'still me', 'w/b': 'still me' });
  });
});

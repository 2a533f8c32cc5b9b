import { describe, expect, it } from 'vitest';

import { etcdSettings, type EtcdOptions } from './etcd-options.ts';

const endpoints = ['http://127.0.0.1:2379'];
const pem = '-----BEGIN CERTIFICATE-----\n';

describe('options of an etcd store', () => {
  it('have defaults', () => {
    expect(etcdSettings({ endpoints })).toMatchObject({
      namespace: 'foundation/',
      tls: {},
      login: undefined,
      timeoutMs: 4_000,
    });
  });

  it.each<[object, string]>([
    [{ endpoints: [] }, 'a list of at least one URL'],
    [{ endpoints: ['10.0.0.1:2379'] }, "'10.0.0.1:2379'"],
    [{ endpoints: ['ftp://10.0.0.1'] }, 'ftp://10.0.0.1'],
    [{ endpoints: ['http://10.0.0.1:2379/v3'] }, 'http://10.0.0.1:2379/v3'],
    [{ endpoints, namespace: '' }, '`namespace`'],
    [{ endpoints, timeoutMs: 0 }, '`timeoutMs`'],
    [{ endpoints, timeoutMs: Infinity }, '`timeoutMs`'],
    [{ endpoints, username: 'a' }, '`password`'],
    [{ endpoints, password: 'secret' }, '`username`'],
    [{ endpoints, tls: { ca: pem } }, 'no endpoint is `https`'],
    [{ endpoints: ['https://a:2379'], tls: { ca: '/etc/ca.pem' } }, 'in PEM, not a path'],
    [{ endpoints: ['https://a:2379'], tls: { cert: pem } }, '`cert` and `key`'],
    [{ endpoints, endpoint: 'x' }, 'did you mean `endpoints`'],
    [{ endpoints: ['https://a:2379'], tls: { certificate: pem } }, '`certificate`'],
  ])('are refused when they make no sense: %j', (options, message) => {
    expect(() => etcdSettings(options as EtcdOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('are refused without telling a secret', () => {
    const texts = [
      { endpoints: ['http://me:secret@10.0.0.1:2379'] },
      { endpoints, password: 'secret' },
      { endpoints: ['https://a:2379'], tls: { key: 'secret' } },
    ].map((options) => {
      try {
        return JSON.stringify(etcdSettings(options));
      } catch (error) {
        return JSON.stringify(error) + String(error);
      }
    });
    expect(texts.filter((text) => text.includes('secret'))).toEqual([]);
  });
});

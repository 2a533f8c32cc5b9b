import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatAddress, parseAddress } from '../address.ts';
import { StaticDiscovery, type StaticOptions } from './static.ts';

async function toldBy(discovery: StaticDiscovery): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const self = { node: 'a', incarnation: 1, address: '10.0.0.1:7946' };
  await discovery.start(self, {
    onPeers: (hints) => told.push(hints.map(({ address }) => address)),
    onError: (error) => told.push(error),
  });
  await discovery.refresh();
  await discovery.stop();
  return told;
}

describe('StaticDiscovery', () => {
  it('tells its addresses once, each once, this node among them', async () => {
    const addresses = [
      '10.0.0.2:7946',
      '10.0.0.1:7946',
      '10.0.0.2:7946',
      '[fd00::7]:1',
      'B.Test:07',
    ];
    expect(await toldBy(new StaticDiscovery({ addresses }))).toEqual([
      ['10.0.0.2:7946', '10.0.0.1:7946', '[fd00::7]:1', 'b.test:7'],
    ]);
  });

  it('tells them again when it starts again', async () => {
    const discovery = new StaticDiscovery({ addresses: ['b:1'] });
    expect(await toldBy(discovery)).toEqual([['b:1']]);
    expect(await toldBy(discovery)).toEqual([['b:1']]);
  });

  it('refuses everything that is no address, all at once', () => {
    const addresses = ['10.0.0.2', 'ok:1', '10.0.0.2:0', 'fd00::7:1'];
    expect(() => new StaticDiscovery({ addresses })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message:
          "StaticDiscovery: no address of the form host:port: '10.0.0.2', '10.0.0.2:0', 'fd00::7:1'",
        details: { addresses: ['10.0.0.2', '10.0.0.2:0', 'fd00::7:1'] },
      }),
    );
  });

  it.each([
    [{ addresses: [] }, 'a list of 1 to 256 addresses, got: []'],
    [{ addresses: 'a:1' }, "got: 'a:1'"],
    [{ addresses: [1] }, 'got: [ 1 ]'],
    [{ addresses: Array.from({ length: 257 }, (_, index) => `a${index}:1`) }, '1 to 256'],
    [{}, 'got: undefined'],
    [{ adresses: ['a:1'] }, 'did you mean `addresses`?'],
  ])('refuses %j', (options, message) => {
    expect(() => new StaticDiscovery(options as StaticOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('an address', () => {
  it.each([
    '10.0.0.1:1',
    'a:65535',
    'node-7.internal:7946',
    '_x._tcp.a.:1',
    '[::1]:1',
    '[fe80::1%eth0]:1',
    'xn--bcher-kva.example:1',
  ])('is %s', (text) => {
    expect(parseAddress(text)).toBeDefined();
  });

  it.each([
    '',
    ':1',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:1x',
    'a b:1',
    'a:1:2',
    '::1:1',
    '[]:1',
    '[a]:1',
    '[10.0.0.1]:1',
    '256.0.0.1:1',
    '10.0.0:1',
    '-a:1',
    'a..b:1',
    'https://a:1',
    'a/b:1',
    `${'a'.repeat(64)}:1`,
    `${'a.'.repeat(127)}aa:1`,
  ])('is not %s', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('is read as it is written', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(fc.record({ host, port }), (address) => {
        const lower = { ...address, host: address.host.toLowerCase() };
        expect(parseAddress(formatAddress(address))).toEqual(lower);
      }),
    );
  });
});

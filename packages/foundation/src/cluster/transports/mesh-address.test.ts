import { describe, expect, it } from 'vitest';

import { advertisedAddress } from './mesh-address.ts';

const card = (address: string, family: 'IPv4' | 'IPv6', internal = false) => ({
  address,
  family,
  internal,
  netmask: '',
  mac: '',
  cidr: null,
  scopeid: 0,
});
const interfaces = {
  lo: [card('127.0.0.1', 'IPv4', true), card('::1', 'IPv6', true)],
  eth0: [
    card('fe80::1', 'IPv6'),
    card('2001:db8::7', 'IPv6'),
    card('169.254.1.1', 'IPv4'),
    card('10.0.0.7', 'IPv4'),
  ],
};
const everywhere = { host: '0.0.0.0', port: 7_000 };

describe('the address of a mesh', () => {
  it.each<readonly [advertise: string | undefined, host: string, told: string]>([
    [undefined, '10.1.1.1', '10.1.1.1:7000'],
    [undefined, '::1', '[::1]:7000'],
    [undefined, '0.0.0.0', '10.0.0.7:7000'],
    ['n1.example', '0.0.0.0', 'n1.example:7000'],
    ['n1.example:80', '0.0.0.0', 'n1.example:80'],
    ['2001:db8::7', '::', '[2001:db8::7]:7000'],
    ['[2001:db8::7]:80', '::', '[2001:db8::7]:80'],
  ])('that is given as %s, listening on %s, is told as %s', (advertise, host, told) => {
    expect(advertisedAddress({ host, port: 7_000 }, advertise, interfaces)).toBe(told);
  });

  it('of IPv6 is told where there is no other', () => {
    const eth0 = [card('2001:db8::7', 'IPv6')];
    expect(advertisedAddress(everywhere, undefined, { eth0 })).toBe('[2001:db8::7]:7000');
  });

  it('must be given where none can be found', () => {
    expect(() => advertisedAddress(everywhere, undefined, { lo: interfaces.lo })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});

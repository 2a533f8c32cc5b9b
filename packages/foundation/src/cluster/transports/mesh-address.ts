import { isIPv6 } from 'node:net';
import type { networkInterfaces } from 'node:os';

import { invalidOption } from '../../options.ts';
import { formatAddress, parseAddress, type Address } from '../address.ts';

/**
 * The address that peers are told. One that listens everywhere tells the machine's first address that
 * others can reach, IPv4 before IPv6.
 *
 * @param advertise - `host` or `host:port`
 * @throws FoundationError `INVALID_OPTION` when `advertise` is no address, or the machine has none.
 */
export function advertisedAddress(
  bound: Address,
  advertise: string | undefined,
  interfaces: ReturnType<typeof networkInterfaces>,
): string {
  if (advertise === undefined) {
    const isEverywhere = bound.host === '0.0.0.0' || bound.host === '::';
    return formatAddress(isEverywhere ? { ...bound, host: ownHost(bound, interfaces) } : bound);
  }
  const given = isIPv6(advertise) ? { ...bound, host: advertise } : parseAddress(advertise);
  const address = given ?? parseAddress(`${advertise}:${bound.port}`);
  if (address !== undefined) return formatAddress(address);
  throw invalidOption('mesh', { advertise }, 'a host, or host:port');
}

function ownHost({ host }: Address, interfaces: ReturnType<typeof networkInterfaces>): string {
  const reachable = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/i.test(address));
  const byFamily = (family: string) => reachable.find((each) => each.family === family)?.address;
  const found = byFamily('IPv4') ?? byFamily('IPv6');
  if (found !== undefined) return found;
  throw invalidOption('mesh', { host }, 'an address that others reach, or `advertise` to be given');
}

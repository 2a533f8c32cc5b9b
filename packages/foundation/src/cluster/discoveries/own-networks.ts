import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An address of this machine in a private network. */
export interface OwnNetwork {
  /** Name of the interface, such as `eth0`. */
  readonly interface: string;
  readonly address: string;
  /** The address with the length of its network's prefix: `192.168.1.5/24`. */
  readonly cidr: string;
}

/** Ranges that no stranger on the internet has: RFC 1918, link-local IPv4, unique local IPv6. */
const privateRanges = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv4');
}
privateRanges.addSubnet('fc00::', 7, 'ipv6');

/** This machine's addresses in private networks, without loopback. */
export function ownNetworks(): readonly OwnNetwork[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, cidr, address }) => !internal && cidr !== null && isPrivate(address))
      .map(({ address, cidr }) => ({ interface: name, address, cidr: cidr ?? '' })),
  );
}

/** Tells of a host whether it is an address in one of these networks. */
export function within(networks: readonly OwnNetwork[]): (host: string) => boolean {
  const ranges = new BlockList();
  for (const { cidr } of networks) {
    const [address = '', prefix] = cidr.split('/');
    ranges.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (host) => isPrivate(host) && ranges.check(host, familyOf(host));
}

function isPrivate(host: string): boolean {
  return isIP(host) !== 0 && privateRanges.check(host, familyOf(host));
}

function familyOf(host: string): 'ipv4' | 'ipv6' {
  return isIP(host) === 6 ? 'ipv6' : 'ipv4';
}

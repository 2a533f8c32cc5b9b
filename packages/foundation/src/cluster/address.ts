import { isIP } from 'node:net';

/** Where somebody listens. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Longest address, in characters: the host is at most a domain name (RFC 1035, 2.3.4). */
export const addressCharsMax = 253 + '[]:65535'.length;

const namePattern =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?$/i;

/** Reads `host:port`, with brackets around IPv6, in lower case. Undefined for what is no such address. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > addressCharsMax) return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!isPort(port)) return undefined;
  const host = (bracketed ?? plain ?? '').toLowerCase();
  const isFit = bracketed === undefined ? isHost(host) : isIP(host) === 6;
  return isFit ? { host, port } : undefined;
}

/** `host:port`, as {@link parseAddress} reads it. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether something is the number of a port that one can dial. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

/** A name, or an IPv4 address. What ends in a number can only be the latter (RFC 3696, 2). */
function isHost(text: string): boolean {
  return isIP(text) === 4 || (namePattern.test(text) && !/(^|\.)\d+\.?$/.test(text));
}

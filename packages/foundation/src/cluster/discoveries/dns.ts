import { Resolver } from 'node:dns/promises';

import { FoundationError } from '../../errors.ts';
import { checkChoice, invalidOption, refuseUnknown } from '../../options.ts';
import { formatAddress, isPort, parseAddress } from '../address.ts';
import type { Hint } from '../discovery.ts';
import { lookupDefaults, LookupDiscovery, type LookupTimes } from './lookup.ts';

/** Which name to look up, and where. */
export interface DnsOptions extends LookupTimes {
  /** A name in full: no search domains are tried. */
  readonly name: string;
  /**
   * `A`: the name has an A or AAAA record for each node, and all listen on the same `port`. `SRV`: it has
   * a record with host and port for each.
   * @defaultValue 'A'
   */
  readonly type?: 'A' | 'SRV';
  /** Where all nodes listen; needed with `A`. */
  readonly port?: number;
  /** Takes IPv4 or IPv6 addresses only. @defaultValue both */
  readonly family?: 4 | 6;
  /** DNS servers to ask, `address` or `address:port`. @defaultValue the system's */
  readonly servers?: readonly string[];
}

/** What is looked up, checked. */
interface Question {
  readonly name: string;
  readonly type: 'A' | 'SRV';
  readonly port: number;
  readonly families: readonly (4 | 6)[];
  readonly servers: readonly string[] | undefined;
  readonly hintsMax: number;
}

interface Target {
  readonly name: string;
  readonly port: number;
}

const optionNames = ['name', 'type', 'port', 'family', 'servers', ...Object.keys(lookupDefaults)];
/** Milliseconds before a server is asked again, at first. */
const askAgainMs = 1_000;
/** More questions at once overrun the server's socket, and each that is lost costs the above. */
const targetsAtOnce = 16;

/**
 * Nodes that somebody gives a DNS name: a headless service of Kubernetes, an autoscaling group, Consul.
 * It is looked up each `refreshMs`, however long the records may be kept.
 */
export class DnsDiscovery extends LookupDiscovery {
  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: DnsOptions) {
    const question = questionOf(options);
    const { refreshMs, timeoutMs, hintsMax, clock } = { ...lookupDefaults, ...options };
    super({
      name: 'dns',
      lookUp: (signal) => lookUp(question, signal),
      refreshMs,
      timeoutMs,
      hintsMax,
      clock,
    });
  }
}

async function lookUp(question: Question, signal: AbortSignal): Promise<readonly Hint[]> {
  // A new one for each look: it holds neither old answers nor old servers.
  const resolver = new Resolver({ timeout: askAgainMs });
  if (question.servers !== undefined) resolver.setServers(question.servers);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const addresses = await addressesOf(resolver, question).catch((cause: unknown) => {
    throw unanswered(question, cause);
  });
  if (addresses.length === 0) throw nothing(question);
  return addresses.map((address) => ({ address }));
}

async function addressesOf(resolver: Resolver, question: Question): Promise<readonly string[]> {
  const { name, port, type } = question;
  const targets = type === 'A' ? [{ name, port }] : await targetsOf(resolver, question);
  const addresses: string[] = [];
  for (let from = 0; from < targets.length; from += targetsAtOnce) {
    const some = targets.slice(from, from + targetsAtOnce);
    const found = await Promise.all(some.map((each) => hostsOf(resolver, each, question.families)));
    addresses.push(...found.flat());
  }
  return addresses;
}

async function hostsOf(
  resolver: Resolver,
  { name, port }: Target,
  families: Question['families'],
): Promise<readonly string[]> {
  const hosts = await Promise.all(
    families.map((each) => orNone(each === 4 ? resolver.resolve4(name) : resolver.resolve6(name))),
  );
  return hosts.flat().map((host) => formatAddress({ host, port }));
}

/** One more than may be taken, so that it shows; always the same, in whatever order they come. */
async function targetsOf(
  resolver: Resolver,
  { name, hintsMax }: Question,
): Promise<readonly Target[]> {
  const records = await orNone(resolver.resolveSrv(name));
  return records
    .filter((target) => target.name !== '' && isPort(target.port))
    .toSorted((a, b) => (formatTarget(a) < formatTarget(b) ? -1 : 1))
    .slice(0, hintsMax + 1);
}

const formatTarget = ({ name, port }: Target): string => `${name}:${port}`;

/** A name that is not there, or has no such record, is an answer; anything else is none. */
async function orNone<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    if (codeOf(error) === 'ENOTFOUND' || codeOf(error) === 'ENODATA') return [];
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function questionOf(options: DnsOptions): Question {
  refuseUnknown('DnsDiscovery', options, optionNames);
  const { name, type = 'A', port, family, servers, hintsMax = lookupDefaults.hintsMax } = options;
  if (typeof name !== 'string' || parseAddress(`${name}:1`) === undefined) {
    throw invalidOption('DnsDiscovery', { name }, 'a DNS name in full');
  }
  checkChoice('DnsDiscovery', { type }, ['A', 'SRV']);
  if (type === 'A' && (port === undefined || !isPort(port))) {
    throw invalidOption('DnsDiscovery', { port }, 'the port that all nodes listen on');
  }
  if (type === 'SRV' && port !== undefined) {
    throw invalidOption(
      'DnsDiscovery',
      { port },
      'left out with SRV records, which have their own',
    );
  }
  if (family !== undefined && family !== 4 && family !== 6) {
    throw invalidOption('DnsDiscovery', { family }, '4 or 6');
  }
  if (servers !== undefined) checkServers(servers);
  const families = family === undefined ? ([4, 6] as const) : [family];
  return { name, type, port: port ?? 0, families, servers, hintsMax };
}

function checkServers(servers: readonly string[]): void {
  try {
    new Resolver().setServers(servers);
  } catch {
    const expected = 'a list of `address` or `address:port`';
    throw invalidOption('DnsDiscovery', { servers }, expected);
  }
}

function unanswered({ name, type, servers }: Question, cause: unknown): FoundationError {
  const whom = servers?.join(', ') ?? 'the DNS servers of this system';
  return new FoundationError(
    'DISCOVERY_FAILED',
    `${name} (${type}) was not answered: ${codeOf(cause)}`,
    {
      hint: `Who was known before stays known. Check that ${whom} can be reached.`,
      details: { name, type, reason: codeOf(cause) },
      cause,
    },
  );
}

function nothing({ name, type, families }: Question): FoundationError {
  const records = type === 'SRV' ? 'SRV' : families.map((each) => (each === 4 ? 'A' : 'AAAA'));
  return new FoundationError('DISCOVERY_FAILED', `${name} has no ${String(records)} record`, {
    hint: 'Who was known before stays known. Check the name, in full, and that nodes are registered under it.',
    details: { name, type },
  });
}

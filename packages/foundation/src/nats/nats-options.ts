import { systemClock, type Clock } from '../clock.ts';
import {
  checkChoice,
  checkNumber,
  invalidOption,
  refuseUnknown,
  withDefaults,
} from '../options.ts';
import { systemRandom, type Random } from '../random.ts';

/** Where the NATS servers are, who this client is to them, and how the connection is secured. */
export interface NatsOptions {
  /**
   * `nats://host:port`, one or several, in a list or separated by commas. `tls://` asks for TLS; a user and a
   * password may stand before the host (`nats://user:password@host`).
   */
  readonly servers: string | readonly string[];
  /** How the servers show this client to their operators. @defaultValue 'foundation' */
  readonly name?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** The seed of an nkey, `SU…`. It never leaves this program. */
  readonly nkeySeed?: string;
  /** A `.creds` file, as `nsc` makes it. */
  readonly credentialsFile?: string;
  /** PEM files; any of them asks for TLS. */
  readonly tls?: NatsTlsOptions;
  /** Where a connection without TLS is allowed. @defaultValue 'loopback' */
  readonly plaintext?: 'loopback' | 'anywhere';
  /** Beginning of the subjects on which this client is answered, for servers that restrict them. @defaultValue '_INBOX' */
  readonly inboxPrefix?: string;
  /** Longest that a server may take to answer when it is connected to, in milliseconds. @defaultValue 2_000 */
  readonly connectTimeoutMs?: number;
  /** A server that leaves two pings in a row unanswered is given up; milliseconds between them. @defaultValue 1_000 */
  readonly pingEveryMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface NatsTlsOptions {
  /** Of the authority that has signed the servers' certificates. @defaultValue those that Node trusts */
  readonly caFile?: string;
  /** This client's own certificate, and its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** One server, as it is connected to. */
export interface NatsServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export interface NatsSettings {
  readonly servers: readonly NatsServer[];
  readonly name: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly nkeySeed: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly tls: NatsTlsOptions | undefined;
  readonly plaintext: 'loopback' | 'anywhere';
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly pingEveryMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

const who = 'nats';
const portDefault = 4222;
const texts = ['name', 'user', 'password', 'token', 'nkeySeed', 'credentialsFile', 'inboxPrefix'];

/** @throws FoundationError `INVALID_OPTION` */
export function natsSettings(options: NatsOptions): NatsSettings {
  const { servers, ...given } = options;
  const settings = withDefaults<Omit<NatsSettings, 'servers'>>(natsDefaults, given);
  refuseUnknown(who, options, ['servers', ...Object.keys(natsDefaults)]);
  const { connectTimeoutMs, pingEveryMs, plaintext, tls } = settings;
  checkNumber(who, { connectTimeoutMs, pingEveryMs }, { above: 0 });
  checkChoice(who, { plaintext }, ['loopback', 'anywhere']);
  for (const option of texts) checkText(option, Object(given)[option]);
  if (tls !== undefined) refuseUnknown(`${who}: tls`, tls, ['caFile', 'certFile', 'keyFile']);
  return { ...settings, servers: parseServers(servers) };
}

const natsDefaults: Omit<NatsSettings, 'servers'> = {
  name: 'foundation',
  user: undefined,
  password: undefined,
  token: undefined,
  nkeySeed: undefined,
  credentialsFile: undefined,
  tls: undefined,
  plaintext: 'loopback',
  inboxPrefix: '_INBOX',
  connectTimeoutMs: 2_000,
  pingEveryMs: 1_000,
  clock: systemClock,
  random: systemRandom,
};

function checkText(option: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return;
  throw invalidOption(who, { [option]: typeof value }, 'a text');
}

function parseServers(servers: NatsOptions['servers']): readonly NatsServer[] {
  const given: unknown = servers;
  const list = typeof given === 'string' ? given.split(',') : given;
  if (!Array.isArray(list) || list.length === 0) throw badServers(given);
  return list.map((each: unknown) => parseServer(each));
}

function parseServer(given: unknown): NatsServer {
  const text = typeof given === 'string' ? given.trim() : '';
  // `URL` treats only schemes that it knows as having a host and a port.
  const [, scheme = 'nats', rest = ''] = /^(?:(nats|tls):\/\/)?([^/]+)\/?$/.exec(text) ?? [];
  const url = URL.parse(`http://${rest}`);
  if (rest === '' || url === null || url.hostname === '') throw badServers(text);
  const { hostname, port } = url;
  const [user, password] = [url.username, url.password].map(unescaped);
  if (user === undefined || password === undefined) throw badServers(text);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (rest.endsWith(':80') ? 80 : portDefault) : Number(port),
    isTls: scheme === 'tls',
    user: user === '' ? undefined : user,
    password: password === '' ? undefined : password,
  };
}

/** Undefined for what stands for nothing, such as `%zz`. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What was given may hold a password: it is not shown. */
function badServers(given: unknown): Error {
  const servers = typeof given === 'string' ? given.replace(/\/\/[^@]*@/, '//…@') : typeof given;
  return invalidOption(who, { servers }, 'one or more addresses such as nats://host:4222');
}

/** Whether what is sent to a host stays on this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

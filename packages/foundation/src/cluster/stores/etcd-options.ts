import { systemClock, type Clock } from '../../clock.ts';
import { checkNumber, invalidOption, refuseUnknown, withDefaults } from '../../options.ts';
import { systemRandom, type Random } from '../../random.ts';

/** Where the servers are, and how they are talked to. */
export interface EtcdOptions {
  /** `http://host:port` or `https://host:port` of servers of one cluster. They are tried in turn. */
  readonly endpoints: readonly string[];
  /** What all keys begin with; clusters that share an etcd need one each. @defaultValue 'foundation/' */
  readonly namespace?: string;
  /** For `https` endpoints. @defaultValue what Node trusts, and no certificate of one's own */
  readonly tls?: EtcdTls;
  /** Whom etcd knows this program as, if it asks. Needs `password`. */
  readonly username?: string;
  readonly password?: string;
  /** How long an operation is tried, in milliseconds; one server gets half of it. @defaultValue 4000 */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** All of it as PEM. */
export interface EtcdTls {
  /** Who must have signed etcd's certificate. @defaultValue what Node trusts */
  readonly ca?: string;
  /** This program's own certificate, for an etcd that wants one. Needs `key`. */
  readonly cert?: string;
  readonly key?: string;
}

/** Checked, and complete. */
export interface EtcdSettings {
  readonly endpoints: readonly URL[];
  readonly namespace: string;
  readonly tls: EtcdTls;
  readonly login: { readonly name: string; readonly password: string } | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

const who = 'EtcdStore';
const names = [
  'endpoints',
  'namespace',
  'tls',
  'username',
  'password',
  'timeoutMs',
  'clock',
  'random',
];
const tlsNames = ['ca', 'cert', 'key'];

/** @throws FoundationError `INVALID_OPTION` with the offending value, unless that is a secret */
export function etcdSettings(options: EtcdOptions): EtcdSettings {
  refuseUnknown(who, options, names);
  const { namespace, timeoutMs, clock, random } = withDefaults(
    { namespace: 'foundation/', timeoutMs: 4_000, clock: systemClock, random: systemRandom },
    options,
  );
  checkNumber(who, { timeoutMs }, { above: 0 });
  if (typeof namespace !== 'string' || namespace === '') {
    throw invalidOption(who, { namespace }, 'a text that is not empty');
  }
  const endpoints = endpointsOf(options.endpoints);
  return {
    endpoints,
    namespace,
    tls: tlsOf(options.tls ?? {}, endpoints),
    login: loginOf(options),
    timeoutMs,
    clock,
    random,
  };
}

function endpointsOf(endpoints: readonly string[]): readonly URL[] {
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw invalidOption(who, { endpoints }, 'a list of at least one URL');
  }
  return endpoints.map(endpointOf);
}

function endpointOf(endpoint: unknown): URL {
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  // A password in an address would show up in errors.
  const isPlain = url !== null && url.username === '' && url.pathname === '/' && url.search === '';
  if (isPlain && ['http:', 'https:'].includes(url.protocol)) return url;
  const shown = url === null ? endpoint : url.href.replace(/\/\/[^@/]*@/, '//…@');
  throw invalidOption(who, { endpoints: shown }, 'URLs such as `https://10.0.0.1:2379`');
}

function tlsOf(tls: EtcdTls, endpoints: readonly URL[]): EtcdTls {
  refuseUnknown(`${who}: tls`, tls, tlsNames);
  for (const [option, value] of Object.entries(tls)) {
    if (value === undefined || (typeof value === 'string' && value.includes('-----BEGIN ')))
      continue;
    throw invalidOption(who, { [`tls.${option}`]: typeof value }, 'a text in PEM, not a path');
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalidOption(who, { tls: Object.keys(tls) }, '`cert` and `key`, or neither');
  }
  const isSecured = endpoints.some(({ protocol }) => protocol === 'https:');
  if (Object.keys(tls).length > 0 && !isSecured) {
    throw invalidOption(who, { tls: Object.keys(tls) }, 'left out when no endpoint is `https`');
  }
  return tls;
}

function loginOf({ username, password }: EtcdOptions): EtcdSettings['login'] {
  if (username === undefined && password === undefined) return undefined;
  if (typeof username !== 'string' || username === '') {
    throw invalidOption(who, { username }, 'a name');
  }
  if (typeof password === 'string') return { name: username, password };
  throw invalidOption(who, { password: typeof password }, 'a text, since there is a `username`');
}

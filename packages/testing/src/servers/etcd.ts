import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../eventually.ts';
import type { TestAuthority } from './certificates.ts';
import { debianProgram } from './debian.ts';
import { fetchAt, freePorts, startServer, type RunningServer, type ServerHost } from './server.ts';

/** What kind of etcd is started. */
export interface EtcdServersOptions {
  /** How many servers. @defaultValue 1 */
  readonly members?: 1 | 3;
  /** Hosts of a lab, one a server. @defaultValue this machine */
  readonly hosts?: readonly ServerHost[];
  /** Then its clients speak TLS, and need a certificate of this authority. @defaultValue HTTP */
  readonly authority?: TestAuthority;
  /** The only one besides `root` who may use it, and under which prefix. @defaultValue everybody may */
  readonly user?: { readonly name: string; readonly password: string; readonly prefix: string };
  /** Further arguments of each server. */
  readonly args?: readonly string[];
  /** The Debian suite whose etcd it is. @defaultValue the machine's own: 3.4 in bookworm */
  readonly suite?: string;
}

/** An etcd on this machine. Its data goes with it. */
export interface EtcdServers extends AsyncDisposable {
  readonly endpoints: readonly string[];
  readonly members: readonly EtcdMember[];
  /** The member that leads, as soon as one does. */
  leader(): Promise<EtcdMember>;
}

/** One server of it. Its data outlives a `kill`. */
export interface EtcdMember extends Pick<
  RunningServer,
  'osPid' | 'log' | 'stop' | 'kill' | 'freeze' | 'thaw'
> {
  readonly endpoint: string;
  /** Starts it again. */
  restart(): Promise<void>;
}

/** Half of etcd's own timers: there is a new leader in about a second. */
const raftArgs = ['--pre-vote', '--heartbeat-interval', '50', '--election-timeout', '500'];
const logArgs = ['--logger', 'zap', '--log-level', 'error'];

/** Starts an etcd and waits until it answers. */
export async function startEtcd(options: EtcdServersOptions = {}): Promise<EtcdServers> {
  const { suite, user, hosts = [] } = options;
  const count = hosts.length > 0 ? hosts.length : (options.members ?? 1);
  const program = { package: 'etcd-server', path: 'usr/bin/etcd' };
  const command = await debianProgram(suite === undefined ? program : { ...program, suite });
  const directory = mkdtempSync(join(tmpdir(), 'foundation-etcd-'));
  const ports = await freePorts(3 * count);
  const plans = Array.from({ length: count }, (_, index) => {
    const [client = 0, peer = 0, metrics = 0] = ports.slice(3 * index);
    return { name: `m${index}`, directory, host: hosts[index], client, peer, metrics };
  });
  const args = [...raftArgs, ...logArgs, ...clusterArgs(plans), ...tlsArgs(options)];
  const members = plans.map((plan) => {
    const scheme = options.authority === undefined ? 'http' : 'https';
    const endpoint = `${scheme}://${addressOf(plan)}:${plan.client}`;
    const own = [...memberArgs(plan, endpoint), ...args, ...(options.args ?? [])];
    const metrics = `http://${addressOf(plan)}:${plan.metrics}`;
    return new Member({ command, args: own, endpoint, metrics, host: plan.host });
  });
  const etcd = new Servers(members, directory);
  try {
    await Promise.all(members.map((member) => member.restart()));
    if (user !== undefined) await turnOnUsers(etcd.endpoints[0] ?? '', options);
    return etcd;
  } catch (error) {
    await etcd[Symbol.asyncDispose]();
    throw error;
  }
}

interface MemberPlan {
  readonly name: string;
  readonly directory: string;
  readonly host: ServerHost | undefined;
  readonly client: number;
  readonly peer: number;
  readonly metrics: number;
}

const addressOf = ({ host }: MemberPlan): string => host?.address ?? '127.0.0.1';
const peerUrl = (plan: MemberPlan): string => `http://${addressOf(plan)}:${plan.peer}`;

function clusterArgs(plans: readonly MemberPlan[]): readonly string[] {
  return ['--initial-cluster', plans.map((plan) => `${plan.name}=${peerUrl(plan)}`).join(',')];
}

function memberArgs(plan: MemberPlan, endpoint: string): readonly string[] {
  return Object.entries({
    '--name': plan.name,
    '--data-dir': join(plan.directory, plan.name),
    '--listen-client-urls': endpoint,
    '--advertise-client-urls': endpoint,
    '--listen-peer-urls': peerUrl(plan),
    '--initial-advertise-peer-urls': peerUrl(plan),
    '--listen-metrics-urls': `http://${addressOf(plan)}:${plan.metrics}`,
  }).flat();
}

function tlsArgs({ authority }: EtcdServersOptions): readonly string[] {
  if (authority === undefined) return [];
  const { certPath, keyPath } = authority.issue();
  const own = ['--cert-file', certPath, '--key-file', keyPath];
  return [...own, '--client-cert-auth', '--trusted-ca-file', authority.caPath];
}

class Servers implements EtcdServers {
  readonly members: readonly Member[];
  readonly #directory: string;

  constructor(members: readonly Member[], directory: string) {
    this.members = members;
    this.#directory = directory;
  }

  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  leader(): Promise<EtcdMember> {
    return eventually('a member leads', async () => {
      const leads = await Promise.all(this.members.map((member) => member.leads()));
      return this.members.find((_, index) => leads[index]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface MemberOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly endpoint: string;
  /** Where it speaks HTTP and asks for nothing. */
  readonly metrics: string;
  readonly host: ServerHost | undefined;
}

class Member implements EtcdMember {
  readonly endpoint: string;
  readonly #options: MemberOptions;
  #server: RunningServer | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
  }

  get log(): string {
    return this.#server?.log ?? '';
  }

  async restart(): Promise<void> {
    const { command, args, host } = this.#options;
    const isReady = async (): Promise<boolean> => (await this.#see('/health')).includes('true');
    this.#server = await startServer({ command, args, isReady, through: host?.through ?? [] });
  }

  async leads(): Promise<boolean> {
    const metrics = await this.#see('/metrics').catch(() => '');
    return /^etcd_server_is_leader 1$/m.test(metrics);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  get osPid(): number {
    return this.#server?.osPid ?? 0;
  }

  freeze(): void {
    this.#server?.freeze();
  }

  thaw(): void {
    this.#server?.thaw();
  }

  #see(path: string): Promise<string> {
    const { metrics, host } = this.#options;
    return fetchAt(`${metrics}${path}`, host);
  }
}

/** Who is who, in the order in which etcd wants to know it. */
async function turnOnUsers(endpoint: string, options: EtcdServersOptions): Promise<void> {
  const { name = '', password = '', prefix = '' } = options.user ?? {};
  const key = Buffer.from(prefix).toString('base64');
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  const perm = { permType: 'READWRITE', key, range_end: end.toString('base64') };
  const ask = (path: string, body: object): Promise<void> =>
    post(`${endpoint}/v3/auth/${path}`, body, options);
  await ask('user/add', { name: 'root', password });
  await ask('user/grant', { user: 'root', role: 'root' });
  await ask('user/add', { name, password });
  await ask('role/add', { name: 'clients' });
  await ask('role/grant', { name: 'clients', perm });
  await ask('user/grant', { user: name, role: 'clients' });
  await ask('enable', {});
}

async function post(url: string, body: object, { authority }: EtcdServersOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const own = authority && { ca: authority.ca, ...authority.issue() };
  const request =
    own === undefined
      ? http.request(url, { method: 'POST' })
      : https.request(url, { ...own, method: 'POST' });
  request.on('response', resolve).on('error', reject).end(JSON.stringify(body));
  const response = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  if (response.statusCode !== 200) throw new Error(`${url}: ${Buffer.concat(chunks).toString()}`);
}

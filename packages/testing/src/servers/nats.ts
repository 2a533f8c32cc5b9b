import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../eventually.ts';
import { debianProgram } from './debian.ts';
import { fetchAt, freePorts, startServer, type RunningServer, type ServerHost } from './server.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Which servers, and how they are set up. */
export interface NatsOptions {
  /** Three form a cluster. @defaultValue 1 */
  readonly servers?: 1 | 3;
  /** Hosts of a lab, one a server. `isolate` does nothing there. @defaultValue this machine */
  readonly hosts?: readonly ServerHost[];
  /** `own`: the one of this machine's Debian; `forky`: 2.15 or later. @defaultValue 'forky' */
  readonly version?: 'own' | 'forky';
  /** @defaultValue true */
  readonly jetstream?: boolean;
  /** PEM files; with them a client must use TLS. */
  readonly tls?: {
    readonly certFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    /** Whether clients need a certificate, too. @defaultValue false */
    readonly verify?: boolean;
  };
  /** More lines of the servers' configuration, such as `authorization { … }`. */
  readonly config?: string;
}

/** One nats-server; it may be ended and started again with the data it had. */
export interface NatsMember {
  readonly name: string;
  /** As clients name it: `nats://127.0.0.1:4222`. */
  readonly url: string;
  readonly isRunning: boolean;
  readonly log: string;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** Lets it end by itself (SIGTERM). */
  stop(): Promise<void>;
  /** Starts it again, on the same ports. */
  restart(): Promise<void>;
  /** Of the server that runs, or ran last. */
  readonly osPid: number;
  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): void;
  /** SIGCONT */
  thaw(): void;
  /** Keeps back what it and the other servers say to each other; its clients still reach it. */
  isolate(): void;
  /** Ends that: what was kept back arrives late. */
  heal(): void;
}

/** Servers of a test; they end, and their data with them, when this is disposed of. */
export interface NatsServers extends AsyncDisposable {
  readonly members: readonly NatsMember[];
  readonly urls: readonly string[];
  member(name: string): NatsMember;
}

/** Starts nats-server from Debian's package, and waits until it, or its cluster, can store. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServers> {
  const { version = 'forky', hosts = [] } = options;
  const servers = hosts.length > 0 ? hosts.length : (options.servers ?? 1);
  const command = await debianProgram({
    package: 'nats-server',
    path: 'usr/sbin/nats-server',
    ...(version === 'forky' ? { suite: 'forky' } : {}),
  });
  const directory = mkdtempSync(join(tmpdir(), 'foundation-nats-'));
  const names = Array.from({ length: servers }, (_, index) => `n${index + 1}`);
  const ports = await freePorts(3 * servers);
  const addresses = names.map((name, index) => {
    const [client = 0, route = 0, monitor = 0] = ports.slice(3 * index);
    return { name, host: hosts[index], client, route, monitor };
  });
  const routes = await routesBetween(addresses);
  const members = addresses.map((address) => {
    const file = join(directory, `${address.name}.conf`);
    writeFileSync(file, configOf({ address, routes, directory, options }));
    return new Member({ address, command, file, routes: routes.filter(touches(address)) });
  });
  const end = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.kill()));
    for (const { proxy } of routes) await proxy?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all(members.map((member) => member.restart()));
    await Promise.all(members.map((member) => member.untilHealthy()));
  } catch (error) {
    await end();
    throw error;
  }
  return {
    members,
    urls: members.map(({ url }) => url),
    member: (name) => members.find((each) => each.name === name) ?? noSuch(name),
    [Symbol.asyncDispose]: end,
  };
}

interface Address {
  readonly name: string;
  readonly host: ServerHost | undefined;
  readonly client: number;
  readonly route: number;
  readonly monitor: number;
}

/** How one server dials another. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly url: string;
  /** In a lab there is none: it has a network to be cut. */
  readonly proxy: TcpProxy | undefined;
}

const ipOf = ({ host }: Address): string => host?.address ?? '127.0.0.1';

function routesBetween(addresses: readonly Address[]): Promise<readonly Route[]> {
  const pairs = addresses.flatMap((from) =>
    addresses.filter((to) => to !== from).map((to) => ({ from: from.name, to })),
  );
  return Promise.all(
    pairs.map(async ({ from, to }) => {
      const proxy = to.host === undefined ? await startTcpProxy(to.route) : undefined;
      const url = `nats://${ipOf(to)}:${proxy?.port ?? to.route}`;
      return { from, to: to.name, url, proxy };
    }),
  );
}

function touches({ name }: Address): (route: Route) => boolean {
  return ({ from, to }) => from === name || to === name;
}

interface Plan {
  readonly address: Address;
  readonly routes: readonly Route[];
  readonly directory: string;
  readonly options: NatsOptions;
}

function configOf({ address, routes, directory, options }: Plan): string {
  const { jetstream = true, tls, config = '' } = options;
  const dials = routes
    .filter(({ from }) => from === address.name)
    .map(({ url }) => `"${url}"`)
    .join(', ');
  const store = join(directory, address.name);
  return [
    `server_name: ${address.name}`,
    `listen: "${ipOf(address)}:${address.client}"`,
    `http: "${ipOf(address)}:${address.monitor}"`,
    'max_payload: 8MB',
    jetstream ? `jetstream { store_dir: "${store}", max_mem: 64MB, max_file: 1GB }` : '',
    routes.length > 0
      ? `cluster { name: test, listen: "${ipOf(address)}:${address.route}", no_advertise: true, routes: [${dials}] }`
      : '',
    tls === undefined
      ? ''
      : `tls { cert_file: "${tls.certFile}", key_file: "${tls.keyFile}", ca_file: "${tls.caFile}", verify: ${tls.verify ?? false} }`,
    config,
  ].join('\n');
}

interface MemberOptions {
  readonly address: Address;
  readonly command: string;
  readonly file: string;
  /** From and to it. */
  readonly routes: readonly Route[];
}

class Member implements NatsMember {
  readonly #address: Address;
  readonly #command: string;
  readonly #file: string;
  readonly #routes: readonly Route[];
  #server: RunningServer | undefined;

  constructor({ address, command, file, routes }: MemberOptions) {
    this.#address = address;
    this.#command = command;
    this.#file = file;
    this.#routes = routes;
  }

  get name(): string {
    return this.#address.name;
  }

  get url(): string {
    return `nats://${ipOf(this.#address)}:${this.#address.client}`;
  }

  get isRunning(): boolean {
    return this.#server?.isRunning ?? false;
  }

  get log(): string {
    return this.#server?.log ?? '';
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#server = await startServer({
      command: this.#command,
      args: ['-c', this.#file],
      through: this.#address.host?.through ?? [],
      isReady: () => this.#isHealthy('?js-server-only=true'),
    });
  }

  /** Its cluster has a leader, and it can store. */
  async untilHealthy(): Promise<void> {
    const isHealthy = (): Promise<boolean> => this.#isHealthy('');
    await eventually(`${this.name} is healthy`, isHealthy, { timeoutMs: 30_000, everyMs: 50 });
  }

  async #isHealthy(query: string): Promise<boolean> {
    const { host, monitor } = this.#address;
    const said = await fetchAt(`http://${ipOf(this.#address)}:${monitor}/healthz${query}`, host);
    return said.includes('ok');
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

  isolate(): void {
    for (const { proxy } of this.#routes) proxy?.hold();
  }

  heal(): void {
    for (const { proxy } of this.#routes) proxy?.release();
  }
}

function noSuch(name: string): never {
  throw new Error(`there is no server ${name}`);
}

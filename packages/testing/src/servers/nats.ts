import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../eventually.ts';
import { debianProgram } from './debian.ts';
import { freePorts, startServer, type RunningServer } from './server.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Which servers, and how they are set up. */
export interface NatsOptions {
  /** Three form a cluster. @defaultValue 1 */
  readonly servers?: 1 | 3;
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
  const { servers = 1, version = 'forky' } = options;
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
    return { name, client, route, monitor };
  });
  const routes = await proxiesBetween(addresses);
  const members = addresses.map((address) => {
    const file = join(directory, `${address.name}.conf`);
    writeFileSync(file, configOf({ address, routes, directory, options }));
    return new Member({ address, command, file, routes: routes.filter(touches(address)) });
  });
  const end = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.kill()));
    await Promise.all(routes.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
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
  readonly client: number;
  readonly route: number;
  readonly monitor: number;
}

/** How one server dials another. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly proxy: TcpProxy;
}

function proxiesBetween(addresses: readonly Address[]): Promise<readonly Route[]> {
  const pairs = addresses.flatMap((from) =>
    addresses.filter((to) => to !== from).map((to) => ({ from: from.name, to })),
  );
  return Promise.all(
    pairs.map(async ({ from, to }) => ({
      from,
      to: to.name,
      proxy: await startTcpProxy(to.route),
    })),
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
    .map(({ proxy }) => `"nats://127.0.0.1:${proxy.port}"`)
    .join(', ');
  const store = join(directory, address.name);
  return [
    `server_name: ${address.name}`,
    `listen: "127.0.0.1:${address.client}"`,
    `http: "127.0.0.1:${address.monitor}"`,
    'max_payload: 8MB',
    jetstream ? `jetstream { store_dir: "${store}", max_mem: 64MB, max_file: 1GB }` : '',
    routes.length > 0
      ? `cluster { name: test, listen: "127.0.0.1:${address.route}", no_advertise: true, routes: [${dials}] }`
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
    return `nats://127.0.0.1:${this.#address.client}`;
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
      isReady: () => greets(this.#address.client),
    });
  }

  /** Its cluster has a leader, and it can store. */
  async untilHealthy(): Promise<void> {
    const url = `http://127.0.0.1:${this.#address.monitor}/healthz`;
    const isHealthy = async (): Promise<boolean> => (await fetch(url)).ok;
    await eventually(`${this.name} is healthy`, isHealthy, { timeoutMs: 30_000, everyMs: 50 });
  }

  freeze(): void {
    this.#server?.freeze();
  }

  thaw(): void {
    this.#server?.thaw();
  }

  isolate(): void {
    for (const { proxy } of this.#routes) proxy.hold();
  }

  heal(): void {
    for (const { proxy } of this.#routes) proxy.release();
  }
}

/** A nats-server speaks first. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => settle(true)).once('error', () => settle(false));
  });
}

function noSuch(name: string): never {
  throw new Error(`there is no server ${name}`);
}

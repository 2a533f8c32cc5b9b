import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../eventually.ts';
import { debianProgram } from './debian.ts';
import { freePorts, startServer, type RunningServer } from './server.ts';

/** What a DNS server knows; all names are below `test`. */
export interface DnsRecords {
  /** Names with their IPv4 and IPv6 addresses. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** Services, such as `_foundation._tcp.test`, with their targets as `host:port`. */
  readonly services?: Readonly<Record<string, readonly string[]>>;
}

/** A real dnsmasq. */
export interface Dnsmasq extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Knows this and nothing else when it resolves, whatever was done to it before. */
  answer(records: DnsRecords): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP: it says nothing. */
  freeze(): void;
}

const program = { package: 'dnsmasq-base', path: 'usr/sbin/dnsmasq', how: 'install' } as const;

/** Starts dnsmasq on a free port of loopback. It asks nobody else. */
export async function startDnsmasq(): Promise<Dnsmasq> {
  const [port = 0] = await freePorts(1);
  const server = new DnsmasqServer(await debianProgram(program), port);
  try {
    await server.answer({});
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

class DnsmasqServer implements Dnsmasq {
  readonly address: string;
  readonly #command: string;
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'foundation-dnsmasq-'));
  readonly #hosts = join(this.#directory, 'hosts');
  #server: RunningServer | undefined;
  #services = '';
  #stamp = 0;

  constructor(command: string, port: number) {
    this.#command = command;
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
  }

  async answer({ hosts = {}, services = {} }: DnsRecords): Promise<void> {
    const lines = Object.entries(hosts).flatMap(([name, each]) =>
      each.map((address) => `${address} ${name}`),
    );
    // A record of its own tells when it knows the rest.
    writeFileSync(
      this.#hosts,
      [...lines, `10.255.255.1 ${this.#mark(++this.#stamp)}`, ''].join('\n'),
    );
    const before = this.#services;
    this.#services = JSON.stringify(services);
    // It reads hosts again when it is told to, but its services only when it starts.
    if (this.#server?.isRunning === true && this.#services === before)
      await this.#reload(this.#server);
    else await this.#restart(services);
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  freeze(): void {
    this.#server?.freeze();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #reload(server: RunningServer): Promise<void> {
    server.thaw();
    process.kill(server.osPid, 'SIGHUP');
    await eventually('dnsmasq knows what is new', () => this.#isUpToDate());
  }

  async #restart(services: Readonly<Record<string, readonly string[]>>): Promise<void> {
    await this.kill();
    const records = Object.entries(services).flatMap(([name, targets]) =>
      targets.map((target) => `--srv-host=${name},${target.replace(':', ',')}`),
    );
    this.#server = await startServer({
      command: this.#command,
      args: [
        '--keep-in-foreground',
        '--conf-file=/dev/null',
        `--port=${this.#port}`,
        '--listen-address=127.0.0.1',
        '--bind-interfaces',
        '--pid-file=',
        '--no-resolv',
        '--no-hosts',
        '--local=/test/',
        `--user=${userInfo().username}`,
        `--addn-hosts=${this.#hosts}`,
        ...records,
      ],
      isReady: () => this.#isUpToDate(),
    });
  }

  async #isUpToDate(): Promise<boolean> {
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([this.address]);
    return (await resolver.resolve4(this.#mark(this.#stamp))).length === 1;
  }

  #mark(stamp: number): string {
    return `stamp-${stamp}.test`;
  }
}

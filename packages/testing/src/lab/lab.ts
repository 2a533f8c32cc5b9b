import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { moduleBeside } from '@foundation/core/internal';

import { debianProgram } from '../servers/debian.ts';
import { spawnNode, type TestProcess } from '../spawn-node.ts';
import { configure, Namespace, throughNetworkOf, throughNewNetwork } from './namespace.ts';
import type { PathConditions, PathTraffic } from './path.ts';
import type { SwitchCommands } from './switch-program.ts';
import { throughTaps } from './taps.ts';
import type { PathsBetween } from './traffic-board.ts';

export interface LabOptions<Name extends string> {
  /** Names of the hosts, for faults. */
  readonly hosts: readonly Name[];
  /** Of what the network loses, delays and doubles. @defaultValue 0 */
  readonly seed?: string | number;
  /** Milliseconds to wait for another lab of this machine to close. @defaultValue 300_000 */
  readonly waitMs?: number;
}

/** A host of a lab: a network of its own, in which programs can be started. */
export interface LabHost<Name extends string = string> {
  readonly name: Name;
  /** What the other hosts reach it at. */
  readonly address: string;
  /** What a program is started through to run here: for `spawnNode` and `startServer`. */
  readonly through: readonly string[];
}

/** Which ways a fault is about. */
export interface Ways<Name extends string> {
  /** @defaultValue all hosts */
  readonly from?: readonly Name[];
  /** @defaultValue all hosts */
  readonly to?: readonly Name[];
}

interface Running {
  readonly namespaces: readonly Namespace[];
  readonly switching: TestProcess<SwitchCommands>;
}

const lockPath = join(tmpdir(), 'foundation-lab.lock');
const startMs = 20_000;
/** Their number is the last byte of an address, and 255 means all. */
const hostsMax = 254;

/**
 * Why this machine or user cannot have a lab: it takes Linux, root, and TAP devices.
 *
 * @returns undefined when nothing is in the way
 */
export function labHindrance(): string | undefined {
  if (process.platform !== 'linux') return `a lab needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a lab needs root';
  if (!existsSync('/dev/net/tun')) return 'a lab needs /dev/net/tun';
  const [command, ...args] = [...throughNewNetwork, 'true'];
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `a lab needs network namespaces: ${(error?.message ?? stderr).trim()}`;
}

/**
 * Hosts with a network between them that can be cut, slowed down and made to lose things, on one machine: network
 * namespaces, and a switch that is a program. Programs started in it are real, and so are their sockets; the
 * machine's own network is left alone. It carries IPv4 and multicast.
 *
 * Nothing outlives the program that opened it, however that ends: the kernel kills what it has started, and
 * networks go with their last process. One lab at a time: another one waits until it is closed.
 */
export class Lab<Name extends string = string> implements AsyncDisposable {
  readonly hosts: readonly LabHost<Name>[];
  readonly #names: readonly Name[];
  readonly #running: Running;

  private constructor(names: readonly Name[], running: Running) {
    this.#names = names;
    this.#running = running;
    this.hosts = names.map((name, index) => ({
      name,
      address: addressOf(index),
      through: throughNetworkOf(running.namespaces[index]?.osPid ?? 0),
    }));
  }

  /** @throws Error when there cannot be a lab, see {@link labHindrance}, or another one does not close in time. */
  static async open<const Name extends string>(options: LabOptions<Name>): Promise<Lab<Name>> {
    const { hosts, seed = 0, waitMs = 300_000 } = options;
    if (hosts.length === 0 || hosts.length > hostsMax || new Set(hosts).size < hosts.length) {
      throw new Error(
        `a lab has 1 to ${hostsMax} hosts, each of another name, not: ${hosts.join()}`,
      );
    }
    const hindrance = labHindrance();
    if (hindrance !== undefined) throw new Error(hindrance);
    await needIp();
    await using opened = new AsyncDisposableStack();
    const switching = opened.use(
      await spawnNode<SwitchCommands>(moduleBeside(import.meta.url, 'switch-program'), {
        args: [String(seed)],
        through: [...throughNewNetwork, ...throughTaps(hosts.length, lockPath)],
        readyMs: waitMs + startMs,
      }),
    );
    const namespaces: Namespace[] = [];
    for (const _ of hosts) namespaces.push(opened.use(await Namespace.open()));
    wire(switching.osPid, namespaces);
    opened.move();
    return new Lab(hosts, { namespaces, switching });
  }

  /** @throws Error when there is none of that name. */
  host(name: Name): LabHost<Name> {
    return this.hosts[this.#index(name)] as LabHost<Name>;
  }

  /** Nothing passes between two groups any more, in either direction. A host in neither sees both. */
  async cut(left: readonly Name[], right: readonly Name[]): Promise<void> {
    await this.cutOneWay(left, right);
    await this.cutOneWay(right, left);
  }

  /** Nothing that one group sends reaches the other any more. */
  cutOneWay(from: readonly Name[], to: readonly Name[]): Promise<void> {
    return this.impair({ isCut: true }, { from, to });
  }

  /** Changes the conditions of the ways from some hosts to others, until {@link heal}. */
  async impair(conditions: PathConditions, ways: Ways<Name> = {}): Promise<void> {
    await this.#running.switching.ask('impair', this.#between(ways), conditions);
  }

  /** All ways are well again. */
  async heal(): Promise<void> {
    await this.#running.switching.ask('impair', this.#between({}));
  }

  /** What became of the frames sent so far: a fault that met none had no effect. */
  async traffic(ways: Ways<Name> = {}): Promise<PathTraffic> {
    return this.#running.switching.ask('traffic', this.#between(ways));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { namespaces, switching } = this.#running;
    await Promise.all([...namespaces, switching].map((each) => each[Symbol.asyncDispose]()));
  }

  #between({ from = this.#names, to = this.#names }: Ways<Name>): PathsBetween {
    return { from: from.map((name) => this.#index(name)), to: to.map((name) => this.#index(name)) };
  }

  #index(name: Name): number {
    const index = this.#names.indexOf(name);
    if (index === -1) throw new Error(`the lab has no host ${name}: ${this.#names.join(', ')}`);
    return index;
  }
}

/** Gives each network its device of the switch, and the addresses by which the switch knows it. */
function wire(switchPid: number, namespaces: readonly Namespace[]): void {
  const moves = namespaces.flatMap(({ osPid }, index) => {
    const hardware = `02:00:00:00:00:${(index + 1).toString(16).padStart(2, '0')}`;
    return [
      `link set tap${index} address ${hardware}`,
      `link set tap${index} netns ${osPid} name eth0`,
    ];
  });
  configure(switchPid, moves);
  for (const [index, { osPid }] of namespaces.entries()) {
    configure(osPid, [
      'link set lo up',
      // Without IPv6, which would talk of its own accord.
      'link set eth0 addrgenmode none',
      `address add ${addressOf(index)}/24 dev eth0`,
      'link set eth0 up',
      'route add 224.0.0.0/4 dev eth0',
    ]);
  }
}

function addressOf(index: number): string {
  return `10.77.0.${index + 1}`;
}

/** The command `ip`, which not every Debian has. */
async function needIp(): Promise<void> {
  if (spawnSync('ip', ['-V']).status === 0) return;
  await debianProgram({ package: 'iproute2', path: 'sbin/ip', how: 'install' });
}

import { FoundationError } from '../errors.ts';
import type { Station } from '../messaging/exchange.ts';
import type { NodeSettings } from '../node-options.ts';
import { checkNumber } from '../options.ts';
import { nodeStopped } from '../process/process-errors.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterHealth } from './health.ts';
import type { Quorum } from './quorum.ts';

/** A node of the cluster, as this node sees it. */
export interface ClusterMember {
  readonly node: string;
  readonly incarnation: number;
  readonly address: string;
  /** `suspect`: it has no link or is silent. Whether it lives is being found out. */
  readonly status: 'up' | 'suspect';
  /** This node's connection to it. `reset`: the other end broke it. `lost`: gone for any other reason. */
  readonly link: 'up' | 'lost' | 'reset';
  /** It gave no answer to probes of this node, or of another. */
  readonly isSilent: boolean;
  /** Its event loop stands still; it lives. */
  readonly isStalled: boolean;
  readonly role: string;
  /** Process id of the operating system, where the node told it. */
  readonly osPid: number | undefined;
  readonly isSelf: boolean;
  /** Whether it hands over what it runs for the cluster, and is given nothing more. */
  readonly isDraining: boolean;
}

export interface ClusterViewParts {
  readonly settings: NodeSettings;
  readonly cluster: Cluster | undefined;
  readonly self: () => number;
  readonly quorum: Quorum;
  readonly health: (station: Station) => Promise<ClusterHealth>;
}

/** `node.cluster`: who is there. */
export class ClusterView {
  readonly #parts: ClusterViewParts;
  /** Nodes that hand over, with their incarnations. */
  readonly #draining = new Map<string, number>();
  /** Ends the wait of those who wait for members. */
  readonly #waiting = new Set<(error: FoundationError) => void>();
  #isStopped = false;

  constructor(parts: ClusterViewParts) {
    this.#parts = parts;
  }

  /** Members in the order of their names; observers are not counted. */
  members(): readonly ClusterMember[] {
    return this.all().filter(({ role }) => role === 'member');
  }

  /** Members and observers, this node among them. */
  all(): readonly ClusterMember[] {
    const peers = this.#parts.cluster?.peers() ?? [];
    const others = peers.map(({ meta, ...member }) => ({
      ...member,
      isStalled: this.#parts.cluster?.sighting(member.node)?.isStalled === true,
      role: meta['role'] === 'member' ? 'member' : 'observer',
      osPid: typeof meta['osPid'] === 'number' ? meta['osPid'] : undefined,
      isSelf: false,
      isDraining: this.#draining.get(member.node) === member.incarnation,
    }));
    return [this.#self(), ...others].toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** Runs after each change of the members. */
  onChange(action: () => void): Disposable {
    return this.#parts.cluster?.onChange(action) ?? { [Symbol.dispose]: () => {} };
  }

  /** Whether this node is with the majority of those who count; see `splitPolicy`. */
  get hasQuorum(): boolean {
    return this.#parts.quorum.isHere;
  }

  /**
   * How the cluster is, as a node sees it, which asks the others and the store for a second at most.
   *
   * @param node - who is asked. @defaultValue this node, which always answers
   * @throws FoundationError `NODE_STOPPED`; `NODE_UNREACHABLE`, or what a call to another node throws
   */
  async health(node: string = this.#parts.settings.name): Promise<ClusterHealth> {
    if (this.#isStopped) throw this.#stopped();
    return this.#parts.health(this.station(node));
  }

  /**
   * Resolves when the cluster has exactly `count` members that are up.
   *
   * @param timeoutMs - Milliseconds to wait. @defaultValue 10000
   * @throws FoundationError `INVALID_OPTION`; `NODE_UNREACHABLE` when they are not there in time; `NODE_STOPPED` when this
   * node stops first.
   */
  async reached(count: number, timeoutMs: number = 10_000): Promise<void> {
    checkNumber('cluster.reached', { count }, { min: 1, integer: true });
    checkNumber('cluster.reached', { timeoutMs }, { above: 0 });
    if (this.#isStopped) throw this.#stopped();
    const isReached = (): boolean =>
      this.members().filter(({ status }) => status === 'up').length === count;
    if (isReached()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = this.#parts.settings.clock.after(timeoutMs, () =>
      reject(this.#incomplete(count)),
    );
    using _watch = this.onChange(() => {
      if (isReached()) resolve();
    });
    this.#waiting.add(reject);
    await promise.finally(() => {
      this.#waiting.delete(reject);
      timer.cancel();
    });
  }

  /** Nodes that say they can run a process, by its definition's name: all nodes agree on them. */
  hostsOf(definition: string): readonly string[] {
    const { settings, cluster } = this.#parts;
    const peers = (cluster?.peers() ?? [])
      .filter(({ node, incarnation }) => this.#draining.get(node) !== incarnation)
      .filter(({ link, meta }) => link === 'up' && meta['role'] === 'member')
      .filter(
        ({ meta: { processes } }) => Array.isArray(processes) && processes.includes(definition),
      )
      .map(({ node }) => node);
    const isHere =
      settings.role === 'member' &&
      !this.#draining.has(settings.name) &&
      settings.processes.some(({ name }) => name === definition);
    return isHere ? [settings.name, ...peers] : peers;
  }

  /** This node has stopped. @internal */
  stop(): void {
    this.#isStopped = true;
    for (const reject of this.#waiting) reject(this.#stopped());
  }

  #stopped(): FoundationError {
    return nodeStopped(this.#parts.settings.name, 'It sees nobody any more.');
  }

  /** A life of a node hands over what it runs. @internal */
  drains(node: string, incarnation: number): void {
    this.#draining.set(node, incarnation);
  }

  /** The address of a node's present life. @throws FoundationError `NODE_UNREACHABLE` */
  station(node: string): Station {
    const member = this.all().find((each) => each.node === node);
    if (member === undefined) {
      throw new FoundationError('NODE_UNREACHABLE', `no node "${node}" is in the cluster`, {
        hint: 'The command `fnd nodes` lists those that are.',
        details: { node },
      });
    }
    return member;
  }

  #self(): ClusterMember {
    const { settings, cluster, self } = this.#parts;
    return {
      node: settings.name,
      incarnation: self(),
      address: cluster?.address ?? '',
      status: 'up',
      link: 'up',
      isSilent: false,
      isStalled: false,
      role: settings.role,
      osPid: process.pid,
      isSelf: true,
      isDraining: this.#draining.get(settings.name) === self(),
    };
  }

  #incomplete(count: number): FoundationError {
    const names = this.members().map(({ node }) => node);
    return new FoundationError(
      'NODE_UNREACHABLE',
      `the cluster has ${names.length} members instead of ${count}: ${names.join(', ')}`,
      { hint: meeting(this.#parts.settings), details: { count, members: names } },
    );
  }
}

/** What nodes need so that they meet. */
function meeting({ cluster, ports }: NodeSettings): string {
  if (ports.discovery !== undefined) return 'Nodes meet whom the discovery in `ports` finds.';
  if (cluster === 'off')
    return "A node with `cluster: 'off'` is alone: choose how it finds others.";
  const same = cluster === 'local' ? 'cluster name, directory and secret' : 'cluster name and keys';
  const place = places[cluster];
  const health = '`node.cluster.health()` says who was not reached, and why.';
  return `Nodes meet when they have the same ${same}${place}. ${health}`;
}

/** What they need beside, each strategy its own. */
const places = {
  local: '',
  static: ', and an address in `cluster.addresses` leads to another',
  dns: ', and their addresses are among those of `cluster.hostname`',
  mdns: ', and multicast passes between their machines',
  kubernetes: ', and the service `cluster.service` selects their pods',
  nats: ', and `nats.servers` are the same',
} as const;

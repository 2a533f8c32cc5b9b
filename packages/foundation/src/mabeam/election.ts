import { isFoundationError } from '../errors.ts';
import type { Lease } from '../lease/lease.ts';
import type { LeaseOptions, Leases } from '../lease/leases.ts';
import { invalidOption, refuseUnknown } from '../options.ts';
import { isName, nameRule } from '../process/definition-check.ts';
import type { StrongVariable, VariableWatchOptions } from '../values/strong-variable.ts';
import type { Variables } from '../values/variables.ts';

/** Who leads, as it has announced itself. */
export interface Leader {
  /** Name of its node. */
  readonly node: string;
  /** Higher than that of every leader before. */
  readonly epoch: number;
}

/** How one stands for election. */
export interface CampaignOptions {
  /** Gives up waiting; one that leads already goes on. */
  readonly signal?: AbortSignal;
}

/**
 * To be the leader, for as long as its lease can be renewed. `await using` resigns.
 *
 * A program may stand still between looking at `isLeader` and acting upon it, and lead no more when it goes on: what must
 * not be done by an earlier leader is done by a resource that checks `epoch`: `fenced`, `admits`, or
 * `variable.fencedBy(epoch)`.
 */
export interface Leadership extends AsyncDisposable, Leader {
  /** Whether it leads at this moment, by the clocks of this machine. Once false, it stays so. */
  readonly isLeader: boolean;
  /** Aborts when it leads no more, with a `LEASE_LOST` whose `details.why` says why. */
  readonly signal: AbortSignal;
  /** Makes room: whoever waits leads within milliseconds. */
  resign(): Promise<void>;
}

export interface ElectionParts {
  readonly node: string;
  readonly leases: Leases;
  readonly variables: Variables;
}

/** What is announced; nobody leads when `node` is null. */
interface Announcement {
  readonly node: string | null;
  readonly epoch: number;
}

/**
 * One leader at a time among the nodes that stand for election under a name, made by `node.mabeam.election`: a lease decides,
 * its token is the epoch, and a strong variable that is fenced by the epoch tells everybody who leads (as Chubby
 * and ZooKeeper have it: Burrows 2006; Hunt et al. 2010).
 */
export class Election {
  readonly name: string;
  readonly #parts: ElectionParts;
  readonly #key: string;
  readonly #lease: LeaseOptions;
  readonly #announced: StrongVariable<Announcement>;

  constructor(name: string, options: LeaseOptions, parts: ElectionParts) {
    refuseUnknown('mabeam.election', options, ['ttlMs']);
    this.name = name;
    this.#key = keyOf('election', name);
    this.#parts = parts;
    this.#lease = options;
    const initial: Announcement = { node: null, epoch: 0 };
    this.#announced = parts.variables.strong(this.#key, { initial });
  }

  /**
   * Waits until this one leads and has announced it. While the store cannot be reached it waits as well. Several may
   * stand on one node.
   *
   * @throws FoundationError `INVALID_OPTION`, `ABORTED` when `signal` aborts, `NODE_STOPPED`, or what the store says for good
   */
  async campaign(options: CampaignOptions = {}): Promise<Leadership> {
    refuseUnknown('election.campaign', options, ['signal']);
    const { node, leases } = this.#parts;
    for (;;) {
      const lease = await leases.acquire(this.#key, { ...this.#lease, ...options });
      try {
        const own = await this.#announced.fencedBy(lease.token);
        await own.set({ node, epoch: lease.token });
        return leadershipOf(node, lease, own);
      } catch (error) {
        await lease.release();
        // Another was elected meanwhile, or the store is away: neither lasts.
        if (isFoundationError(error) && (error.code === 'FENCED' || error.retryable)) continue;
        throw error;
      }
    }
  }

  /**
   * Who has announced itself last and has not resigned. It may lead no more: when it is gone, another follows within
   * two times of a lease.
   */
  async leader(): Promise<Leader | undefined> {
    return leaderIn(await this.#announced.get());
  }

  /** The leader of now, and each later one; undefined when one has resigned. Of several that follow fast perhaps only the last. */
  watch(options: VariableWatchOptions = {}): AsyncIterable<Leader | undefined> {
    return leadersOf(this.#announced.watch(options));
  }
}

/**
 * Tells the same once: a fence is raised by writing what is there.
 *
 * @yields each leader, or undefined for nobody
 */
async function* leadersOf(
  announced: AsyncIterable<{ readonly value: Announcement }>,
): AsyncGenerator<Leader | undefined, void> {
  let last: Announcement | undefined;
  for await (const { value } of announced) {
    if (last?.node === value.node && last.epoch === value.epoch) continue;
    last = value;
    yield leaderIn(value);
  }
}

// oxlint-disable-next-line max-params -- where, by which right, and where it is announced
function leadershipOf(
  node: string,
  lease: Lease,
  announced: StrongVariable<Announcement>,
): Leadership {
  let left: Promise<void> | undefined;
  const leave = async (): Promise<void> => {
    const vacancy = announced.set({ node: null, epoch: lease.token });
    // Whoever comes next announces itself over it, and is never announced away: that is behind the fence.
    vacancy.catch(() => undefined);
    await lease.release();
    await vacancy.catch(() => undefined);
  };
  const resign = (): Promise<void> => (left ??= leave());
  return {
    node,
    epoch: lease.token,
    get isLeader() {
      return lease.isHeld;
    },
    signal: lease.signal,
    resign,
    [Symbol.asyncDispose]: resign,
  };
}

function leaderIn({ node, epoch }: Announcement): Leader | undefined {
  return node === null ? undefined : { node, epoch };
}

/** Where the lease for something of that name is. @throws FoundationError `INVALID_OPTION` */
export function keyOf(kind: 'election' | 'mutex', name: string): string {
  const key = `${kind}/${name}`;
  if (typeof name === 'string' && isName(name) && isName(key)) return key;
  throw invalidOption(`mabeam.${kind}`, { name }, nameRule);
}

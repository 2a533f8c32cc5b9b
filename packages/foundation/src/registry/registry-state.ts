import { tell } from '../events.ts';
import { Pid } from '../process/pid.ts';
import { compareStamps, type Stamp } from '../values/hybrid-clock.ts';

/** A process as other nodes know it. */
export interface Registration {
  readonly serial: number;
  /** Name of its definition. */
  readonly process: string;
  readonly name?: string;
  readonly capabilities: readonly string[];
  /** Groups that it has joined. */
  readonly groups?: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** That of the lease under which it runs: a strong singleton. */
  readonly fencingToken?: number;
  readonly registeredAt: Stamp;
}

/** A singleton that a node looks after; what another node needs to start it again. */
export interface SingletonRecord {
  readonly name: string;
  readonly process: string;
  readonly init: unknown;
  /** `strong`: it runs only where its lease is held. @defaultValue available */
  readonly consistency?: 'strong';
  /** Somebody has stopped it: nobody starts it, here or elsewhere, before it is told to. @defaultValue false */
  readonly isStopped?: boolean;
  /** What it is known by, beside its name. */
  readonly listing: {
    readonly capabilities?: readonly string[] | undefined;
    readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  };
  /** What whoever started it tells others of it, in words of its own. */
  readonly about?: Readonly<Record<string, unknown>>;
}

/** Everything that one node has registered. Only that node writes it, so copies cannot conflict. */
export interface Share {
  readonly incarnation: number;
  /** Counts the owner's changes; a copy that misses one asks for the whole share. */
  readonly version: number;
  readonly registrations: readonly Registration[];
  readonly singletons: readonly SingletonRecord[];
}

/** One change of a share. */
export interface Delta {
  readonly incarnation: number;
  readonly version: number;
  readonly set?: Registration;
  readonly removed?: number;
  readonly setSingleton?: SingletonRecord;
  readonly removedSingleton?: string;
}

/** A registration with the node that made it. */
export interface Located extends Registration {
  readonly node: string;
  readonly pid: Pid;
}

interface Replica {
  incarnation: number;
  version: number;
  readonly registrations: Map<number, Located>;
  readonly singletons: Map<string, SingletonRecord>;
}

/**
 * The registry as one node sees it: a share for each node, and indexes over all of them. No clock,
 * no network: the simulator runs it as it is.
 */
export class RegistryState {
  readonly #shares = new Map<string, Replica>();
  readonly #byName = new Map<string, Located[]>();
  readonly #byCapability = new Map<string, Located[]>();
  readonly #byGroup = new Map<string, Located[]>();
  readonly #groupListeners = new Map<string, Set<() => void>>();
  /** Groups that the change at hand has touched: who listens is told when it is complete. */
  readonly #touchedGroups = new Set<string>();

  // ── changes ────────────────────────────────────────────────────────────────

  /** Takes a whole share, in place of an older one. Returns false when it is the older one. */
  replace(node: string, share: Share): boolean {
    const known = this.#shares.get(node);
    if (known !== undefined && isOlder(share, known)) return false;
    this.#forget(node);
    const { incarnation, version } = share;
    this.#shares.set(node, {
      incarnation,
      version,
      registrations: new Map(),
      singletons: new Map(),
    });
    for (const each of share.registrations) this.#add(node, each);
    for (const each of share.singletons) this.#shares.get(node)?.singletons.set(each.name, each);
    this.#tellGroups();
    return true;
  }

  /** Takes one change. `gap`: earlier ones are missing, the whole share is needed. */
  apply(node: string, delta: Delta): 'applied' | 'old' | 'gap' {
    const share = this.#shares.get(node);
    if (share === undefined || delta.incarnation > share.incarnation) return 'gap';
    if (delta.incarnation < share.incarnation || delta.version <= share.version) return 'old';
    if (delta.version !== share.version + 1) return 'gap';
    share.version = delta.version;
    if (delta.removed !== undefined) this.#remove(node, delta.removed);
    if (delta.set !== undefined) this.#add(node, delta.set);
    if (delta.setSingleton !== undefined)
      share.singletons.set(delta.setSingleton.name, delta.setSingleton);
    if (delta.removedSingleton !== undefined) share.singletons.delete(delta.removedSingleton);
    this.#tellGroups();
    return 'applied';
  }

  /** Forgets a node with everything on it. */
  drop(node: string): void {
    this.#forget(node);
    this.#tellGroups();
  }

  #forget(node: string): void {
    for (const serial of this.#shares.get(node)?.registrations.keys() ?? [])
      this.#remove(node, serial);
    this.#shares.delete(node);
  }

  // ── reads ──────────────────────────────────────────────────────────────────

  share(node: string): Share | undefined {
    const share = this.#shares.get(node);
    if (share === undefined) return undefined;
    const { incarnation, version } = share;
    return {
      incarnation,
      version,
      registrations: [...share.registrations.values()].map(plain),
      singletons: [...share.singletons.values()],
    };
  }

  nodes(): readonly string[] {
    return [...this.#shares.keys()];
  }

  /** Who holds a name: the one that keeps it first. More than one only after a split. */
  holders(name: string): readonly Located[] {
    return this.#byName.get(name) ?? [];
  }

  /** Processes with a capability, in the same order on every node. */
  withCapability(capability: string): readonly Located[] {
    return this.#byCapability.get(capability) ?? [];
  }

  /** Members of a group, in the same order on every node. */
  members(group: string): readonly Located[] {
    return this.#byGroup.get(group) ?? [];
  }

  /** Runs after each change of a group's members. */
  onGroupChange(group: string, listener: () => void): Disposable {
    const listeners = this.#groupListeners.get(group) ?? new Set();
    this.#groupListeners.set(group, listeners);
    listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#groupListeners.delete(group);
      },
    };
  }

  all(): readonly Located[] {
    return [...this.#shares.values()].flatMap((share) => [...share.registrations.values()]);
  }

  registration(node: string, serial: number): Located | undefined {
    return this.#shares.get(node)?.registrations.get(serial);
  }

  singletons(node: string): readonly SingletonRecord[] {
    return [...(this.#shares.get(node)?.singletons.values() ?? [])];
  }

  // ── indexes ────────────────────────────────────────────────────────────────

  #add(node: string, registration: Registration): void {
    const share = this.#shares.get(node);
    if (share === undefined) return;
    this.#remove(node, registration.serial);
    const pid = new Pid(node, share.incarnation, registration.serial);
    const located: Located = { ...registration, node, pid };
    share.registrations.set(registration.serial, located);
    if (registration.name !== undefined)
      insert(this.#byName, registration.name, located, keepsName);
    for (const capability of registration.capabilities) {
      insert(this.#byCapability, capability, located, byAddress);
    }
    for (const group of registration.groups ?? []) {
      insert(this.#byGroup, group, located, byAddress);
      this.#touchedGroups.add(group);
    }
  }

  #remove(node: string, serial: number): void {
    const located = this.#shares.get(node)?.registrations.get(serial);
    if (located === undefined) return;
    this.#shares.get(node)?.registrations.delete(serial);
    if (located.name !== undefined) withdraw(this.#byName, located.name, located);
    for (const capability of located.capabilities) {
      withdraw(this.#byCapability, capability, located);
    }
    for (const group of located.groups ?? []) {
      withdraw(this.#byGroup, group, located);
      this.#touchedGroups.add(group);
    }
  }

  #tellGroups(): void {
    if (this.#touchedGroups.size === 0) return;
    const touched = [...this.#touchedGroups];
    this.#touchedGroups.clear();
    for (const group of touched) {
      for (const listener of this.#groupListeners.get(group) ?? []) tell(listener, undefined);
    }
  }
}

function isOlder(share: Share, known: Replica): boolean {
  if (share.incarnation !== known.incarnation) return share.incarnation < known.incarnation;
  return share.version < known.version;
}

/**
 * Of strong singletons the one with the newest lease keeps the name, whoever was entered first. Otherwise the earlier
 * registration does; ties go to the lower node name, then the older process.
 */
function keepsName(a: Located, b: Located): number {
  const [tokenOfA, tokenOfB] = [a.fencingToken ?? 0, b.fencingToken ?? 0];
  if (tokenOfA !== tokenOfB) return tokenOfB - tokenOfA;
  return compareStamps(a.registeredAt, b.registeredAt) || byAddress(a, b);
}

function byAddress(a: Located, b: Located): number {
  return a.node < b.node ? -1 : a.node > b.node ? 1 : a.serial - b.serial;
}

// oxlint-disable-next-line eslint/max-params -- the order is the index's own
function insert(
  index: Map<string, Located[]>,
  key: string,
  item: Located,
  order: (a: Located, b: Located) => number,
): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, [item]);
  else found.splice(firstAfter(found, item, order), 0, item);
}

function firstAfter(
  sorted: readonly Located[],
  item: Located,
  order: (a: Located, b: Located) => number,
): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const probe = sorted[middle];
    if (probe !== undefined && order(probe, item) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function withdraw(index: Map<string, Located[]>, key: string, item: Located): void {
  const found = index.get(key);
  if (found === undefined) return;
  const at = found.indexOf(item);
  if (at >= 0) found.splice(at, 1);
  if (found.length === 0) index.delete(key);
}

/** A registration as its owner sends it. */
export function plain({ node: _node, pid: _pid, ...registration }: Located): Registration {
  return registration;
}

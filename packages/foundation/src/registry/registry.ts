import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { tell, type Events } from '../events.ts';
import type { Pid } from '../process/pid.ts';
import type { Process } from '../process/process.ts';
import type { Directory, Listing } from '../process/runtime.ts';
import { firstStamp, laterStamp, nextStamp, type Stamp } from '../values/hybrid-clock.ts';
import {
  plain,
  RegistryState,
  type Delta,
  type Located,
  type Registration,
  type Share,
  type SingletonRecord,
} from './registry-state.ts';

/** A change of one node's share, as it goes to the replicas. */
export type Change =
  | { readonly kind: 'share'; readonly node: string; readonly share: Share }
  | { readonly kind: 'delta'; readonly node: string; readonly delta: Delta }
  | { readonly kind: 'drop'; readonly node: string };

/** How far ahead the clock of another node may be and still be followed, in milliseconds. */
const clockAheadMaxMs = 86_400_000;

/** What a process is entered with. */
type Entered = Listing & {
  readonly groups?: readonly string[] | undefined;
  readonly fencingToken?: number | undefined;
};

export interface RegistryOptions {
  readonly node: string;
  readonly incarnation: number;
  readonly clock: Clock;
  readonly events: Events;
  /** Sends a change of this node's own share to all others. */
  readonly broadcast: (delta: Delta) => void;
  /** Ends a process here that has lost its name. */
  readonly evict: (pid: Pid, error: FoundationError) => void;
}

/** Names and capabilities of all processes in the cluster; reads are local. */
export class Registry implements Directory {
  readonly #options: RegistryOptions;
  readonly #state = new RegistryState();
  readonly #starting = new Map<string, Process>();
  /** Names of processes that are starting in threads. */
  readonly #claimed = new Set<string>();
  readonly #listeners = new Set<(change: Change) => void>();
  #incarnation: number;
  #version = 0;
  #lastStamp: Stamp = firstStamp;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#incarnation = options.incarnation;
    this.#state.replace(options.node, this.#emptyShare());
  }

  // ── reads ──────────────────────────────────────────────────────────────────

  /** Address of a named process, or undefined. */
  lookup(name: string): Pid | undefined {
    return this.holder(name)?.pid ?? this.#starting.get(name)?.pid;
  }

  /** Who has a name, as it was registered; not one that is only starting. */
  holder(name: string): Located | undefined {
    return this.#state.holders(name)[0];
  }

  /** Every process with a capability, in the same order on every node. */
  withCapability(capability: string): readonly Located[] {
    return this.#state.withCapability(capability);
  }

  members(group: string, process: string): readonly Pid[] {
    return this.#state.members(group).flatMap((each) => (each.process === process ? each.pid : []));
  }

  onGroupChange(group: string, listener: () => void): Disposable {
    return this.#state.onGroupChange(group, listener);
  }

  /** Everything that is registered in the cluster. */
  all(): readonly Located[] {
    return this.#state.all();
  }

  /** Nodes whose registrations are known here, this one among them. */
  nodes(): readonly string[] {
    return this.#state.nodes();
  }

  singletons(node: string): readonly SingletonRecord[] {
    return this.#state.singletons(node);
  }

  /** The share of this node, for a new member. */
  ownShare(): Share {
    return this.#state.share(this.#options.node) ?? this.#emptyShare();
  }

  /** Every share, for a new replica on this machine. */
  shares(): readonly Change[] {
    return this.#state.nodes().flatMap((node) => {
      const share = this.#state.share(node);
      return share === undefined ? [] : [{ kind: 'share', node, share } as const];
    });
  }

  /** Runs after each change, here or elsewhere. */
  onChange(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  // ── this node's own ────────────────────────────────────────────────────────

  /**
   * Keeps a name for a process that is being started in a thread, until it is disposed.
   *
   * @param fencingToken - Of a strong singleton: a holder with a lower one has lost the name already.
   * @throws FoundationError `NAME_TAKEN` when the name has a living holder already.
   */
  claim(name: string, fencingToken?: number): Disposable {
    this.#checkFree(name, fencingToken);
    this.#claimed.add(name);
    return { [Symbol.dispose]: () => void this.#claimed.delete(name) };
  }

  #checkFree(name: string, fencingToken = 0): void {
    const isOver = (this.holder(name)?.fencingToken ?? Infinity) < fencingToken;
    const holder = (isOver ? this.#starting.get(name)?.pid : this.lookup(name))?.toString();
    if (holder !== undefined) throw nameTaken(name, holder);
    if (this.#claimed.has(name)) throw nameTaken(name, 'a process that is starting');
  }

  reserve(process: Process): void {
    if (process.name === undefined) return;
    this.#checkFree(process.name, process.lease?.token);
    this.#starting.set(process.name, process);
  }

  publish(process: Process, listing: Listing): void {
    if (process.name !== undefined) this.#starting.delete(process.name);
    const fencingToken = process.lease?.token;
    this.register(process.pid.serial, process.behaviour.name, { ...listing, fencingToken });
  }

  release(process: Process): void {
    if (process.name !== undefined && this.#starting.get(process.name) === process) {
      this.#starting.delete(process.name);
    }
    this.unregister(process.pid.serial);
  }

  join({ pid, behaviour }: Process, group: string): void {
    this.joinGroup(pid.serial, behaviour.name, group);
  }

  leave({ pid }: Process, group: string): void {
    this.leaveGroup(pid.serial, group);
  }

  /** Enters a process of this node, perhaps of another thread. */
  register(serial: number, process: string, listing: Entered): void {
    const known = this.#state.registration(this.#options.node, serial);
    const groups = listing.groups ?? known?.groups;
    const fencingToken = listing.fencingToken ?? known?.fencingToken;
    const set: Registration = {
      serial,
      process,
      ...(listing.name === undefined ? {} : { name: listing.name }),
      capabilities: listing.capabilities ?? [],
      ...(groups === undefined ? {} : { groups }),
      metadata: listing.metadata ?? {},
      ...(fencingToken === undefined ? {} : { fencingToken }),
      registeredAt: this.#stamp(),
    };
    this.#change({ set });
    // While it started, another may have taken the name elsewhere.
    if (set.name !== undefined) this.#resolveConflict(set.name);
  }

  #stamp(): Stamp {
    this.#lastStamp = nextStamp(this.#lastStamp, this.#options.clock.wallNow());
    return this.#lastStamp;
  }

  /** Makes a process of this node, perhaps of another thread, a member of a group. */
  joinGroup(serial: number, process: string, group: string): void {
    const known = this.#state.registration(this.#options.node, serial);
    const groups = known?.groups ?? [];
    if (groups.includes(group)) return;
    if (known === undefined) return this.register(serial, process, { groups: [group] });
    return this.#change({ set: { ...plain(known), groups: [...groups, group] } });
  }

  leaveGroup(serial: number, group: string): void {
    const known = this.#state.registration(this.#options.node, serial);
    if (known?.groups?.includes(group) !== true) return;
    const groups = known.groups.filter((each) => each !== group);
    const isKnownOtherwise = known.name !== undefined || known.capabilities.length > 0;
    if (groups.length === 0 && !isKnownOtherwise) return this.unregister(serial);
    return this.#change({ set: { ...plain(known), groups } });
  }

  unregister(serial: number): void {
    if (this.#state.registration(this.#options.node, serial) === undefined) return;
    this.#change({ removed: serial });
  }

  /** Takes out every process of this node that matches: its thread was lost. */
  unregisterWhere(matches: (located: Located) => boolean): void {
    for (const each of this.#state.all()) {
      if (each.node === this.#options.node && matches(each)) this.unregister(each.serial);
    }
  }

  keepSingleton(setSingleton: SingletonRecord): void {
    this.#change({ setSingleton });
  }

  forgetSingleton(name: string): void {
    const own = this.#state.singletons(this.#options.node);
    if (own.some((each) => each.name === name)) this.#change({ removedSingleton: name });
  }

  /** Enters everything of this node anew, as of a new life: an earlier holder elsewhere keeps its name. */
  rejoin(incarnation: number): void {
    const { node } = this.#options;
    const { registrations, singletons } = this.ownShare();
    for (const other of this.#state.nodes()) if (other !== node) this.dropNode(other);
    this.#incarnation = incarnation;
    this.#version = 0;
    const share: Share = { ...this.#emptyShare(), singletons };
    this.#state.replace(node, share);
    this.#changed({ kind: 'share', node, share });
    for (const { serial, process, ...listing } of registrations)
      this.register(serial, process, listing);
  }

  #change(change: Omit<Delta, 'incarnation' | 'version'>): void {
    this.#version++;
    const delta: Delta = { incarnation: this.#incarnation, version: this.#version, ...change };
    this.#state.apply(this.#options.node, delta);
    this.#options.broadcast(delta);
    this.#changed({ kind: 'delta', node: this.#options.node, delta });
  }

  // ── replicas ───────────────────────────────────────────────────────────────

  /** Takes another node's share or change. Returns false when the whole share is needed. */
  receive(change: Change): boolean {
    if (change.kind === 'drop') {
      this.dropNode(change.node);
      return true;
    }
    if (change.kind === 'share') {
      if (!this.#state.replace(change.node, change.share)) return true;
      for (const each of change.share.registrations) this.#observe(each);
    } else {
      const taken = this.#state.apply(change.node, change.delta);
      if (taken !== 'applied') return taken === 'old';
      if (change.delta.set !== undefined) this.#observe(change.delta.set);
    }
    this.#changed(change);
    return true;
  }

  /** A node is gone. */
  dropNode(node: string): void {
    this.#state.drop(node);
    this.#changed({ kind: 'drop', node });
  }

  #observe({ registeredAt, name }: Registration): void {
    // A clock far ahead must not carry this one along: nothing would bring it back.
    if (registeredAt.wallMs <= this.#options.clock.wallNow() + clockAheadMaxMs) {
      this.#lastStamp = laterStamp(this.#lastStamp, registeredAt);
    }
    if (name !== undefined) this.#resolveConflict(name);
  }

  /** Two holders of one name: the same one keeps it on every node, the other is ended by its own node. */
  #resolveConflict(name: string): void {
    const [winner, ...losers] = this.#state.holders(name);
    for (const loser of losers) {
      if (winner === undefined || loser.node !== this.#options.node) continue;
      // Before it has ended: it may beat nobody any more, not even a winner that begins a new life.
      this.unregister(loser.serial);
      this.#options.events.emit('name-conflict', { name, winner: winner.pid, loser: loser.pid });
      this.#options.evict(
        loser.pid,
        new FoundationError(
          'NAME_TAKEN',
          `${winner.pid.toString()} on ${winner.node} keeps "${name}"`,
          {
            hint: 'Both took the name while their nodes did not see each other; the earlier one keeps it.',
          },
        ),
      );
    }
  }

  #changed(change: Change): void {
    for (const listener of this.#listeners) tell(listener, change);
  }

  #emptyShare(): Share {
    return {
      incarnation: this.#incarnation,
      version: this.#version,
      registrations: [],
      singletons: [],
    };
  }
}

function nameTaken(name: string, holder: string): FoundationError {
  return new FoundationError('NAME_TAKEN', `"${name}" is the name of ${holder}`, {
    hint: 'Names are unique in the cluster. `node.ref(process, name)` leads to the holder.',
    details: { name },
  });
}

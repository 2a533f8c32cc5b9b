import type { Clock, Timer } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { keepNewest } from '../keep-newest.ts';
import type { ClusterMember, ClusterView } from './cluster-view.ts';
import type { Cluster } from './cluster.ts';
import {
  assess,
  type ClusterHealth,
  type LinkHealth,
  type MissingNode,
  type StoreHealth,
  type ViewHealth,
} from './health.ts';
import type { Quorum } from './quorum.ts';
import type { Store } from './store.ts';

/** What a health report is made of. */
export interface HealthParts {
  readonly clock: Clock;
  readonly view: Pick<ClusterView, 'all' | 'onChange'>;
  readonly cluster: Cluster | undefined;
  readonly quorum: Quorum;
  readonly isVotersConfigured: boolean;
  readonly store: Store;
  readonly isNetwork: boolean;
  readonly transport: string | undefined;
  readonly discovery: string | undefined;
  /** Resolves when a node has answered. */
  ask(node: ClusterMember): Promise<unknown>;
}

/** Milliseconds that a node or the store has to answer. */
const answerMs = 1_000;
/** A key that nobody writes: reading it asks the store as any other would. */
const probeKey = 'health/probe';
/** Nodes that are gone and are remembered. */
const goneMax = 1_000;

/** Knows since when things are as they are, and asks around when a report is wanted. */
export class HealthCheck implements Disposable {
  readonly #parts: HealthParts;
  readonly #watch: Disposable;
  /** Since when each suspect is one. */
  #suspects: ReadonlyMap<string, number> = new Map();
  /** Nodes that were in the view and are not now, and since when. */
  readonly #gone = new Map<string, number>();
  #seen: readonly string[] = [];
  readonly #beganAt: number;
  #changedAt: number;
  #discoveryError: string | undefined = undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#beganAt = this.#changedAt = parts.clock.now();
    this.#watch = parts.view.onChange(() => this.#changed());
  }

  /** What discovery has told last: an error, or that it found somebody. */
  discoveryTold(error: unknown): void {
    this.#discoveryError = error === undefined ? undefined : messageOf(error);
  }

  async report(): Promise<ClusterHealth> {
    const { cluster, quorum, isVotersConfigured, isNetwork, transport, discovery } = this.#parts;
    const [links, store] = await Promise.all([this.#links(), this.#store()]);
    return assess({
      view: this.#view(),
      links,
      store,
      split: {
        policy: quorum.policy,
        hasQuorum: quorum.isHere,
        voters: quorum.voters,
        absent: quorum.absent,
        isConfigured: isVotersConfigured,
      },
      discovery: { name: discovery, error: this.#discoveryError },
      missing: this.#missing(),
      refused: cluster?.counters().refused ?? {},
      isNetwork,
      transport,
    });
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #changed(): void {
    const now = this.#parts.clock.now();
    this.#changedAt = now;
    const names = this.#parts.view.all().map(({ node }) => node);
    for (const node of this.#seen.filter((each) => !names.includes(each))) {
      this.#gone.set(node, now);
      keepNewest(this.#gone, goneMax);
    }
    for (const node of names) this.#gone.delete(node);
    this.#seen = names;
    const suspects = this.#parts.view.all().filter(({ status }) => status === 'suspect');
    this.#suspects = new Map(suspects.map(({ node }) => [node, this.#suspects.get(node) ?? now]));
  }

  /** Addresses and voters that are written down, each once. */
  #missing(): readonly MissingNode[] {
    const { cluster, quorum, isVotersConfigured, view, clock } = this.#parts;
    const present = new Set(view.all().map(({ node }) => node));
    const voters = isVotersConfigured ? quorum.voters.filter((each) => !present.has(each)) : [];
    const byAddress = cluster?.missing() ?? [];
    const isTold = (voter: string): boolean => byAddress.some(({ node }) => node === voter);
    return [
      ...byAddress.map((each) => ({ ...each, isVoter: voters.includes(each.node ?? '') })),
      ...voters
        .filter((voter) => !isTold(voter))
        .map((node): MissingNode => {
          const goneAt = this.#gone.get(node);
          const forMs = clock.now() - (goneAt ?? this.#beganAt);
          const wasSeen = goneAt !== undefined;
          return { address: undefined, node, wasSeen, isVoter: true, forMs, reason: undefined };
        }),
    ];
  }

  #view(): ViewHealth {
    const now = this.#parts.clock.now();
    return {
      nodes: this.#parts.view.all(),
      stableMs: now - this.#changedAt,
      suspicions: [...this.#suspects].map(([node, since]) => ({ node, forMs: now - since })),
      selfDoubt: this.#parts.cluster?.selfDoubt ?? 0,
    };
  }

  async #links(): Promise<readonly LinkHealth[]> {
    const others = this.#parts.view.all().filter(({ isSelf }) => !isSelf);
    return Promise.all(
      others.map(async (each): Promise<LinkHealth> => {
        const { ms } = await this.#timed(() => this.#parts.ask(each));
        const link = this.#parts.cluster?.link(each.node, each.incarnation);
        const { rttMs: probeMs, isDetoured = false } =
          this.#parts.cluster?.sighting(each.node) ?? {};
        const queuedBytes = link?.queuedBytes ?? 0;
        return { node: each.node, roundTripMs: ms, queuedBytes, probeMs, isDetoured };
      }),
    );
  }

  async #store(): Promise<StoreHealth> {
    const { store } = this.#parts;
    const { ms, error } = await this.#timed(() => store.get(probeKey));
    const { name, promises } = store;
    return { name, isAnswering: ms !== undefined, readMs: ms, error, promises };
  }

  /** How long something takes; no time when it fails, or takes too long. */
  async #timed(
    action: () => Promise<unknown>,
  ): Promise<{ readonly ms: number | undefined; readonly error: string | undefined }> {
    const { clock } = this.#parts;
    const began = clock.now();
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const give = (): void => reject(new Error(`no answer within ${answerMs} ms`));
      timer = clock.after(answerMs, give, 'background');
    });
    try {
      await Promise.race([action(), late]);
      return { ms: clock.now() - began, error: undefined };
    } catch (error) {
      return { ms: undefined, error: messageOf(error) };
    } finally {
      timer?.cancel();
    }
  }
}

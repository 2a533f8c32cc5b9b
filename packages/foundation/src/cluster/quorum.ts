import type { Clock, Timer } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { tell } from '../events.ts';
import {
  absentVoters,
  hasQuorum,
  newQuorum,
  nextQuorum,
  votersOf,
  type QuorumEvent,
  type QuorumState,
} from './quorum-state.ts';

/** What the smaller part of a split may do. */
export type SplitPolicy = 'available' | 'majority';

export interface QuorumOptions {
  /** Name of this node. */
  readonly name: string;
  readonly splitPolicy: SplitPolicy;
  readonly voters: readonly string[] | undefined;
  readonly clock: Clock;
}

/** Milliseconds that a view must last to be stable. */
const stableAfterMs = 5_000;

/** Whether this node is with the majority, kept as the members change. */
export class Quorum {
  readonly policy: SplitPolicy;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #state: QuorumState;
  #timer: Timer | undefined = undefined;

  constructor({ name, splitPolicy, voters, clock }: QuorumOptions) {
    this.policy = splitPolicy;
    this.#clock = clock;
    this.#state = newQuorum(name, voters);
  }

  /** Whether more than half of those who count are here. */
  get isHere(): boolean {
    return hasQuorum(this.#state);
  }

  /** Whether what must be so once only may go on here. */
  get isAllowed(): boolean {
    return this.policy === 'available' || this.isHere;
  }

  get voters(): readonly string[] {
    return [...votersOf(this.#state)].toSorted();
  }

  get absent(): readonly string[] {
    return absentVoters(this.#state);
  }

  /** @throws FoundationError `NO_QUORUM` */
  check(what: string): void {
    if (this.isAllowed) return;
    const { voters, absent } = this;
    throw new FoundationError(
      'NO_QUORUM',
      `${what}: this node sees ${voters.length - absent.length} of ${voters.length} nodes that count`,
      {
        hint: `Missing are: ${absent.join(', ')}. The other part of the split goes on, if it is the larger one.`,
        details: { voters, absent },
      },
    );
  }

  /** Members that are up have changed. */
  view(names: readonly string[]): void {
    this.#on({ kind: 'view', names });
    this.#timer?.cancel();
    const settle = (): void => this.#on({ kind: 'stable' });
    this.#timer = this.#clock.after(stableAfterMs, settle, 'background');
  }

  /** A member has said goodbye. */
  left(node: string): void {
    this.#on({ kind: 'left', node });
  }

  /** Runs when what is allowed here changes. */
  onChange(action: () => void): Disposable {
    this.#listeners.add(action);
    return { [Symbol.dispose]: () => void this.#listeners.delete(action) };
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #on(event: QuorumEvent): void {
    const wasAllowed = this.isAllowed;
    this.#state = nextQuorum(this.#state, event);
    if (wasAllowed === this.isAllowed) return;
    for (const action of this.#listeners) tell(action, undefined);
  }
}

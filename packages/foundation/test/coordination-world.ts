import {
  type Coordination,
  type CoordinationOptions,
  createCoordination,
} from '../src/mabeam/coordination.ts';
import type { AgentId, CoordinationRequest } from '../src/mabeam/message.ts';
import { participant } from '../src/mabeam/participant.ts';
import type { Messenger, ParticipantRef } from '../src/mabeam/session.ts';
import type { Snapshot, Snapshots } from '../src/process/durability.ts';
import { seededRandom } from '../src/random.ts';
import { ManualClock } from './manual-clock.ts';

/** What an agent does with a request. */
export type Behaviour = (request: CoordinationRequest, signal: AbortSignal) => unknown;

interface WorldOptions extends Partial<Omit<CoordinationOptions, 'clock'>> {
  readonly clock?: ManualClock;
}

/** A coordination among agents that do what a test says, in time that passes when told to. */
export class World {
  readonly clock: ManualClock;
  readonly asked: {
    readonly participant: ParticipantRef;
    readonly request: CoordinationRequest;
  }[] = [];
  readonly told: CoordinationRequest[] = [];
  readonly coordination: Coordination;
  readonly #agents = new Map<AgentId, Behaviour>();

  constructor({ clock = new ManualClock(), ...options }: WorldOptions = {}) {
    this.clock = clock;
    const messenger: Messenger = {
      ask: async (to, request, { signal }) => {
        this.asked.push({ participant: to, request });
        return await this.#agents.get(to.id)?.(request, signal);
      },
      tell: (_to, notice) => void this.told.push(notice),
    };
    const random = seededRandom('world');
    this.coordination = createCoordination({ messenger, clock, random, ...options });
  }

  agent(id: AgentId, behaviour: Behaviour): this {
    this.#agents.set(id, behaviour);
    return this;
  }

  get ids(): AgentId[] {
    return [...this.#agents.keys()];
  }

  silent = (): Promise<never> => new Promise<never>(() => {});

  slow(afterMs: number, amount: bigint): Behaviour {
    return (request) =>
      new Promise((resolve) => {
        this.clock.after(afterMs, () => resolve(bid(amount)(request)));
      });
  }
}

const bidder = participant<bigint>({ bid: (amount) => amount });
/** An agent that bids. */
export const bid =
  (amount: bigint) =>
  (request: unknown): unknown =>
    bidder(amount, request);

/** An agent that answers with what it is given, or with what that makes of the request. */
export function answering(body: unknown): Behaviour {
  const answerer = participant<null>({
    answers: {
      word: (_ctx, _question, request) => (typeof body === 'function' ? body(request) : body),
    },
  });
  return (request) => answerer(null, request);
}

/** A store in memory, as nodes have one. */
export class MemoryJournal implements Snapshots {
  readonly saved = new Map<string, Snapshot>();
  readonly load = (key: string): Promise<Snapshot | undefined> =>
    Promise.resolve(this.saved.get(key));

  save = (key: string, version: number, state: Uint8Array): Promise<number | undefined> => {
    if ((this.saved.get(key)?.version ?? 0) !== version) return Promise.resolve(undefined);
    this.saved.set(key, { version: version + 1, state });
    return Promise.resolve(version + 1);
  };
}

import type { Clock } from '@foundation/core';
import { FoundationError, seededRandom } from '@foundation/core';
import {
  createCoordination,
  encodeRecord,
  type AgentId,
  type AnyProtocol,
  type Coordination,
  type CoordinationReply,
  type CoordinationRequest,
  type Outcome,
  type Session,
  type SessionOptions,
  type SessionRecord,
  type Solver,
} from '@foundation/core/mabeam';

import { SimClock } from '../simulation/sim-clock.ts';
import { Simulation } from '../simulation/simulation.ts';

/** The body of an `ok` reply, or what is wrong with the participant. */
export type Scripted =
  | { readonly body: unknown }
  | { readonly decline: string }
  | 'silent'
  | 'dead'
  | 'garbage'
  /** Two replies that differ, of which `body` is one. */
  | { readonly equivocate: unknown };

/** A session with participants that do what a script says. */
export interface Sitting {
  readonly spec: unknown;
  readonly roster: readonly AgentId[];
  /** @defaultValue a deadline of 10 s and the seed `seed` */
  readonly options?: Partial<SessionOptions>;
  /** What a participant does with a request. Must not depend on anything else. */
  answer(request: CoordinationRequest): Scripted;
  readonly solver?: Solver;
}

/** How answers arrive. */
export interface Arrival {
  /** Orders answers, and delays them by up to 50 ms. */
  readonly seed: number;
  /** Whether each answer is delivered twice. @defaultValue false */
  readonly twice?: boolean;
}

/** What happened at a sitting. */
export interface Sat<Out> {
  readonly outcome: Outcome<Out>;
  /** Requests and notices, in the order in which they were sent. */
  readonly sent: readonly CoordinationRequest[];
  /** When it ended, in milliseconds from the start. */
  readonly endedAt: number;
}

/** Holds a session in simulated time: any number of seconds take microseconds. */
export function sit<Out>(
  protocol: AnyProtocol<Out>,
  sitting: Sitting,
  arrival: Arrival = { seed: 0 },
): Promise<Sat<Out>> {
  return held(sitting, arrival, async (coordination) =>
    coordination.start(protocol, sitting.spec, sitting.roster, {
      deadlineMs: 10_000,
      seed: 'seed',
      ...sitting.options,
    }),
  );
}

/** Goes on with a session of the same sitting whose coordinator was killed when it had recorded this much. */
export function sitOn(
  protocol: AnyProtocol,
  sitting: Sitting,
  record: SessionRecord,
): Promise<Sat<unknown>> {
  return held(sitting, { seed: 0 }, (coordination) => {
    coordination.registerProtocol(protocol, { replace: true });
    return coordination.resume(encodeRecord(record));
  });
}

async function held<Out>(
  sitting: Sitting,
  { seed, twice = false }: Arrival,
  begin: (coordination: Coordination) => Promise<Session<Out>>,
): Promise<Sat<Out>> {
  const clock = new SimClock(new Simulation(seed));
  const random = seededRandom(`arrival ${seed}`);
  const sent: CoordinationRequest[] = [];
  const coordination = createCoordination({
    clock,
    random: seededRandom('session'),
    ...(sitting.solver === undefined ? {} : { solver: sitting.solver }),
    messenger: {
      tell: (_to, notice) => void sent.push(notice),
      async ask({ id }, request, { timeoutMs }) {
        sent.push(request);
        const scripted = sitting.answer(request);
        if (scripted === 'silent') return new Promise<never>(() => {});
        if (scripted === 'dead') throw gone(id);
        // Within what the round has: an answer that comes too late is another one.
        await passed(clock, (random.int(1_000) / 1_000) * Math.min(50, timeoutMs / 2));
        const reply = replyTo(request, scripted);
        if (twice) coordination.receive(id, reply);
        if (typeof scripted === 'object' && 'equivocate' in scripted) {
          coordination.receive(id, { ...reply, body: undefined, status: 'decline', reason: 'no' });
        }
        return reply;
      },
    },
  });
  const session = await begin(coordination);
  let outcome: Outcome<Out> | undefined;
  void session.outcome.then((settled) => {
    outcome = settled;
  });
  const limitMs = (sitting.options?.deadlineMs ?? 10_000) + 1_000;
  await clock.runUntil(() => outcome !== undefined, limitMs);
  if (outcome === undefined) throw new Error('the session has not ended by its deadline');
  return { outcome, sent, endedAt: clock.now() };
}

function replyTo(
  request: CoordinationRequest,
  scripted: Exclude<Scripted, 'silent' | 'dead'>,
): CoordinationReply {
  const { session, round, nonce, to: from } = request;
  const head = { kind: 'mabeam.coordination.reply', v: 1, session, round, nonce, from } as const;
  // No round has such a number.
  if (scripted === 'garbage') return { ...head, status: 'ok', body: { garbage: true }, round: -1 };
  return 'decline' in scripted
    ? { ...head, status: 'decline', reason: scripted.decline }
    : { ...head, status: 'ok', body: 'body' in scripted ? scripted.body : scripted.equivocate };
}

function gone(id: AgentId): FoundationError {
  return new FoundationError('NO_PROCESS', `no process is called ${id}`);
}

function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

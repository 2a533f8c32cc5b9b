import {
  defineProcess,
  messageOf,
  seededRandom,
  startNode,
  systemClock,
  type Node,
} from '@foundation/core';
import {
  participant,
  withoutSecret,
  type CoordinationRequest,
  type Outcome,
} from '@foundation/core/mabeam';

import type { Scenario, Scripted } from './scenario.ts';

/** Holds the session of a scenario in a node of its own, whose participants are processes. */
export async function runScenario({
  protocol,
  spec,
  options,
  participants,
}: Scenario): Promise<Outcome<unknown>> {
  // Ids and nonces come from the seed, too: same file, same output.
  const random = seededRandom(options.seed);
  await using node = await startNode({ name: 'fnd', cluster: 'off', random });
  await startAll(node, participants);
  const roster = participants.map(({ id }) => id);
  const session = node.mabeam.coordination.start(protocol, spec, roster, options);
  const outcome = await session.outcome;
  return { ...outcome, record: withoutSecret(outcome.record) };
}

/** Who is dead is not there. */
async function startAll(node: Node, participants: readonly Scripted[]): Promise<void> {
  const scripted = scriptedProcess(new Map(participants.map((each) => [each.id, each])));
  for (const { id, does } of participants) {
    if (does !== 'dead') await node.processes.start(scripted, { name: id, init: id });
  }
}

interface Part {
  readonly id: string;
  /** Requests so far, by type. */
  readonly asked: Map<string, number>;
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- a definition says it all
function scriptedProcess(scripts: ReadonlyMap<string, Scripted>) {
  return defineProcess('scripted participant', {
    init: (id: string): Part => ({ id, asked: new Map() }),
    coordinate: ({ state, later }, request) => {
      const script = scripts.get(state.id);
      if (script === undefined || script.does === 'silent') {
        return later(() => new Promise<never>(() => {}));
      }
      const answer = answerOf(script, state, request);
      return later(() => delayed(script.delayMs, answer));
    },
  });
}

// oxlint-disable-next-line max-params -- who, what it remembers, what it is asked
function answerOf({ does }: Scripted, { asked }: Part, request: unknown): unknown {
  if (typeof does === 'string') return { garbage: true };
  const answers = [...does].map(([type, reply]) => [
    type,
    (_ctx: null, _body: unknown, asking: CoordinationRequest) => {
      const nth = asked.get(type) ?? 0;
      asked.set(type, nth + 1);
      return said(() => reply(asking, nth));
    },
  ]);
  return participant<null>({ answers: Object.fromEntries(answers) })(null, request);
}

/** Whoever has no answer in its script declines. */
function said(reply: () => unknown): unknown {
  try {
    return reply() ?? { decline: 'no answer in the script' };
  } catch (error) {
    return { decline: messageOf(error) };
  }
}

async function delayed(delayMs: number, answer: unknown): Promise<unknown> {
  if (delayMs > 0) {
    await new Promise<void>((resolve) => {
      systemClock.after(delayMs, resolve);
    });
  }
  return answer;
}

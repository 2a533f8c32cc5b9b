// A node whose agents decide together: `coordination-node.ts <options of startNode as JSON>`
import { defineProcess, startNode, systemClock, type NodeOptions } from '@foundation/core';
import {
  auditLog,
  builtInProtocols,
  inspectAudit,
  parsed,
  participant,
  replay,
  unparsed,
  verify,
  vickreyAuction,
  type AnyProtocol,
  type Outcome,
  type Protocol,
} from '@foundation/core/mabeam';
import { runTestProgram } from '@foundation/testing/program';

import { agents, mechanisms } from './mechanisms.ts';

/** Adds up the numbers of three rounds; the last asks only those who have answered. */
const sum: Protocol<null, number, number, number> = {
  name: 'test.sum',
  version: '1',
  traits: { ...vickreyAuction.traits, maxRounds: () => 3 },
  parseSpec: () => parsed(null),
  parseReply: (_type, body) => (typeof body === 'number' ? parsed(body) : unparsed('no number')),
  init: (_spec, roster) => ({
    state: 0,
    effects: [{ kind: 'ask', to: roster, type: 'number', body: 0 }],
  }),
  on(before, { round, answers }) {
    const there = answers.flatMap((each) => (each.kind === 'ok' ? [each] : []));
    const state = there.reduce((total, { body }) => total + body, before);
    if (round === 3) {
      return {
        state,
        effects: [{ kind: 'finish', decision: { status: 'decided', result: state } }],
      };
    }
    const to = there.map(({ from }) => from);
    return { state, effects: [{ kind: 'ask', to, type: 'number', body: state }] };
  },
};

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode(options);
const { coordination } = node.mabeam;
coordination.registerProtocol(sum);

const agent = defineProcess('agent', {
  init: (id: string) => ({ id }),
  coordinate: ({ state }, request) => {
    const { protocol, type } = Object(request);
    const mechanism = mechanisms.find((each) => each.protocol === protocol);
    const body = mechanism?.replies[type]?.[state.id] ?? { decline: 'nothing to say' };
    return participant<null>({ answers: { [type]: () => body } })(null, request);
  },
});

let isOpen = true;
/** Requests of agents that count, as `epoch.round`. */
const asked: string[] = [];
/** Gives its place in the alphabet, and what it was told; in the second round only while the door is open. */
const counting = defineProcess('counting', {
  init: (worth: number) => ({ worth }),
  coordinate: ({ state, later }, request) => {
    const { round, epoch, body } = Object(request);
    asked.push(`${epoch}.${round}`);
    const answer = participant<null>({ answers: { number: () => state.worth + Number(body) } });
    return later(async () => {
      while (round === 2 && !isOpen) await passed(10);
      return answer(null, request);
    });
  },
});

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}

/** What an outcome says, and whether it can be trusted. */
function claim(protocol: AnyProtocol, outcome: Outcome<unknown>): object {
  const { record, ...said } = outcome;
  return {
    ...said,
    problems: verify(protocol, outcome),
    isWhole: inspectAudit(auditLog(record)).ok,
    replayed: replay(protocol, record).status,
  };
}

const commands = {
  members: () => node.cluster.members(),
  view: () => node.cluster.all(),
  knows: () => node.registry.all().flatMap(({ name }) => name ?? []),
  async agents(ids: readonly string[]) {
    for (const id of ids) await node.processes.start(agent, { name: id, init: id });
  },
  async counting(name: string, worth: number) {
    await node.processes.start(counting, { name, init: worth });
  },
  setOpen(open: boolean) {
    isOpen = open;
  },
  asked: () => asked,
  async hold(index: number, protocol: AnyProtocol['name']) {
    const { spec } = mechanisms[index] ?? { spec: null };
    const roster = Object.values(agents).flat();
    const how = { deadlineMs: 4_000, seed: 'seed' };
    const outcome = await coordination.start(protocol, spec, roster, how).outcome;
    const known = builtInProtocols.find(({ name }) => name === protocol);
    return known && claim(known, outcome);
  },
  begin(roster: readonly string[]) {
    const how = { deadlineMs: 30_000, seed: 'seed', durable: true };
    return coordination.start(sum, null, roster, how).id;
  },
  async resume(id: string) {
    return (await coordination.resume(id)).id;
  },
  async outcome(id: string) {
    const outcome = await coordination.session(id)?.outcome;
    return outcome && claim(sum, outcome);
  },
};
export type CoordinationNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());

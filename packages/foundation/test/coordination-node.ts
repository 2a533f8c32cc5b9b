// A node whose agents decide together: `coordination-node.ts <options of startNode as JSON>`
import { defineProcess, startNode, systemClock, type NodeOptions } from '@foundation/core';
import {
  auditLog,
  builtInProtocols,
  canonical,
  inspectAudit,
  parsed,
  parseRequest,
  participant,
  readyReplies,
  replay,
  unparsed,
  verify,
  vickreyAuction,
  type AnyProtocol,
  type CoordinationRequest,
  type Outcome,
  type Protocol,
} from '@foundation/core/mabeam';
import { runTestProgram } from '@foundation/testing/program';

import { agents, mechanisms, type Mechanism } from './mechanisms.ts';

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

/** What the agents here have answered, by nonce. */
const said: { readonly nonce: string; readonly type: string; readonly body: unknown }[] = [];

const agent = defineProcess('agent', {
  init: (id: string) => ({ id }),
  coordinate: ({ state }, request) => {
    const asked = parseRequest(request);
    if (!asked.ok) return undefined;
    const { type, nonce } = asked.value;
    const answers = { [type]: () => answerOf(state.id, asked.value) };
    const reply = participant<null>({ answers })(null, request);
    said.push({ nonce, type, body: Object(reply).body });
    return reply;
  },
});

/** The mechanism that is gone through now. */
let current: Mechanism | undefined;

function answerOf(id: string, request: CoordinationRequest): unknown {
  const reply = current?.replies[request.type]?.[id];
  if (reply === undefined) return { decline: 'nothing to say' };
  const [[name, argument] = ['']] = Object.entries(Object(reply));
  return readyReplies[name]?.(argument)(request) ?? reply;
}

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

/** What an outcome says, whether it can be trusted, and which answers count in it. */
interface Said extends Omit<Outcome<unknown>, 'record'> {
  readonly problems: readonly string[];
  readonly isWhole: boolean;
  readonly isReplayed: boolean;
  readonly counted: readonly { readonly nonce: string; readonly body: unknown }[];
}

function claim(protocol: AnyProtocol, outcome: Outcome<unknown>): Said {
  const { record, ...claimed } = outcome;
  return {
    ...claimed,
    problems: verify(protocol, outcome),
    isWhole: inspectAudit(auditLog(record)).ok,
    isReplayed: canonical(replay(protocol, record)) === canonical(outcome),
    counted: record.entries.flatMap((each) =>
      each.kind === 'answer' && each.verdict === 'accepted' && each.reply !== undefined
        ? [{ nonce: each.reply.nonce, body: each.reply.body }]
        : [],
    ),
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
  /** The agents here answer by this one from now on. */
  use(index: number) {
    current = mechanisms[index];
    said.length = 0;
  },
  said: () => said,
  async hold(index: number) {
    const { protocol = '', spec } = mechanisms[index] ?? {};
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

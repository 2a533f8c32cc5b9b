/**
 * Coordination of Foundation: sessions in one process, the counting and clearing behind them, and a session across
 * three nodes in OS processes of their own.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { defineProcess, seededRandom, startNode, type Node } from '@foundation/core';
import {
  auditLog,
  builtInProtocols,
  callMarket,
  contractNet,
  createCoordination,
  multiUnitAuction,
  OrderBook,
  deferredAcceptance,
  fisherMarket,
  participant,
  taskAssignment,
  ranked,
  vickreyAuction,
  type Answer,
  type AnyProtocol,
  type BookOrder,
  type Coordination,
} from '@foundation/core/mabeam';

import type { Round } from '../round.ts';
import { quantile } from '../statistics.ts';
import { serveParent, startServer } from './remote.ts';
import { serveSubject, usedCpuUs, type Session } from './subject.ts';
import { pricing, stopping, winning } from './winners.ts';

const program = fileURLToPath(import.meta.url);
const [role, home = ''] = process.argv.slice(2);
const env = { seed: 'seed', tie: 'seeded' } as const;
const lot = { lot: 'lot' };
/** Bidders of the session across nodes, on each of three. */
const biddersANode = 10;

const bidder = defineProcess('bidder', {
  init: ({ value }: { readonly value: bigint }) => ({ value }),
  coordinate: participant({ bid: ({ state }: { state: { value: bigint } }) => state.value }),
});

/** Takes requests and never answers. */
const mute = defineProcess('mute', {
  init: () => ({}),
  coordinate: () => new Promise<never>(() => {}),
});

if (role === 'server') await serveBidders();
else {
  const directory = await mkdtemp(join(tmpdir(), 'foundation-bench-'));
  process.env['FOUNDATION_HOME'] = directory;
  process.env['FOUNDATION_SECRET'] = randomBytes(32).toString('base64url');
  await serveSubject(
    'this working tree',
    {
      'vickrey-10k': async () => once(async () => cpuMs(() => auction(alone(), 10_000))),
      'sessions-10': async () => sessionsOfTen(),
      'call-market-200k': async () => once(clearing()),
      'schulze-300': async () => once(schulze()),
      'matching-2000': async () => once(matching()),
      'audit-entries': async () => auditing(),
      'sealed-30-nodes': async () => acrossNodes(),
      'silent-1000': async () => silence(),
      'multi-unit-20k': async () => once(unitClearing()),
      'order-book': async () => trading(),
      'contract-nets-100': async () => once(async () => cpuMs(contractNets)),
      'wdp-matching-2000': () => winning('matching', [256, 2_000]),
      'wdp-scheduling-2000': () => winning('scheduling', [256, 2_000]),
      'wdp-l4-2000': () => winning('L4', [256, 2_000]),
      'wdp-paths-1000': () => winning('paths', [256, 1_000]),
      'wdp-regions-200': () => winning('regions', [64, 200]),
      'wdp-regions-500': () => winning('regions', [100, 500]),
      'wdp-overrun': () => stopping(['regions', 'arbitrary', 'L6'], [256, 1_000]),
      'vcg-200': () => pricing(['matching', 'scheduling', 'paths', 'L4'], [64, 200]),
      'fisher-1e-3': async () => timed(fisher(1e-3)),
      'fisher-1e-3-rounds': async () => once(fisher(1e-3)),
      'fisher-1e-4': async () => timed(fisher(1e-4)),
      'fisher-1e-4-rounds': async () => once(fisher(1e-4)),
      'assignment-300': async () => once(assigning(300)),
      'assignment-1000': async () => once(assigning(1_000)),
    },
    { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) },
  );
}

/** A measure that does one thing, again and again for a round; its value is the median of what that returns. */
function once(
  measure: () => Promise<number> | number,
  close = async (): Promise<void> => {},
): Session {
  const round = async (seconds: number): Promise<Round> => {
    const values: number[] = [];
    const endsAt = performance.now() + seconds * 1_000;
    do values.push(await measure());
    while (performance.now() < endsAt);
    return { value: quantile(values, 0.5), ops: values.length, cpuUsPerOp: null };
  };
  return { round, close };
}

/** A measure of the processor time of what is done again and again. */
function timed(work: () => unknown): Session {
  return once(() => cpuMs(work));
}

/** Processor time of the whole process, in ms. */
async function cpuMs(work: () => unknown): Promise<number> {
  const before = usedCpuUs();
  await work();
  return (usedCpuUs() - before) / 1_000;
}

/** A coordination whose bidders answer at once, in this process. */
function alone(): Coordination {
  const answer = participant({ bid: (value: bigint) => value });
  return createCoordination({
    messenger: {
      ask: async ({ id }, request) => answer(BigInt(id.length * 7_919 + request.seq), request),
      tell: () => {},
    },
  });
}

async function auction(coordination: Coordination, bidders: number): Promise<void> {
  const roster = Array.from({ length: bidders }, (_, index) => `bidder-${index}`);
  const session = coordination.start(vickreyAuction, lot, roster, { deadlineMs: 60_000 });
  const { status } = await session.outcome;
  if (status !== 'decided') throw new Error(`the auction was ${status}`);
}

/** 100 at once, each among the same 1,000 contractors who answer in this process. */
async function contractNets(): Promise<void> {
  const answer = participant({
    propose: (cost: bigint) => ({ cost }),
    perform: () => ({ act: 'inform_done' }),
  });
  const coordination = createCoordination({
    messenger: {
      ask: async ({ id }, request) =>
        answer(BigInt((Number(id.slice(11)) * 7_919 + request.seq) % 1_009), request),
      tell: () => {},
    },
  });
  const roster = Array.from({ length: 1_000 }, (_, index) => `contractor-${index}`);
  // All start in one go: an answer may wait that long for its turn.
  const terms = { proposeMs: 60_000, heartbeatMs: 60_000, performMs: 60_000 };
  const nets = Array.from({ length: 100 }, (_, index) =>
    coordination.start(contractNet, { task: `task ${index}`, ...terms }, roster, {
      deadlineMs: 120_000,
    }),
  );
  for (const { outcome } of nets) {
    const { status } = await outcome;
    if (status !== 'decided') throw new Error(`a contract net was ${status}`);
  }
}

function sessionsOfTen(): Session {
  const coordination = alone();
  return {
    async round(seconds) {
      const before = usedCpuUs();
      const [start, end] = [performance.now(), performance.now() + seconds * 1_000];
      let ops = 0;
      while (performance.now() < end) {
        await Promise.all(Array.from({ length: 1_000 }, () => auction(coordination, 10)));
        ops += 1_000;
      }
      const value = ops / ((performance.now() - start) / 1_000);
      return { value, ops, cpuUsPerOp: (usedCpuUs() - before) / ops };
    },
    close: async () => {},
  };
}

/** 100,000 orders to buy and as many to sell, of 1,000 traders, at up to a million prices. */
function clearing(): () => Promise<number> {
  const orders = Array.from({ length: 200 }, (_, index) => index);
  const answers = Array.from({ length: 1_000 }, (_, trader) => ({
    kind: 'ok' as const,
    from: `trader-${trader}`,
    at: 0,
    body: {
      orders: orders.map((order) => ({
        side: order % 2 === 0 ? ('buy' as const) : ('sell' as const),
        quantity: 1,
        limit: BigInt((trader * 7_919 + order * 104_729) % 1_000_003),
      })),
    },
  }));
  const roster = answers.map(({ from }) => from);
  const { state } = callMarket.init(lot, roster, env);
  return () => cpuMs(() => callMarket.on(state, { kind: 'round_closed', round: 1, answers }, env));
}

/** 1,000 bidders with 20 marginals each, at up to a million prices, for 5,000 units. */
function unitClearing(): () => Promise<number> {
  const roster = Array.from({ length: 1_000 }, (_, index) => `bidder-${index}`);
  const answers = roster.map((from, index) => {
    const amounts = Array.from({ length: 20 }, (_, unit) => {
      return BigInt((index * 7_919 + unit * 104_729) % 1_000_003);
    });
    const marginals = amounts.toSorted((one, other) => (one > other ? -1 : 1));
    return { kind: 'ok' as const, from, at: 0, body: { marginals } };
  });
  const spec = { ...lot, units: 5_000, pricing: 'vcg' } as const;
  const { state } = multiUnitAuction.init(spec, roster, env);
  return () =>
    cpuMs(() => multiUnitAuction.on(state, { kind: 'round_closed', round: 1, answers }, env));
}

/** 200,000 orders of 1,000 traders around a price, up to 1,000 prices away; one of three trades at once. */
function trading(): Session {
  const random = seededRandom('book');
  const orders = Array.from({ length: 200_000 }, (_, index): BookOrder => {
    const side = random.int(2) === 0 ? 'buy' : 'sell';
    const away = BigInt(random.int(1_000) - 300);
    return {
      id: index + 1,
      agent: `trader-${random.int(1_000)}`,
      side,
      quantity: 1 + random.int(10),
      limit: side === 'buy' ? 1_000_000n - away : 1_000_000n + away,
    };
  });
  return {
    async round(seconds) {
      const [before, endsAt] = [usedCpuUs(), performance.now() + seconds * 1_000];
      let ops = 0;
      do {
        const book = new OrderBook();
        for (const order of orders) {
          book.place(order);
          if (order.id % 2 === 0) book.cancel(order.id - 1_000);
        }
        ops += orders.length;
      } while (performance.now() < endsAt);
      const usedUs = usedCpuUs() - before;
      return { value: (ops / usedUs) * 1e6, ops, cpuUsPerOp: usedUs / ops };
    },
    close: async () => {},
  };
}

/** 100 voters who rank 300 options, each in an order of its own. */
function schulze(): () => Promise<number> {
  const protocol = builtIn('consensus.schulze');
  const options = Array.from({ length: 300 }, (_, index) => `option-${index}`);
  const roster = Array.from({ length: 100 }, (_, index) => `voter-${index}`);
  const spec = protocol.parseSpec({ question: 'which?', options });
  if (!spec.ok) throw new Error(spec.reason);
  const answers: Answer<unknown>[] = roster.map((from, voter) => {
    const rank = (option: string): number => (Number(option.slice(7)) * (2 * voter + 7)) % 307;
    const body = { ranking: options.toSorted((one, other) => rank(one) - rank(other)) };
    return { kind: 'ok', from, at: 0, body };
  });
  const { state } = protocol.init(spec.value, roster, env);
  return () => cpuMs(() => protocol.on(state, { kind: 'round_closed', round: 1, answers }, env));
}

/** Finds prices of 100 goods for 1,000 buyers, and says after how many rounds. */
function fisher(tolerance: number): () => number {
  const random = seededRandom('fisher');
  const chance = (): number => (1 + random.int(1_000)) / 1_000;
  const goods = Array.from({ length: 100 }, (_, index) => `good-${index}`);
  const roster = Array.from({ length: 1_000 }, (_, index) => `buyer-${index}`);
  const answers = roster.map((from) => ({
    kind: 'ok' as const,
    from,
    at: 0,
    body: { kind: 'linear' as const, weights: goods.map(chance) },
  }));
  const budgets = Object.fromEntries(roster.map((id) => [id, 0.5 + chance()]));
  const { state } = fisherMarket.init({ goods, budgets, tolerance }, roster, env);
  return () => {
    const event = { kind: 'round_closed', round: 1, answers } as const;
    for (const effect of fisherMarket.on(state, event, env).effects) {
      if (effect.kind === 'finish') return effect.decision.result?.rounds ?? Infinity;
    }
    throw new Error('the market has not ended');
  };
}

/** Gives `size` tasks to as many agents, one each; returns processor time in ms. */
function assigning(size: number): () => Promise<number> {
  const random = seededRandom('assignment');
  const tasks = Array.from({ length: size }, (_, index) => `task-${index}`);
  const roster = Array.from({ length: size }, (_, index) => `agent-${index}`);
  const answers = roster.map((from) => ({
    kind: 'ok' as const,
    from,
    at: 0,
    body: { costs: tasks.map(() => BigInt(1 + random.int(1_000))) },
  }));
  const { state } = taskAssignment.init({ tasks }, roster, env);
  return () =>
    cpuMs(() => taskAssignment.on(state, { kind: 'round_closed', round: 1, answers }, env));
}

function builtIn(name: string): AnyProtocol {
  const found = builtInProtocols.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** Entries a second that are chained by their hashes. */
async function auditing(): Promise<Session> {
  const coordination = alone();
  const roster = Array.from({ length: 10_000 }, (_, index) => `bidder-${index}`);
  const session = coordination.start(vickreyAuction, lot, roster, { deadlineMs: 60_000 });
  const { record } = await session.outcome;
  return {
    async round(seconds) {
      const [before, endsAt] = [usedCpuUs(), performance.now() + seconds * 1_000];
      let ops = 0;
      do ops += auditLog(record).entries.length;
      while (performance.now() < endsAt);
      const usedUs = usedCpuUs() - before;
      return { value: (ops / usedUs) * 1e6, ops, cpuUsPerOp: usedUs / ops };
    },
    close: async () => {},
  };
}

async function serveBidders(): Promise<void> {
  const node = await startNode({ name: home, profile: 'production' });
  await startBidders(node);
  serveParent('ready');
}

function startBidders(node: Node): Promise<unknown> {
  const names = Array.from({ length: biddersANode }, (_, index) => `${node.name}-${index}`);
  return Promise.all(
    names.map((name, index) =>
      node.processes.start(bidder, { name, init: { value: BigInt(index) } }),
    ),
  );
}

/** One sealed-bid auction after the other among bidders of three nodes; the median in ms. */
async function acrossNodes(): Promise<Session> {
  const servers = await Promise.all(['north', 'south'].map((name) => startServer(program, [name])));
  const node = await startNode({ name: 'here', profile: 'production' });
  await startBidders(node);
  await node.cluster.reached(3);
  const nodes = ['north', 'south', 'here'];
  const roster = nodes.flatMap((name) =>
    Array.from({ length: biddersANode }, (_, index) => `${name}-${index}`),
  );
  while (roster.some((name) => node.registry.lookup(name) === undefined)) await sleep(5);
  return {
    async round(seconds) {
      const times: number[] = [];
      const end = performance.now() + seconds * 1_000;
      while (performance.now() < end) {
        const before = performance.now();
        const { coordination } = node.mabeam;
        const session = coordination.start(vickreyAuction, lot, roster, { deadlineMs: 5_000 });
        const { participation } = await session.outcome;
        if (participation.ok !== roster.length) throw new Error('somebody has not bid');
        times.push(performance.now() - before);
      }
      return { value: quantile(times, 0.5), ops: times.length, cpuUsPerOp: null };
    },
    async close() {
      await node.stop();
      for (const server of servers) await server.stop();
    },
  };
}

/** 2,000 who propose and 2,000 who are proposed to, each of whom lists all others in an order of its own. */
function matching(): () => Promise<number> {
  const places = Array.from({ length: 2_000 }, (_, place) => place);
  const random = seededRandom('lists');
  const lists = (): number[][] =>
    places.map(() => {
      const list = [...places];
      for (let last = list.length - 1; last > 0; last--) {
        const other = random.int(last + 1);
        [list[last], list[other]] = [list[other] ?? 0, list[last] ?? 0];
      }
      return list;
    });
  const quotas = places.map(() => 1);
  const market = ranked({ proposers: lists(), receivers: lists(), quotas });
  // Before it counts, for the code to be warm.
  for (let run = 0; run < 20; run++) deferredAcceptance(market);
  return () => cpuMs(() => deferredAcceptance(market));
}

/** How much later than its deadline a session ends in which 1,000 processes say nothing, in ms. */
async function silence(): Promise<Session> {
  const node = await startNode({ cluster: 'off', profile: 'production' });
  const roster = Array.from({ length: 1_000 }, (_, index) => `mute-${index}`);
  await Promise.all(roster.map((name) => node.processes.start(mute, { name })));
  const deadlineMs = 500;
  return once(
    async () => {
      const before = performance.now();
      const { outcome } = node.mabeam.coordination.start(vickreyAuction, lot, roster, {
        deadlineMs,
      });
      const { silent } = (await outcome).participation;
      if (silent !== roster.length) throw new Error('somebody has said something');
      return performance.now() - before - deadlineMs;
    },
    () => node.stop(),
  );
}

import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { startNode, type Node } from '@foundation/core';
import {
  fisherMarket,
  verify,
  type CoordinateContext,
  type FisherResult,
  type Outcome,
} from '@foundation/core/mabeam';

import { supply, tenant, type Share } from './tenant.ts';
import { unitsOf } from './units.ts';

/** Who lives where, what it pays for, and what the goods are worth to it at first. */
const tenants = {
  training: { node: 'north', budget: 4, worth: [9, 1] },
  search: { node: 'north', budget: 2, worth: [1, 4] },
  website: { node: 'east', budget: 1, worth: [1, 2] },
  reports: { node: 'south', budget: 1, worth: [1, 1] },
} as const;
type Name = keyof typeof tenants;
const names = Object.keys(tenants) as Name[];
type Shares = Readonly<Partial<Record<Name, Share>>>;
const noShares: Shares = {};

const directory = mkdtempSync(join(tmpdir(), 'resource-market-'));
const children = new Map<string, ChildProcess>();
try {
  await run();
} finally {
  for (const child of children.values()) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}

async function run(): Promise<void> {
  const program = new URL('./park-node.ts', import.meta.url);
  for (const node of ['north', 'east', 'south']) {
    children.set(node, fork(program, [node, directory]));
  }
  await using desk = await startNode({ name: 'desk', clusterName: 'resource-market', directory });
  await until(() => desk.cluster.members().length === 4);
  const { agents, core, telemetry } = desk.mabeam;
  for (const [id, { node, worth }] of Object.entries(tenants)) {
    const init = { worth, share: { gpus: 0, memory: 0 } };
    await agents.register(id, { process: tenant, init, node, capabilities: ['rent'] });
  }

  let market: Outcome<FisherResult> | undefined;
  await core.registerVariable({
    id: 'park',
    type: 'custom',
    agents: names,
    initial: noShares,
    async coordinate({ decide }: CoordinateContext<Shares>) {
      const budgets = Object.fromEntries(names.map((id) => [id, tenants[id].budget]));
      market = await decide(fisherMarket, { goods: Object.keys(supply), budgets, tolerance: 1e-6 });
      return market.result && unitsOf(market.result);
    },
    apply: (value, before) => ({
      configure: Object.fromEntries(
        Object.entries(value)
          .filter(([id, share]) => !isDeepStrictEqual(before?.[id as Name], share))
          .map(([id, share]) => [id, { share }]),
      ),
    }),
    constraints: { check: [isWithinSupply] },
  });

  const divide = async (what: string): Promise<void> => {
    const { status, value } = await core.coordinate('park');
    console.log(`\n${what}\n`);
    await print(desk, value as Shares);
    const wrong = market === undefined ? [] : verify(fisherMarket, market);
    console.log(
      `\n${status}; prices ${pricesOf(market)}; wrong with it: ${wrong.join() || 'nothing'}`,
    );
  };

  await divide('Monday. Training buys gpus, search buys memory.');
  await desk.processes.named(tenant, 'training').needs([1, 3]);
  await divide('The model is trained: training wants memory now, and gpus are cheap.');
  children.get('east')?.kill('SIGKILL');
  await until(() => agents.get('website')?.status === 'lost');
  await divide('The node of the website is gone, and its share is divided among the others.');

  const { sessions = 0, participation } = telemetry.protocols().get('market.fisher') ?? {};
  console.log(
    `\n${sessions} markets, ${participation?.ok} answers, ${participation?.silent} missing`,
  );
}

function isWithinSupply(shares: Shares): string | undefined {
  const all = Object.values(shares);
  for (const good of Object.keys(supply) as (keyof Share)[]) {
    const used = all.reduce((sum, share) => sum + share[good], 0);
    if (used > supply[good]) return `${used} ${good}, of ${supply[good]}`;
  }
  return undefined;
}

/** What each tenant says that it has now. */
async function print(node: Node, shares: Shares): Promise<void> {
  console.log('tenant      gpus  memory');
  for (const id of names) {
    if (shares[id] === undefined) console.log(`${id.padEnd(10)}     –       –`);
    else {
      const { gpus, memory } = await node.processes.named(tenant, id).share();
      const bar = '█'.repeat(gpus) + '░'.repeat(memory / 4);
      console.log(
        `${id.padEnd(10)} ${String(gpus).padStart(5)} ${String(memory).padStart(7)}  ${bar}`,
      );
    }
  }
}

function pricesOf(market: Outcome<FisherResult> | undefined): string {
  const prices = market?.result?.prices.map((price) => price.toFixed(2)) ?? [];
  return Object.keys(supply)
    .map((good, at) => `${good} ${prices[at]}`)
    .join(', ');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20);
}

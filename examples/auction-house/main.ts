import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { startNode, type Node } from '@foundation/core';
import {
  englishAuction,
  verify,
  vickreyAuction,
  type EnglishSpec,
  type OpenAuctionResult,
  type Outcome,
  type Session,
} from '@foundation/core/mabeam';

import { seatsOf } from './bidder.ts';

const houses = ['Oslo', 'Lisbon', 'Budapest'] as const;
const painting: EnglishSpec = {
  lot: 'Still life with plums',
  start: 60n,
  increment: [
    { from: 0n, by: 10n },
    { from: 200n, by: 20n },
    { from: 300n, by: 25n },
  ],
};

const directory = mkdtempSync(join(tmpdir(), 'auction-house-'));
const children: ChildProcess[] = [];
try {
  await hold();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}

async function hold(): Promise<void> {
  const program = new URL('./house-node.ts', import.meta.url);
  for (const house of houses) children.push(fork(program, [house, directory]));
  await using node = await startNode({ name: 'desk', clusterName: 'auction-house', directory });
  const roster = await seated(node, 30);
  const { coordination } = node.mabeam;
  // The seed decides ties: here it is said, so that the example prints the same each time.
  const options = { deadlineMs: 10_000, seed: 'an example' };

  console.log(
    `\n"${painting.lot}", from ${painting.start}: ${roster.length} bidders on three nodes\n`,
  );
  const session = coordination.start(englishAuction, painting, roster, options);
  await call(session);
  const outcome = await session.outcome;
  printTable(outcome);
  console.log(
    `\nWhat is wrong with it: ${verify(englishAuction, outcome).join(', ') || 'nothing'}`,
  );

  // The same bidders, in another auction: nothing about them changes.
  const { lot } = painting;
  const sealed = coordination.start(vickreyAuction, { lot }, roster, options);
  const { result } = await sealed.outcome;
  console.log(`With sealed bids: ${result?.winner} at ${result?.price}, the second-best limit`);
}

/** Waits until all bidders are known here. */
async function seated(node: Node, count: number): Promise<readonly string[]> {
  for (;;) {
    const names = node.registry.withCapability('bid').flatMap(({ name }) => name ?? []);
    if (names.length >= count) return names.toSorted();
    await pause(20);
  }
}

/** Shows each price while the auction runs. */
async function call(session: Session<unknown>): Promise<void> {
  for await (const entry of session) {
    if (entry.kind !== 'emit') continue;
    const { price, active, asked } = entry.facts;
    const heads = '●'.repeat(Number(active)).padEnd(30, '·');
    console.log(`${String(price).padStart(5)}  ${heads}  ${String(asked).padStart(2)} asked`);
  }
}

/** The eight who stayed longest, with what only they knew. */
function printTable({ result, reasons }: Outcome<OpenAuctionResult>): void {
  const knownTo = new Map(houses.flatMap((house) => seatsOf(house)));
  const ranked = (result?.bids ?? []).toSorted((left, right) => Number(right.amount - left.amount));
  console.log('\nbidder       how      limit  stayed at');
  for (const { agent, amount } of ranked.slice(0, 8)) {
    const { temper = '', limit = 0n } = knownTo.get(agent) ?? {};
    const cells = [agent.padEnd(12), temper.padEnd(7), String(limit).padStart(6)];
    console.log(`${cells.join(' ')}  ${String(amount).padStart(9)}  ${reasons[agent]}`);
  }
  console.log(`… and ${Object.keys(reasons).length - 8} more`);
  console.log(`\nSold to ${result?.winner} at ${result?.price}`);
}

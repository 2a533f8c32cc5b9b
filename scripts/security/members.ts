import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startNode } from '../../packages/foundation/src/index.ts';
import { eventually } from '../../packages/testing/src/eventually.ts';
import type { Area } from './attempt.ts';
import { Mallory } from './mallory.ts';
import { forgeries, rumours, shares } from './member-forgeries.ts';
import { calls, packets, requests } from './member-packets.ts';
import { ledger, type Scene } from './scene.ts';

const secret = randomBytes(32);
const clusterName = 'test';

/** Members that send what no node of ours sends. */
export async function members(): Promise<Area> {
  const directory = mkdtempSync(join(tmpdir(), 'foundation-security-'));
  const options = {
    config: false,
    clusterName,
    directory,
    secret: secret.toString('base64url'),
  } as const;
  const here = await startNode({ ...options, name: 'here', processes: [ledger] });
  const good = await startNode({ ...options, name: 'good', processes: [ledger] });
  await here.cluster.reached(2);
  await here.processes.start(ledger, { name: 'ledger' });
  await good.processes.start(ledger, { name: 'other ledger' });
  await eventually('the names are known', () => here.registry.lookup('other ledger'));
  const address = here.cluster.members().find(({ isSelf }) => isSelf)?.address ?? '';
  const mallory = await Mallory.join(clusterName, secret, address);
  const scene = { here, good, mallory };
  return {
    attempts: [
      ...packets(scene),
      ...calls(scene),
      ...requests(scene),
      ...forgeries(scene),
      ...shares(scene),
      ...rumours(scene),
    ],
    damage: () => damage(scene),
    [Symbol.asyncDispose]: async () => {
      await mallory[Symbol.asyncDispose]();
      await Promise.all([here.stop(), good.stop()]);
      rmSync(directory, { recursive: true });
    },
  };
}

let lives: string | undefined;

/** The nodes go on in the same lives, and their processes with the same state. */
async function damage({ here, good }: Scene): Promise<string | undefined> {
  const alive = [here, good].map((node) => `${node.name} ${node.incarnation}`).join();
  lives ??= alive;
  if (alive !== lives) return `the lives are ${alive}`;
  const names = here.cluster.members().map(({ node }) => node);
  if (!names.includes('here') || !names.includes('good')) return `members are ${names.join()}`;
  const strangers = names.filter((name) => !['here', 'good', 'mallory'].includes(name));
  if (strangers.length > 0) return `${strangers.join()} is a member`;
  const sums = await Promise.all([
    here.ref(ledger, 'ledger').add(0),
    here.ref(ledger, 'other ledger').add(0),
    good.ref(ledger, 'ledger').add(0),
  ]);
  if (sums.some((sum) => sum !== 0)) return `the ledgers are at ${sums.join()}`;
  const strays = here.registry.all().filter(({ node }) => node === 'mallory');
  return strays.length > 0 ? `${strays[0]?.name} is registered` : undefined;
}

import { setTimeout as pause } from 'node:timers/promises';

import type { NodeOptions } from '@foundation/core';
import { eventually } from '@foundation/testing/lab';

import type { Goal, GoalRun } from '../goals/goal-program.ts';
import type { Verdict } from './cluster-node.ts';
import { LabCluster } from './lab-cluster.ts';
import { machineMs } from './machine-clock.ts';

const size = 10;
const phaseMs = 25_000;
/** Two nodes stand still for so long, in every so long. */
const freeze = { frozenMs: 3_000, everyMs: 3_500 };
/** Milliseconds after which nobody waits for a verdict any more. */
const giveUpMs = 60_000;

interface DetectorProfile {
  readonly name: string;
  readonly options: NodeOptions;
  /** Longest until all others know that a node is gone, in milliseconds. */
  readonly knownMs: number;
  readonly phases: readonly (keyof typeof phases)[];
}

const detectorProfiles: readonly DetectorProfile[] = [
  { name: 'lan', options: {}, knownMs: 8_000, phases: ['10 % loss', '30 % loss', 'two frozen'] },
  { name: 'fast', options: { detector: 'fast' }, knownMs: 3_000, phases: ['10 % loss'] },
];

/** What makes life hard for the nodes, while none of them is gone. Each tells how much of it there was. */
const phases = {
  '10 % loss': (cluster: LabCluster) => lose(cluster, 0.1),
  '30 % loss': (cluster: LabCluster) => lose(cluster, 0.3),
  'two frozen': freezeTwo,
};

/** G5. False verdicts while nobody is gone; then how long it takes until all know of one that is. */
export const detector: Goal = async (run) => {
  for (const profile of detectorProfiles) await judge(profile, run);
};

async function judge(profile: DetectorProfile, run: GoalRun): Promise<void> {
  const { seed, progress, report } = run;
  await using cluster = await LabCluster.open({ size, seed, options: profile.options });
  for (const phase of profile.phases) {
    const before = (await verdicts(cluster)).length;
    const effects = await phases[phase](cluster);
    const wrong = (await verdicts(cluster)).slice(before);
    progress(
      `${profile.name}, ${phase}: ${effects} times; ${wrong.length} verdicts ${summary(wrong)}`,
    );
    report.tell({
      goal: `G5 detector ${profile.name}, ${phase}`,
      value: wrong.length,
      limit: '0 false verdicts',
      ok: wrong.length === 0 && effects > 0,
      seed,
    });
    await cluster.formed();
  }
  await judgeDeath({ cluster, victim: 'n8', how: 'killed' }, profile, run);
  await judgeDeath({ cluster, victim: 'n9', how: 'cut off' }, profile, run);
}

interface Death {
  readonly cluster: LabCluster;
  readonly victim: string;
  /** A killed process's system resets its connections; one that is cut off is silent. */
  readonly how: 'killed' | 'cut off';
}

async function judgeDeath(
  { cluster, victim, how }: Death,
  { name, knownMs }: DetectorProfile,
  { report, seed, progress }: GoalRun,
): Promise<void> {
  const survivors = cluster.names.filter((each) => each !== victim && cluster.node(each).isRunning);
  if (how === 'cut off') await cluster.lab.cut([victim], survivors);
  // Before it is killed: others may know of its end earlier than this program.
  const goneAt = machineMs();
  await cluster.node(victim).kill();
  const known = await eventually(
    `all know that ${victim} is gone`,
    async () => {
      const told = (await verdicts(cluster)).filter(
        ({ about, at }) => about === victim && at >= goneAt,
      );
      return new Set(told.map(({ by }) => by)).size === survivors.length && told;
    },
    { timeoutMs: giveUpMs, everyMs: 50 },
  );
  const value = Math.round(Math.max(...known.map(({ at }) => at)) - goneAt);
  progress(`${name}: all know after ${value} ms that ${victim} was ${how}`);
  report.tell({
    goal: `G5 detector ${name}, kill -9 of one that is ${how === 'killed' ? 'reachable' : how}`,
    value,
    limit: `<= ${knownMs} ms until all know`,
    ok: value <= knownMs,
    seed,
  });
}

async function verdicts(cluster: LabCluster): Promise<readonly Verdict[]> {
  const running = cluster.names
    .map((name) => cluster.node(name))
    .filter(({ isRunning }) => isRunning);
  return (await Promise.all(running.map((node) => node.ask('verdicts')))).flat();
}

async function lose(cluster: LabCluster, lossRatio: number): Promise<number> {
  const { lost } = await cluster.lab.traffic();
  await cluster.lab.impair({ lossRatio });
  await pause(phaseMs);
  await cluster.lab.heal();
  return (await cluster.lab.traffic()).lost - lost;
}

async function freezeTwo(cluster: LabCluster): Promise<number> {
  const frozen = ['n0', 'n1'].map((name) => cluster.node(name));
  const rounds = Math.round(phaseMs / freeze.everyMs);
  for (let round = 0; round < rounds; round++) {
    for (const node of frozen) node.freeze();
    await pause(freeze.frozenMs);
    for (const node of frozen) node.thaw();
    await pause(freeze.everyMs - freeze.frozenMs);
  }
  return frozen.length * rounds;
}

function summary(wrong: readonly Verdict[]): string {
  return wrong
    .slice(0, 10)
    .map(({ by, about, reason }) => `${by}: ${about} ${reason}`)
    .join(', ');
}

import { startNode, type Node } from '@foundation/core';

import { makeEvaluator } from './evaluator.ts';
import { judge } from './judge.ts';
import { ledger } from './ledger.ts';
import { member, type CorpusSeed } from './member.ts';
import { modelNames } from './models.ts';

/** What the launcher gives a node on its command line. */
export interface TeamNodeArguments extends CorpusSeed {
  readonly name: string;
  readonly clusterName: string;
  /** Where the cluster's file and secret are. */
  readonly directory: string;
  /** Members in the whole cluster. */
  readonly nodes: number;
}

/** One node of the cluster, as a process of its own: `node team-node.ts '{"name":…}'`. */
async function main({
  name,
  clusterName,
  directory,
  nodes,
  ...seed
}: TeamNodeArguments): Promise<void> {
  let self: Node | undefined = undefined;
  const evaluator = makeEvaluator(() => self as unknown as Node);
  const node = await startNode({
    name,
    clusterName,
    directory,
    processes: [ledger, judge, member, evaluator],
  });
  self = node;
  process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)));
  process.once('disconnect', () => process.exit(0));
  await node.cluster.reached(nodes, 60_000);

  const strategy = 'singleton';
  await node.processes.start(ledger, { name: 'ledger', strategy });
  // One of each on every node. They are the cluster's, not the node's: if it goes, others start them again.
  const { agents } = node.mabeam;
  await agents.register(`judge@${name}`, {
    process: judge,
    init: seed,
    strategy,
    capabilities: judge.capabilities,
  });
  await Promise.all(
    modelNames.map((model) =>
      agents.register(`${model}@${name}`, {
        process: member,
        init: { model, ...seed },
        strategy,
        capabilities: [`identify:${model}`],
      }),
    ),
  );
  await agents.register(`evaluator@${name}`, {
    process: evaluator,
    init: { name: `evaluator@${name}` },
    strategy,
    capabilities: ['evaluate'],
  });
}

await main(JSON.parse(process.argv[2] ?? '{}') as TeamNodeArguments);

import type { DemoResult, TeamResult } from './demo-result.ts';
import { modelNames } from './models.ts';

/** The result as people read it. */
export function report(result: DemoResult): string {
  const { killed, story } = result;
  const { lastSale } = story;
  return [
    '',
    table(result),
    '',
    plot(result),
    '',
    `The best team: ${describe(result.best)}.`,
    'franc was trained on this very text and eld runs with its smallest data set: the lesson is the team, not the ranking.',
    '',
    `cluster formed in         ${result.formationMs} ms (${result.nodes} nodes, from their start)`,
    `evaluations               ${result.evaluationsPerSecond} a second; each placed by an auction (${result.auctions})`,
    ...(lastSale === undefined
      ? []
      : [
          `  the last auction:       ${lastSale.bids.map(({ agent, amount }) => `${agent} bid ${amount}`).join(', ')}`,
          `                          ${lastSale.winner} won and is paid ${lastSale.price} (1000 is one evaluation)`,
        ]),
    ...(killed === null
      ? ['killed                    nobody']
      : [
          `killed                    ${killed.node} after ${killed.atCandidate} evaluations, with ${killed.inFlight} under way on it`,
          `ledger answers again      ${killed.ledgerRecoveryMs} ms after the kill, its count intact`,
          `first by a replacement    ${killed.recoveryMs} ms after the kill`,
        ]),
    ...moved(result),
    `steps asked again         ${story.retries}, since their agent had died`,
    `evaluations lost          ${result.lost}`,
    `evaluations doubled       ${result.doubled} (told twice and counted once: ${story.repeated})`,
    `measured, ms a snippet    ${modelNames.map((name) => `${name} ${story.measuredMs[name].toFixed(2)}`).join(', ')} (the costs are a fixed table)`,
  ].join('\n');
}

function moved({ story }: DemoResult): readonly string[] {
  if (story.moved.length === 0) return [];
  const homes = Map.groupBy(story.moved, ({ node }) => node);
  return [...homes].map(
    ([node, agents]) => `  started again on ${node}: ${agents.map(({ name }) => name).join(', ')}`,
  );
}

function table({ best, bestSingle, everyoneVotes, cheapest }: DemoResult): string {
  const rows: readonly (readonly [string, TeamResult])[] = [
    [`best single model (${bestSingle.model})`, bestSingle],
    ['everybody votes', everyoneVotes],
    ['best team', best],
    ['cheapest within 1 point', cheapest],
  ];
  const head = `${''.padEnd(30)}${['validation', 'test', 'cost'].map((word) => word.padStart(12)).join('')}`;
  const lines = rows.map(([name, { validation, test, cost }]) =>
    [name.padEnd(30), percent(validation), percent(test), cost.toFixed(3).padStart(12)].join(''),
  );
  return [head, ...lines].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`.padStart(12);
}

function describe({ first, threshold, weights }: TeamResult): string {
  const votes = modelNames
    .filter((name) => weights[name] > 0)
    .map((name) => `${name}×${weights[name]}`);
  const vote = votes.length === 0 ? 'nobody votes' : `${votes.join(', ')} vote`;
  return first === 'none'
    ? vote
    : `${first} answers where it is surer than ${threshold}, elsewhere ${vote}`;
}

const width = 56;
const height = 12;

/** The Pareto front: validation accuracy against cost. */
function plot({ pareto, bestSingle, everyoneVotes }: DemoResult): string {
  const points = [
    ...pareto.map(({ cost, validation }) => ({ cost, validation, mark: '●' })),
    { cost: everyoneVotes.cost, validation: everyoneVotes.validation, mark: 'E' },
    { cost: bestSingle.cost, validation: bestSingle.validation, mark: 'S' },
  ];
  const costMax = Math.max(...points.map(({ cost }) => cost), 0.001);
  const high = Math.max(...points.map(({ validation }) => validation));
  const low = Math.min(...points.map(({ validation }) => validation), high - 0.001);
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  for (const { cost, validation, mark } of points) {
    const row = Math.round(((high - validation) / (high - low)) * (height - 1));
    const column = Math.round((cost / costMax) * (width - 1));
    const line = grid[row];
    if (line !== undefined) line[column] = mark;
  }
  const label = (row: number): string =>
    percent(high - ((high - low) * row) / (height - 1)).padStart(9);
  const body = grid.map((line, row) => `${label(row)} │${line.join('').trimEnd()}`);
  return [
    'Pareto front: accuracy on validation against cost (● team, S best single model, E everybody votes)',
    ...body,
    `${''.padEnd(13)}└${'─'.repeat(width)}`,
    `${''.padEnd(14)}0${costMax.toFixed(2).padStart(width - 1)}`,
  ].join('\n');
}

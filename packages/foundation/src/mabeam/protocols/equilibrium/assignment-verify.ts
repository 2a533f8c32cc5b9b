import { shown } from '../../parse.ts';
import type { Claim } from '../../protocol.ts';
import { likingAt, rivalsOf } from './assignment-clock.ts';
import { isValues } from './assignment-questions.ts';
import type { AssignmentResult, AssignmentTerms } from './assignment-spec.ts';
import { emptyMatching } from './matching.ts';

/**
 * Checks that everybody has what it says it likes best, that nothing has risen that is not sold, and, where all have said
 * values, that no price could be lower.
 */
export function assignmentProblems(
  { goods, reserves }: AssignmentTerms,
  { result }: Claim<AssignmentResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { prices, buyers } = result;
  const problems: string[] = [];
  const matching = emptyMatching(buyers.length, goods.length);
  const likings = buyers.map(({ said }) => likingAt(prices, goods, said));
  for (const [index, { agent, good: name }] of buyers.entries()) {
    const { wants, orNothing } = likings[index] ?? likingAt(prices, goods, { wants: [] });
    if (name === undefined) {
      if (!orNothing) problems.push(`${agent} has nothing, and would rather have something`);
      continue;
    }
    const good = goods.indexOf(name);
    if (!wants.includes(good))
      problems.push(`${agent} has ${shown(name)}, and likes others better`);
    if ((matching.buyerOf[good] ?? -1) >= 0) problems.push(`${shown(name)} is sold twice`);
    matching.buyerOf[good] = index;
    matching.goodOf[index] = good;
  }
  // Who speaks of one price at a time may have given up between two: then it is a unit too high.
  const isExact = buyers.every(({ said }) => isValues(said));
  const rivals = rivalsOf(likings, { prices, reserves }, matching);
  for (const [good, name] of goods.entries()) {
    const [price = 0n, reserve = 0n] = [prices[good], reserves[good]];
    if (price < reserve) problems.push(`the price of ${shown(name)} is below its reserve`);
    if (price <= reserve) continue;
    if ((matching.buyerOf[good] ?? -1) < 0) {
      problems.push(`${shown(name)} is not sold, though its price has risen`);
    } else if (isExact && !rivals.has(good)) {
      problems.push(`the price of ${shown(name)} is higher than anybody makes it`);
    }
  }
  return problems;
}

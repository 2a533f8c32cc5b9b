import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import { shown } from '../parse.ts';
import type { PureEnv, TellEffect, Tie } from '../protocol.ts';
import type { AuctionSide } from './auction-terms.ts';
import type { MarginalBid } from './marginals.ts';
import { ration, sumOf } from './ration.ts';

/** How many units there are, and what bids for them are worth to the auctioneer. */
export interface UnitTerms {
  readonly units: number;
  readonly worth: (amount: Amount) => bigint;
  /** The worst worth at which a unit changes hands. */
  readonly floor: bigint;
}

/** Which marginal bids win: the best ones, as many as there are units. */
export interface UnitClearing {
  /** Units that change hands: fewer than there are if fewer are wanted. Above 0. */
  readonly sold: number;
  /** Worth of the worst unit that wins. */
  readonly threshold: bigint;
  /** Units of each bid, in the order of the bids. */
  readonly standings: readonly Standing[];
  /** Worths of all marginal bids that are met by no unit, worst first. */
  readonly losing: BigInt64Array;
}

interface Standing {
  /** Units that are better than the threshold: they win. */
  readonly above: number;
  /** Units at the threshold: they win if there are enough units, or by draw. */
  readonly equal: number;
}

/** What somebody has won. */
export interface UnitAward {
  readonly agent: AgentId;
  /** Above 0. */
  readonly units: number;
  /** What it pays for all of them (`buy`: is paid). */
  readonly payment: Amount;
}

/** Body of the `award` notice, which everybody gets who has won units. */
export interface UnitAwardNotice extends Omit<UnitAward, 'agent'> {
  readonly lot: string;
  readonly side: AuctionSide;
}

/**
 * Gives the units to the best marginal bids. Needs O(N log N) for N marginals.
 *
 * @returns nothing if nobody wants a unit at the floor.
 */
export function clearUnits(
  bids: readonly MarginalBid[],
  terms: UnitTerms,
): UnitClearing | undefined {
  const admitted = bids.map((bid) => admittedWorths(bid, terms));
  const sorted = BigInt64Array.from(admitted.flat()).toSorted();
  const sold = Math.min(terms.units, sorted.length);
  const threshold = sorted[sorted.length - sold];
  if (threshold === undefined) return undefined;
  const standings = admitted.map((worths) => {
    const above = countWhile(worths, (worth) => worth > threshold);
    return { above, equal: countWhile(worths, (worth) => worth >= threshold) - above };
  });
  return { sold, threshold, standings, losing: sorted.subarray(0, sorted.length - sold) };
}

/** Nobody can win more units than there are: what is bid for further ones says nothing. */
function admittedWorths({ marginals }: MarginalBid, terms: UnitTerms): readonly bigint[] {
  const worths = marginals.slice(0, terms.units).map(terms.worth);
  return worths.slice(
    0,
    countWhile(worths, (worth) => worth >= terms.floor),
  );
}

/** How many of the first ones are as they should be. */
function countWhile(worths: readonly bigint[], holds: (worth: bigint) => boolean): number {
  const end = worths.findIndex((worth) => !holds(worth));
  return end === -1 ? worths.length : end;
}

/** Units that each bid wins; absent when it takes a draw and the rule is to report it. */
export function winningUnits(
  bids: readonly MarginalBid[],
  { sold, standings }: UnitClearing,
  draw: { readonly lot: string; readonly env: PureEnv },
): { readonly won?: readonly number[]; readonly tie?: Tie } {
  const claims = bids.map(({ agent }, index) => ({ agent, units: standings[index]?.equal ?? 0 }));
  const units = sold - sumOf(standings.map(({ above }) => above));
  const how = { units, rule: 'priority', label: `units of ${draw.lot}` } as const;
  const { shares, ...tie } = ration(
    claims.filter((claim) => claim.units > 0),
    how,
    draw.env,
  );
  if (shares === undefined) return tie;
  const won = bids.map(
    ({ agent }, index) => (standings[index]?.above ?? 0) + (shares.get(agent) ?? 0),
  );
  return { won, ...tie };
}

/**
 * What others would have got for the units that somebody has won, one worth a unit, best first: the best losing bids
 * that are not its own, and the floor where there are none (Vickrey 1961). Their sum is what it takes from the others.
 */
export function displacedWorths(
  bid: MarginalBid,
  won: number,
  { losing, ...terms }: UnitTerms & Pick<UnitClearing, 'losing'>,
): readonly bigint[] {
  // Both lists are sorted, so that its own bids come up among all the losing ones in their order.
  const own = admittedWorths(bid, terms).slice(won);
  let passed = 0;
  let next = losing.length - 1;
  const displaced: bigint[] = [];
  while (displaced.length < won) {
    const worth = losing[next] ?? terms.floor;
    next--;
    if (worth === own[passed]) passed++;
    else displaced.push(worth);
  }
  return displaced;
}

/** Tells each winner what it has won. */
export function unitAwardNotices(result: {
  readonly lot: string;
  readonly side: AuctionSide;
  readonly awards: readonly UnitAward[];
}): readonly TellEffect[] {
  const { lot, side } = result;
  return result.awards.map(({ agent, units, payment }) => {
    const body: UnitAwardNotice = { lot, side, units, payment };
    return { kind: 'tell', to: [agent], type: 'award', body };
  });
}

/**
 * What is wrong with awards, given the bids. Who wins units at the threshold takes the seed: that is left to a replay.
 *
 * @param due - what a bidder has to pay for so many units.
 */
export function awardProblems(
  {
    awards,
    bids,
  }: { readonly awards: readonly UnitAward[]; readonly bids: readonly MarginalBid[] },
  { sold, standings }: UnitClearing,
  due: (bid: MarginalBid, units: number) => Amount,
): string[] {
  const problems: string[] = [];
  const awarded = new Map(awards.map((award) => [award.agent, award]));
  for (const [index, bid] of bids.entries()) {
    const { agent } = bid;
    const { above, equal } = standings[index] ?? { above: 0, equal: 0 };
    const { units = 0, payment = 0n } = awarded.get(agent) ?? {};
    awarded.delete(agent);
    const isRight = Number.isInteger(units) && units >= above && units <= above + equal;
    if (!isRight) problems.push(`${agent}: ${units} units, not ${above} to ${above + equal}`);
    else if (payment !== due(bid, units)) {
      problems.push(`${agent}: pays ${shown(payment)} for ${units} units, not ${due(bid, units)}`);
    }
  }
  for (const stranger of awarded.keys()) problems.push(`${stranger} has won and has not bid`);
  const given = sumOf(awards.map(({ units }) => units));
  if (given !== sold) problems.push(`${given} units have been won, not ${sold}`);
  return problems;
}

/** Who has bid and is not in the roster, or has bid twice. */
export function bidderProblems(
  bids: readonly MarginalBid[],
  roster: readonly AgentId[],
): readonly string[] {
  const left = new Set(roster);
  return bids
    .filter(({ agent }) => !left.delete(agent))
    .map(({ agent }) => `${agent} has bid twice, or is not in the roster`);
}

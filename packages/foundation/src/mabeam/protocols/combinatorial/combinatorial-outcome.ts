import type { Amount } from '../../amount.ts';
import type { AgentId } from '../../message.ts';
import type {
  Answer,
  Certificate,
  Decision,
  Effect,
  LossReason,
  OutcomeStatus,
  TellEffect,
  Tie,
} from '../../protocol.ts';
import { type AuctionSide, worthOf } from '../auction-terms.ts';
import type { PackagePricing, ResolvedSpec } from './combinatorial-spec.ts';
import type { Coalition, Payments } from './core-payments.ts';
import type { GoodPrices } from './good-prices.ts';
import { type Allocation, type Lots, lotsOf, welfareOf } from './lots.ts';
import type { PackageReply, PlacedPackageBid } from './package-bids.ts';

/** How a combinatorial auction ended. */
export interface CombinatorialResult {
  readonly side: AuctionSide;
  /** How prices were set; `first` too where it ended as `limit_reached`. */
  readonly pricing: PackagePricing;
  /** Every bid that counted, in the order of the roster. */
  readonly bids: readonly PlacedPackageBid[];
  /** In the order of the roster. */
  readonly winners: readonly PackageWinner[];
  /** Σ of the amounts of the bids that win. */
  readonly welfare: Amount;
  /** Σ of the prices. */
  readonly total: Amount;
}

/** Who wins, and what. */
export interface PackageWinner {
  readonly agent: AgentId;
  /** Its bids that win, by their places in {@link CombinatorialResult.bids}. */
  readonly bids: readonly number[];
  /** Σ of their amounts. */
  readonly amount: Amount;
  /** What it pays for all of them (`buy`: is paid). */
  readonly price: Amount;
}

/** Body of the `result` notice, which everybody gets whose answer counted. */
export interface PackageNotice {
  readonly status: OutcomeStatus;
  /** Its bids that win, by their places in its answer. */
  readonly won: readonly number[];
  /** What it pays (`buy`: is paid) for all of them. */
  readonly price?: Amount;
}

/** What a certificate of a combinatorial auction says beside bound and gap. */
export interface PackageEvidence {
  /** Name and version of the solver whose word it is that nothing is better. */
  readonly solver: string;
  /** Prices of goods that prove a bound without a solver. */
  readonly goods?: GoodPrices;
  /** Whether another allocation is as good: `unchecked` if that was not found out in time. */
  readonly ties: 'none' | 'broken' | 'reported' | 'unchecked';
  /** What all bids would be worth without each winner, which its price follows from. */
  readonly without?: Readonly<Record<AgentId, Amount>>;
  /** Groups whose offers make these winners pay at least so much together; `buy`: be paid at most. */
  readonly coalitions?: readonly { readonly payers: readonly AgentId[]; readonly amount: Amount }[];
}

/** The bids of a session, and what else is to be said of who answered. */
export interface Table {
  readonly spec: ResolvedSpec;
  readonly lots: Lots;
  readonly placed: readonly PlacedPackageBid[];
  /** Who answered, and with how many bids that count. */
  readonly bidders: readonly (readonly [agent: AgentId, bids: number])[];
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
}

/** Winners, and what is known of them. */
export interface Found {
  readonly allocation: Allocation;
  /** What no allocation is worth more than; undefined if nothing is known. */
  readonly bound: bigint | undefined;
  readonly solver: string;
  readonly goods: GoodPrices | undefined;
  readonly ties: PackageEvidence['ties'];
  readonly tie?: Tie;
}

/** What winners pay, and why; in worths. */
export interface Priced {
  readonly pricing: PackagePricing;
  readonly payments: Payments;
  readonly without?: readonly bigint[];
  readonly coalitions?: readonly Coalition[];
}

/** Reads the answers: bids on goods that there are, within the limits. Others do not count, with all of their sender. */
export function tableOf(
  spec: ResolvedSpec,
  answers: readonly Answer<PackageReply>[],
  bidsMax: number,
): Table {
  const known = new Set(spec.goods.map(({ name }) => name));
  const placed: PlacedPackageBid[] = [];
  const bidders: [AgentId, number][] = [];
  const reasons: [AgentId, LossReason][] = [];
  for (const answer of answers) {
    if (answer.kind !== 'ok') continue;
    const { from, body } = answer;
    if (!isWithin(body, { ...spec, bidsMax }, known)) {
      reasons.push([from, 'invalid']);
      continue;
    }
    bidders.push([from, body.bids.length]);
    if (body.bids.length === 0) reasons.push([from, 'declined']);
    for (const bid of body.bids) placed.push({ agent: from, ...bid });
  }
  const lots = lotsOf(spec.side, spec.goods, placed);
  return { spec, lots, placed, bidders, reasons: Object.fromEntries(reasons) };
}

// oxlint-disable-next-line max-params -- what, how much of it, of what
function isWithin(
  { bids }: PackageReply,
  { bidsMax, unitsMax, groupsMax }: ResolvedSpec,
  known: ReadonlySet<string>,
): boolean {
  if (bids.length > bidsMax) return false;
  if (new Set(bids.map(({ xorGroup }) => xorGroup)).size > groupsMax) return false;
  return bids.every(
    ({ goods }) => goods.length <= unitsMax && goods.every((name) => known.has(name)),
  );
}

/** Who wins, in the order of the roster, with its bids and what they are worth. */
export function winnersOf(
  lots: Lots,
  allocation: Allocation,
): readonly { readonly agent: AgentId; readonly bids: Allocation; readonly worth: bigint }[] {
  const own = Map.groupBy(allocation, (index) => lots.bids[index]?.agent ?? '');
  return [...own].map(([agent, bids]) => ({ agent, bids, worth: welfareOf(lots, bids) }));
}

/** Ends the session, and lets everybody know who bid. */
export function closed(
  { bidders, reasons }: Table,
  settled: Decision<CombinatorialResult>,
): readonly Effect<CombinatorialResult>[] {
  const winners = new Map(settled.result?.winners.map((winner) => [winner.agent, winner]));
  let first = 0;
  const notices = bidders.map(([agent, count]): TellEffect => {
    const winner = winners.get(agent);
    const won = winner?.bids.map((index) => index - first) ?? [];
    first += count;
    const price = winner === undefined ? {} : { price: winner.price };
    const body: PackageNotice = { status: settled.status, won, ...price };
    return { kind: 'tell', to: [agent], type: 'result', body };
  });
  const decision = { ...settled, reasons: { ...settled.reasons, ...reasons } };
  return [...notices, { kind: 'finish', decision }];
}

/** What everybody who bid has lost by, when nobody wins. */
export function allLost({ bidders }: Table, reason: LossReason): Record<AgentId, LossReason> {
  return Object.fromEntries(bidders.map(([agent]) => [agent, reason]));
}

/** Winners and prices, in amounts. */
export function decided(table: Table, found: Found, priced: Priced): Decision<CombinatorialResult> {
  const { lots, placed: bids } = table;
  const amount = worthOf(lots.side);
  const winners = winnersOf(lots, found.allocation).map(
    ({ agent, bids: own, worth }, place): PackageWinner => {
      const price = amount(priced.payments[place] ?? worth);
      return { agent, bids: own, amount: amount(worth), price };
    },
  );
  const result: CombinatorialResult = {
    side: lots.side,
    pricing: priced.pricing,
    bids,
    winners,
    welfare: amount(welfareOf(lots, found.allocation)),
    total: winners.reduce((sum, { price }) => sum + price, 0n),
  };
  const won = new Set(winners.map(({ agent }) => agent));
  const tied = new Set(found.tie?.among);
  const reasons = table.bidders.map(([agent]): [AgentId, LossReason] => {
    if (won.has(agent)) return [agent, 'won'];
    return [agent, tied.has(agent) ? 'tie_lost' : 'outbid'];
  });
  return {
    status: 'decided',
    result,
    ...(found.tie === undefined ? {} : { tie: found.tie }),
    certificate: certificateOf(table, found, priced),
    reasons: Object.fromEntries(reasons),
  };
}

/** How good an allocation is, and how good any could be. */
export function certificateOf({ lots }: Table, found: Found, priced?: Priced): Certificate {
  const { bound, solver, goods, ties, allocation } = found;
  const amount = worthOf(lots.side);
  const winners = winnersOf(lots, allocation);
  const without = priced?.without?.map((welfare, place): [AgentId, Amount] => [
    winners[place]?.agent ?? '',
    amount(welfare),
  ]);
  const coalitions = priced?.coalitions?.map(({ payers, least }) => ({
    payers,
    amount: amount(least),
  }));
  const evidence: PackageEvidence = {
    solver,
    ties,
    ...(goods === undefined ? {} : { goods }),
    ...(without === undefined ? {} : { without: Object.fromEntries(without) }),
    ...(coalitions === undefined ? {} : { coalitions }),
  };
  const known =
    bound === undefined
      ? {}
      : { bound: Number(amount(bound)), gap: Number(bound - welfareOf(lots, allocation)) };
  return { kind: 'optimality', ...known, data: { ...evidence } };
}

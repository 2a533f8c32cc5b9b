import type { AgentId } from '../../message.ts';
import type { MipColumn, MipModel, MipRow } from '../../solver.ts';
import { type Allocation, type Lots, welfareOf } from './lots.ts';
import { goodRows } from './winner-model.ts';

/** Who wins, for what, and between which amounts a core price lies. */
export interface CoreWinner {
  readonly agent: AgentId;
  /** What its winning bids are worth: it never pays more. */
  readonly worth: bigint;
  /** What its presence costs the others: it never pays less. */
  readonly vcg: bigint;
}

/** Bidders who have offered so much that these winners must pay `least` together. */
export interface Coalition {
  readonly payers: readonly AgentId[];
  readonly least: bigint;
}

/** What is known of the core so far. All amounts are worths: what is paid to a winner is negative. */
export interface Core {
  readonly winners: readonly CoreWinner[];
  readonly coalitions: readonly Coalition[];
}

/** Payments in the order of the winners. */
export type Payments = readonly bigint[];

/**
 * The least that all pay together within the coalitions that are known (Day and Raghavan 2007). Each column is what a
 * winner pays beyond its VCG payment, as part of the widest range there is: numbers near 1 suit a solver.
 */
export function totalModel(core: Core): MipModel {
  return { sense: 'minimize', columns: columnsOf(core, { worth: 1 }), rows: rowsOf(core) };
}

/** Of all payments with that total those nearest to VCG, by the sum of squares (Day and Cramton 2012). */
export function nearestModel(core: Core, total: number): MipModel {
  const all = core.winners.map((_, index) => [index, 1] as const);
  // Room for the tolerance with which the total was found.
  const atMost: MipRow = { terms: all, most: total + 1e-9 };
  return {
    sense: 'minimize',
    columns: columnsOf(core, { worth: 0, square: 2 }),
    rows: [...rowsOf(core), atMost],
  };
}

function columnsOf(core: Core, objective: Pick<MipColumn, 'worth' | 'square'>): MipColumn[] {
  const range = rangeOf(core);
  return core.winners.map(({ worth, vcg }) => ({ ...objective, most: part(worth - vcg, range) }));
}

function rowsOf(core: Core): readonly MipRow[] {
  const range = rangeOf(core);
  const places = new Map(core.winners.map(({ agent }, place) => [agent, place]));
  return core.coalitions.map(({ payers, least }) => {
    const known = payers.map((agent) => places.get(agent) ?? 0);
    const vcg = known.reduce((sum, place) => sum + (core.winners[place]?.vcg ?? 0n), 0n);
    return { terms: known.map((place) => [place, 1] as const), least: part(least - vcg, range) };
  });
}

function rangeOf({ winners }: Core): bigint {
  return winners.reduce((most, { worth, vcg }) => (worth - vcg > most ? worth - vcg : most), 1n);
}

function part(amount: bigint, range: bigint): number {
  return Number(amount) / Number(range);
}

/**
 * Whole payments from those of a solver: rounded down, and what a coalition is short of then is added, a unit each at
 * first to those who were rounded down most. So they hold exactly, whatever tolerances the solver has.
 */
export function wholePayments(core: Core, values: readonly number[]): Payments {
  const range = Number(rangeOf(core));
  const slack = Math.max(1e-4, range * 1e-8);
  const beyond = core.winners.map((_, place) => (values[place] ?? 0) * range + slack);
  const payments = core.winners.map(({ worth, vcg }, place) => {
    const payment = vcg + BigInt(Math.max(Math.floor(beyond[place] ?? 0), 0));
    return payment > worth ? worth : payment;
  });
  const lost = (place: number): number => (beyond[place] ?? 0) % 1;
  const order = core.winners
    .map((_, place) => place)
    .toSorted((one, other) => lost(other) - lost(one));
  for (const { payers, least } of core.coalitions) {
    let short = least - paidBy(core, payments, payers);
    for (const most of [1n, short]) {
      for (const place of order) {
        const { agent, worth } = core.winners[place] ?? { agent: '', worth: 0n };
        if (!payers.includes(agent)) continue;
        const more = smallest([short, most, worth - (payments[place] ?? 0n)]);
        payments[place] = (payments[place] ?? 0n) + more;
        short -= more;
      }
    }
  }
  return payments;
}

/** At least 0. */
function smallest(amounts: readonly bigint[]): bigint {
  const least = amounts.reduce((low, amount) => (amount < low ? amount : low));
  return least > 0n ? least : 0n;
}

// oxlint-disable-next-line max-params -- among whom, what, by whom
function paidBy({ winners }: Core, payments: Payments, payers: readonly AgentId[]): bigint {
  return winners.reduce(
    (sum, { agent }, place) => (payers.includes(agent) ? sum + (payments[place] ?? 0n) : sum),
    0n,
  );
}

/**
 * The allocation that is worth most to those who would have it, when each winner keeps the surplus that its payment
 * leaves it. If it is worth more than what is paid, those who have it could offer more for the goods.
 */
export function separationModel(lots: Lots, core: Core, payments: Payments): MipModel {
  const places = new Map(core.winners.map(({ agent }, place) => [agent, lots.bids.length + place]));
  const bids = lots.bids.map((bid): MipColumn => {
    return { worth: Number(bid.worth), most: bid.canWin ? 1 : 0, isWhole: true };
  });
  const surpluses = core.winners.map(({ worth }, place): MipColumn => {
    return { worth: -Number(worth - (payments[place] ?? 0n)), most: 1 };
  });
  const groups = lots.groups.map((group): MipRow => {
    const terms = group.map((index) => [index, 1] as const);
    const winner = places.get(lots.bids[group[0] ?? 0]?.agent ?? '');
    return winner === undefined ? { terms, most: 1 } : { terms: [...terms, [winner, -1]], most: 0 };
  });
  return { columns: [...bids, ...surpluses], rows: [...goodRows(lots), ...groups] };
}

/** Who would rather have that allocation; nobody if it is worth no more than what is paid. */
export function coalitionIn(
  lots: Lots,
  { core, payments }: { readonly core: Core; readonly payments: Payments },
  allocation: Allocation,
): Coalition | undefined {
  const members = new Set(allocation.map((index) => lots.bids[index]?.agent));
  const payers = core.winners.filter(({ agent }) => !members.has(agent));
  const kept = core.winners.filter(({ agent }) => members.has(agent));
  const least = welfareOf(lots, allocation) - kept.reduce((sum, { worth }) => sum + worth, 0n);
  const agents = payers.map(({ agent }) => agent);
  return paidBy(core, payments, agents) < least ? { payers: agents, least } : undefined;
}

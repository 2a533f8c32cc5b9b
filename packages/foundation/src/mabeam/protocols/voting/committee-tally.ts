import { favouritesOf, type Profile } from './profile.ts';

// Committees of approval ballots: Lackner and Skowron 2023, "Multi-Winner Voting with Approval Preferences".

/** Most committees that a search goes through. */
export const committeesMax = 50_000;

/** Approvals as equal ballots: what counts is which options they name. */
export interface Approvals {
  readonly size: number;
  readonly groups: readonly { readonly weight: number; readonly approved: readonly number[] }[];
}

/** Puts equal ballots together. */
export function approvalsOf({ size, votes }: Profile): Approvals {
  const groups = new Map<string, { weight: number; readonly approved: readonly number[] }>();
  for (const { weight, grades } of votes) {
    const approved = favouritesOf(grades);
    const key = approved.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { weight, approved });
    else group.weight += weight;
  }
  return { size, groups: [...groups.values()] };
}

/** Number of approvals of each option (AV). */
export function approvalCounts({ size, groups }: Approvals): readonly bigint[] {
  return summed(size, groups, () => 1n);
}

/** Each ballot is one vote, which is shared by all it approves (satisfaction AV; Brams and Kilgour 2014). */
export function sharedApprovals({ size, groups }: Approvals): readonly bigint[] {
  const whole = leastMultiple(groups.map(({ approved }) => approved.length));
  return summed(size, groups, ({ approved }) => whole / BigInt(approved.length));
}

// oxlint-disable-next-line max-params -- over what, of whom, how much
function summed(
  size: number,
  groups: Approvals['groups'],
  worth: (group: Approvals['groups'][number]) => bigint,
): readonly bigint[] {
  const sums = Array.from({ length: size }, () => 0n);
  for (const group of groups) {
    if (group.approved.length === 0) continue;
    const each = BigInt(group.weight) * worth(group);
    for (const option of group.approved) sums[option] = (sums[option] ?? 0n) + each;
  }
  return sums;
}

/**
 * Every best committee by proportional approval voting (Thiele 1895): a ballot is worth 1 + 1/2 + … + 1/j with j of
 * its options elected. Goes through all committees, so there may be at most {@link committeesMax}.
 */
export function bestCommittees(
  { size, groups }: Approvals,
  seats: number,
): readonly (readonly number[])[] {
  const whole = leastMultiple(Array.from({ length: seats }, (_, index) => index + 1));
  const approvers = Array.from({ length: size }, (): number[] => []);
  for (const [index, { approved }] of groups.entries()) {
    for (const option of approved) approvers[option]?.push(index);
  }
  const elected = groups.map(() => 0);
  let best = { worth: -1n, committees: [] as (readonly number[])[] };

  /** What one more member adds, which is then one. */
  const admit = (option: number): bigint => {
    // Weights by how many the ballot has elected already, so that fractions are few.
    const byCount = Array.from({ length: seats }, () => 0);
    for (const group of approvers[option] ?? []) {
      const count = elected[group] ?? 0;
      byCount[count] = (byCount[count] ?? 0) + (groups[group]?.weight ?? 0);
      elected[group] = count + 1;
    }
    return byCount.reduce(
      (sum, weight, count) => sum + (BigInt(weight) * whole) / BigInt(count + 1),
      0n,
    );
  };
  const dismiss = (option: number): void => {
    for (const group of approvers[option] ?? []) elected[group] = (elected[group] ?? 0) - 1;
  };
  const search = (committee: readonly number[], next: number, worth: bigint): void => {
    if (committee.length === seats) {
      if (worth > best.worth) best = { worth, committees: [] };
      if (worth === best.worth) best.committees.push(committee);
      return;
    }
    for (let option = next; option <= size - (seats - committee.length); option++) {
      search([...committee, option], option + 1, worth + admit(option));
      dismiss(option);
    }
  };
  search([], 0, 0n);
  return best.committees;
}

/** How many committees there are, or more than {@link committeesMax} if there are more. */
export function committees(size: number, seats: number): number {
  let count = 1;
  for (let index = 1; index <= Math.min(seats, size - seats) && count <= committeesMax; index++) {
    count = (count * (size - Math.min(seats, size - seats) + index)) / index;
  }
  return count;
}

/** A fraction of whole numbers that is not reduced. */
interface Fraction {
  readonly part: bigint;
  readonly whole: bigint;
}

/**
 * Phragmén's sequential rule (1894): each member costs one unit, which its approvers pay so that nobody has paid more
 * than need be; next is who makes the highest payment so far the lowest. Those whom nobody approves come last.
 *
 * @yields the equals of each step; it is told which of them is elected.
 */
export function* sequentialPhragmen(
  { size, groups }: Approvals,
  seats: number,
): Generator<readonly number[], void, number> {
  // Every approver of a member has paid what the last of its members came to: only these few amounts occur.
  const paid: Fraction[] = [{ part: 0n, whole: 1n }];
  const latest = groups.map(() => 0);
  const left = new Set(Array.from({ length: size }, (_, option) => option));
  for (let seat = 0; seat < seats; seat++) {
    const weights = Array.from({ length: size }, () => paid.map(() => 0));
    for (const [index, { weight, approved }] of groups.entries()) {
      const step = latest[index] ?? 0;
      for (const option of approved) {
        const row = weights[option];
        if (row !== undefined) row[step] = (row[step] ?? 0) + weight;
      }
    }
    const costs = new Map([...left].map((option) => [option, costOf(weights[option] ?? [], paid)]));
    const least = [...costs.values()].reduce((low, cost) => (isLess(cost, low) ? cost : low));
    const equals = [...left].filter((option) => !isLess(least, costs.get(option) ?? least));
    const member = yield equals;
    left.delete(member);
    paid.push(least);
    for (const [index, { approved }] of groups.entries()) {
      if (approved.includes(member)) latest[index] = paid.length - 1;
    }
  }
}

/** What each approver will have paid: (1 + what they have paid) / how many they are. Without any, `whole` is 0. */
function costOf(weights: readonly number[], paid: readonly Fraction[]): Fraction {
  let sum: Fraction = { part: 1n, whole: 1n };
  let approvers = 0n;
  for (const [step, weight] of weights.entries()) {
    const { part, whole } = paid[step] ?? sum;
    if (weight === 0) continue;
    approvers += BigInt(weight);
    sum = { part: sum.part * whole + part * BigInt(weight) * sum.whole, whole: sum.whole * whole };
  }
  return reduced({ part: sum.part, whole: sum.whole * approvers });
}

function isLess(left: Fraction, right: Fraction): boolean {
  if (left.whole === 0n || right.whole === 0n) return left.whole !== 0n;
  return left.part * right.whole < right.part * left.whole;
}

function reduced({ part, whole }: Fraction): Fraction {
  const divisor = greatestDivisor(part, whole);
  return { part: part / divisor, whole: whole / divisor };
}

function leastMultiple(counts: readonly number[]): bigint {
  let multiple = 1n;
  for (const count of new Set(counts)) {
    if (count > 0) multiple *= BigInt(count) / greatestDivisor(multiple, BigInt(count));
  }
  return multiple;
}

function greatestDivisor(left: bigint, right: bigint): bigint {
  return right === 0n ? left : greatestDivisor(right, left % right);
}

import type { Claim } from '../protocol.ts';
import { type MadeProposal, priceOf, ranked, type Score } from './contract-net-ranking.ts';
import type { Contract, ContractNetResult } from './contract-net-state.ts';
import { type ContractNetTerms, revised, type TaskTerms } from './contract-net-terms.ts';

/** That awards went to the best, at the price they should have, one after the other. */
// oxlint-disable-next-line max-params -- what was asked for, what came of it, and how it is compared
export function problemsOf(
  terms: ContractNetTerms,
  { status, result }: Claim<ContractNetResult>,
  score: Score,
): readonly string[] {
  if (result === undefined) return status === 'decided' ? ['decided without a result'] : [];
  const awards = [...result.done, ...result.failed].toSorted(
    (left, right) => left.fencing - right.fencing,
  );
  const problems = [...tokenProblems(terms, awards)];
  if ((status === 'decided') !== (result.done.length === terms.awards)) {
    problems.push(`\`${status}\` with ${result.done.length} of ${terms.awards} done`);
  }
  for (const proposal of result.proposals) {
    if (score(proposal, terms) !== proposal.score) {
      problems.push(`the proposal of ${proposal.agent} has another score`);
    }
  }
  const byCall = Map.groupBy(awards, ({ call }) => call);
  for (const [call, awarded] of byCall) {
    const made = result.proposals.filter((each) => each.call === call);
    problems.push(...awardProblems(terms, { awarded, made }));
  }
  return problems;
}

function tokenProblems(terms: ContractNetTerms, awards: readonly Contract[]): readonly string[] {
  const problems: string[] = [];
  if (awards.some(({ fencing }, place) => fencing !== terms.fencingFrom + place)) {
    problems.push('fencing tokens do not count the awards');
  }
  if (new Set(awards.map(({ agent }) => agent)).size < awards.length) {
    problems.push('a contractor was awarded the task twice');
  }
  return problems;
}

/** Of one call. Which terms it had, the outcome does not say: some that were planned must do. */
function awardProblems(
  terms: ContractNetTerms,
  {
    awarded,
    made,
  }: { readonly awarded: readonly Contract[]; readonly made: readonly MadeProposal[] },
): readonly string[] {
  const planned = [terms, ...terms.revisions.map((_, index) => revised(terms, index + 1))];
  const complaints = planned.map((each) => complaintAbout(awarded, made, { ...terms, ...each }));
  return complaints.some((complaint) => complaint === undefined)
    ? []
    : complaints.flatMap((complaint) => complaint ?? []).slice(0, 1);
}

// oxlint-disable-next-line max-params -- who, out of whom, on which terms
function complaintAbout(
  awarded: readonly Contract[],
  made: readonly MadeProposal[],
  terms: ContractNetTerms & TaskTerms,
): string | undefined {
  const queue = ranked(made, terms);
  const winners = new Map(awarded.map((contract) => [contract.agent, contract]));
  const best = queue.find(({ agent }) => !winners.has(agent));
  for (const winner of awarded) {
    const own = queue.find(({ agent }) => agent === winner.agent);
    if (own === undefined) return `${winner.agent} made no acceptable proposal`;
    if (best !== undefined && best.score < own.score) {
      return `${best.agent} made a better proposal than ${winner.agent}`;
    }
    // Who was ahead of whom when it was awarded: one of those who were not better, or nobody.
    const rivals = [
      undefined,
      ...queue.filter((each) => each.agent !== winner.agent && each.score >= own.score),
    ];
    if (!rivals.some((rival) => priceOf(own, rival, terms) === winner.price)) {
      return `${winner.agent} is paid ${winner.price}, which is no price of its proposal`;
    }
  }
  return undefined;
}

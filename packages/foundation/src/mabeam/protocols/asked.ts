import type { Protocol } from '../protocol.ts';
import type { Question } from '../question.ts';
import { offerQuestion } from './alternating-offers-questions.ts';
import { alternatingOffers } from './alternating-offers.ts';
import { costsQuestion } from './assign/costs-question.ts';
import { taskAssignment } from './assign/task-assignment.ts';
import { ausubelAuction } from './ausubel-auction.ts';
import { arriveQuestion } from './barrier-questions.ts';
import { barrier } from './barrier.ts';
import { callMarket } from './call-market.ts';
import { combinatorialAuction } from './combinatorial/combinatorial-auction.ts';
import { packageQuestion } from './combinatorial/package-bids.ts';
import { claimQuestion, rulingQuestion } from './conflict-questions.ts';
import { continuousMarket } from './continuous-market.ts';
import { acceptProposalQuestion, cfpQuestion, progressQuestion } from './contract-net-questions.ts';
import { contractNet } from './contract-net.ts';
import { choiceQuestion, utilQuestion } from './dcop/dpop-questions.ts';
import { dpop } from './dcop/dpop.ts';
import { dsa } from './dcop/dsa.ts';
import { improvementQuestion } from './dcop/local-search-questions.ts';
import { messagesQuestion } from './dcop/max-sum-questions.ts';
import { maxSum } from './dcop/max-sum.ts';
import { mgm } from './dcop/mgm.ts';
import { deferredAcceptanceMatching } from './deferred-acceptance.ts';
import { dutchAuction } from './dutch-auction.ts';
import { englishAuction } from './english-auction.ts';
import { assignmentMarket } from './equilibrium/assignment-market.ts';
import { wantsQuestion } from './equilibrium/assignment-questions.ts';
import { exchangeMarket } from './equilibrium/exchange-market.ts';
import { demandQuestion } from './equilibrium/exchange-questions.ts';
import { fisherMarket } from './equilibrium/fisher-market.ts';
import { spendingQuestion, utilityQuestion } from './equilibrium/fisher-questions.ts';
import { escalation } from './escalation.ts';
import { marginalsQuestions } from './marginals.ts';
import { mcafeeAuction } from './mcafee-auction.ts';
import { concedeQuestion } from './monotonic-concession-questions.ts';
import { monotonicConcession } from './monotonic-concession.ts';
import { multiUnitAuction } from './multi-unit-auction.ts';
import { ordersQuestion } from './orders.ts';
import { preferencesQuestion } from './preferences.ts';
import { acceptQuestion, stayQuestion } from './price-questions.ts';
import { quantityQuestion } from './quantity-question.ts';
import { ballotQuestion } from './quorum-certificate-questions.ts';
import { quorumCertificate } from './quorum-certificate.ts';
import { priorityConflict, proportionalConflict } from './resource-conflict.ts';
import { bidQuestion, firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';
import { tradeQuestion } from './trade-question.ts';
import { abortQuestion, commitQuestion, prepareQuestion } from './two-phase-commit-questions.ts';
import { twoPhaseCommit } from './two-phase-commit.ts';
import { voteQuestion } from './voting/vote-question.ts';
import { votingProtocols } from './voting/voting.ts';

/** What one protocol asks. */
interface Asked {
  readonly name: string;
  readonly types: (spec: unknown) => readonly string[];
}

type AnyQuestion = Pick<Question<never, never>, 'type'>;

const all: readonly Asked[] = [
  ...[firstPriceAuction, vickreyAuction].map((protocol) => asks(protocol, [bidQuestion])),
  asks(englishAuction, [stayQuestion, bidQuestion], ({ variant }) =>
    variant === 'outcry' ? bidQuestion : stayQuestion,
  ),
  asks(dutchAuction, [acceptQuestion]),
  asks(
    multiUnitAuction,
    Object.values(marginalsQuestions),
    ({ side = 'sell' }) => marginalsQuestions[side],
  ),
  asks(ausubelAuction, [quantityQuestion]),
  asks(combinatorialAuction, [packageQuestion]),
  ...[callMarket, mcafeeAuction].map((protocol) => asks(protocol, [ordersQuestion])),
  asks(continuousMarket, [tradeQuestion]),
  asks(fisherMarket, [utilityQuestion, spendingQuestion], ({ mode }) =>
    mode === 'bids' ? spendingQuestion : utilityQuestion,
  ),
  asks(exchangeMarket, [utilityQuestion, demandQuestion], ({ mode }) =>
    mode === 'demand' ? demandQuestion : utilityQuestion,
  ),
  asks(assignmentMarket, [wantsQuestion]),
  ...votingProtocols.map((protocol) => asks(protocol, [voteQuestion])),
  asks(quorumCertificate, [ballotQuestion]),
  asks(barrier, [arriveQuestion]),
  asks(twoPhaseCommit, [prepareQuestion, commitQuestion, abortQuestion]),
  asks(contractNet, [cfpQuestion, acceptProposalQuestion, progressQuestion]),
  asks(alternatingOffers, [offerQuestion]),
  asks(monotonicConcession, [concedeQuestion]),
  ...[priorityConflict, proportionalConflict].map((protocol) => asks(protocol, [claimQuestion])),
  asks(escalation, [claimQuestion, rulingQuestion]),
  asks(taskAssignment, [costsQuestion]),
  asks(deferredAcceptanceMatching, [preferencesQuestion]),
  asks(dpop, [utilQuestion, choiceQuestion]),
  asks(maxSum, [messagesQuestion]),
  ...[mgm, dsa].map((protocol) => asks(protocol, [improvementQuestion])),
];

/**
 * Types of the requests that a protocol which comes with Foundation sends in a session with this spec; where the spec
 * makes no sense, all that it ever sends. Undefined for other protocols.
 */
export function requestTypes(protocol: string, spec: unknown): readonly string[] | undefined {
  return all.find(({ name }) => name === protocol)?.types(spec);
}

/** `chosen`: of these questions the one that a spec leads to. Without it, all may come up. */
// oxlint-disable-next-line max-params -- who asks, what, and when
function asks<Spec>(
  protocol: Protocol<Spec, unknown, unknown, unknown>,
  questions: readonly AnyQuestion[],
  chosen?: (spec: Spec) => AnyQuestion,
): Asked {
  return {
    name: protocol.name,
    types(given) {
      const spec = protocol.parseSpec(given);
      const asked = chosen === undefined || !spec.ok ? questions : [chosen(spec.value)];
      return asked.map(({ type }) => type);
    },
  };
}

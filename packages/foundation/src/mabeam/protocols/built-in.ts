import type { AnyProtocol } from '../protocol.ts';
import { alternatingOffers } from './alternating-offers.ts';
import { taskAssignment } from './assign/task-assignment.ts';
import { ausubelAuction } from './ausubel-auction.ts';
import { barrier } from './barrier.ts';
import { callMarket } from './call-market.ts';
import { combinatorialAuction } from './combinatorial/combinatorial-auction.ts';
import { continuousMarket } from './continuous-market.ts';
import { contractNet } from './contract-net.ts';
import { dpop } from './dcop/dpop.ts';
import { dsa } from './dcop/dsa.ts';
import { maxSum } from './dcop/max-sum.ts';
import { mgm } from './dcop/mgm.ts';
import { deferredAcceptanceMatching } from './deferred-acceptance.ts';
import { dutchAuction } from './dutch-auction.ts';
import { englishAuction } from './english-auction.ts';
import { assignmentMarket } from './equilibrium/assignment-market.ts';
import { exchangeMarket } from './equilibrium/exchange-market.ts';
import { fisherMarket } from './equilibrium/fisher-market.ts';
import { escalation } from './escalation.ts';
import { mcafeeAuction } from './mcafee-auction.ts';
import { monotonicConcession } from './monotonic-concession.ts';
import { multiUnitAuction } from './multi-unit-auction.ts';
import { quorumCertificate } from './quorum-certificate.ts';
import { priorityConflict, proportionalConflict } from './resource-conflict.ts';
import { firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';
import { twoPhaseCommit } from './two-phase-commit.ts';
import { votingProtocols } from './voting/voting.ts';

/** Protocols that every coordination knows by name. */
export const builtInProtocols: readonly AnyProtocol[] = [
  firstPriceAuction,
  vickreyAuction,
  barrier,
  twoPhaseCommit,
  quorumCertificate,
  englishAuction,
  dutchAuction,
  callMarket,
  mcafeeAuction,
  ...votingProtocols,
  multiUnitAuction,
  ausubelAuction,
  continuousMarket,
  contractNet,
  alternatingOffers,
  priorityConflict,
  proportionalConflict,
  escalation,
  monotonicConcession,
  combinatorialAuction,
  fisherMarket,
  exchangeMarket,
  assignmentMarket,
  taskAssignment,
  deferredAcceptanceMatching,
  dpop,
  maxSum,
  mgm,
  dsa,
];

/**
 * Agents that decide together: auctions, and whatever protocol you register.
 *
 * @packageDocumentation
 */
export type { AgentRegistry } from './agent-registry.ts';
export type { Mabeam } from './mabeam.ts';
export {
  type AgentRegistration,
  type AgentRestart,
  agentRestartDefaults,
  type ResolvedAgentRegistration,
  resolveAgentRegistration,
} from './agent-registration.ts';
export type { Verdict } from './admission.ts';
export {
  type AuditEntry,
  type AuditFinding,
  type AuditLog,
  auditLog,
  inspectAudit,
  recordOf,
} from './audit.ts';
export { canonical } from './canonical.ts';
export { type Amount, amountMax, isAmount, parseAmount } from './amount.ts';
export {
  type Coordination,
  type CoordinationOptions,
  createCoordination,
  type ProtocolInfo,
} from './coordination.ts';
export {
  type AgentId,
  type CoordinationReply,
  type CoordinationRequest,
  parseReply,
  parseRequest,
  type ReplyStatus,
  type SessionId,
} from './message.ts';
export type { Outcome, Participation } from './outcome.ts';
export { type Parsed, parsed, unparsed } from './parse.ts';
export { participant, type ParticipantHandler, type ParticipantHandlers } from './participant.ts';
export type {
  Answer,
  AnyProtocol,
  AskEffect,
  Certificate,
  Claim,
  Decision,
  Effect,
  EmitEffect,
  FinishEffect,
  LossReason,
  OkAnswer,
  OutcomeStatus,
  Protocol,
  ProtocolTraits,
  PureEnv,
  SessionEvent,
  SilenceCause,
  SolveEffect,
  Step,
  TellEffect,
  Tie,
  TieRule,
  WaitEffect,
} from './protocol.ts';
export {
  type Bid,
  type BidQuestion,
  type BidReply,
  type BidRequest,
  firstPriceAuction,
  type SealedBidAuction,
  type SealedBidResult,
  type SealedBidSpec,
  vickreyAuction,
} from './protocols/sealed-bid-auction.ts';
export { encodeRecord } from './record-codec.ts';
export {
  type AnswerEntry,
  type HeardEntry,
  isSaid,
  type LostCause,
  type LostEntry,
  type RecordEntry,
  type SaidEntry,
  type SessionRecord,
  type SessionSetup,
  strayAnswersMax,
} from './record.ts';
export { builtInProtocols } from './protocols/built-in.ts';
export { participantsMax, type Roster, type SessionOptions } from './session-options.ts';
export type { Messenger, ParticipantRef, Session } from './session.ts';
export type { Asked, Decline, Question } from './question.ts';
export { replay } from './replay.ts';
export {
  type MipColumn,
  type MipModel,
  type MipRow,
  noSolver,
  type Solver,
  type SolverJob,
  type SolverResult,
} from './solver.ts';
export {
  type LoggedSession,
  type ProtocolStatistics,
  type SessionInfo,
  entriesRemembered,
  sessionsRemembered,
} from './session-log.ts';
export { verify } from './verify.ts';
export { breakTie, type TieBreak } from './tie-break.ts';
export type { ArriveQuestion, BarrierPhase } from './protocols/barrier-questions.ts';
export {
  type Arrival,
  barrier,
  type BarrierResult,
  type BarrierSpec,
  type BreakCause,
  type BrokenNotice,
  generationsMax,
  type Release,
  type ReleasedNotice,
} from './protocols/barrier.ts';
export {
  type CommitDecision,
  twoPhaseCommit,
  type TwoPhaseCommitResult,
  type TwoPhaseCommitSpec,
} from './protocols/two-phase-commit.ts';
export type { CommitVote, TransactionQuestion } from './protocols/two-phase-commit-questions.ts';
export {
  certificateProblems,
  quorumCertificate,
  type QuorumCertificateResult,
  type QuorumCertificateSpec,
  type QuorumEvidence,
  quorumOf,
} from './protocols/quorum-certificate.ts';
export { signersMax } from './protocols/quorum-certificate-keys.ts';
export {
  type BallotQuestion,
  type BallotRequest,
  type SignedVote,
  signedVote,
  voteStatement,
} from './protocols/quorum-certificate-questions.ts';
export type { AuctionSide, Limit } from './protocols/auction-terms.ts';
export { type DutchSpec, dutchAuction } from './protocols/dutch-auction.ts';
export {
  type EnglishReply,
  type EnglishSpec,
  englishAuction,
} from './protocols/english-auction.ts';
export type { Award, OpenAuctionResult, OpenAuctionSpec } from './protocols/open-auction.ts';
export type { Increment, IncrementRow } from './protocols/price-ladder.ts';
export type {
  AcceptReply,
  PriceQuestion,
  PriceRequest,
  StayReply,
} from './protocols/price-questions.ts';
export { proxy, truthful, withBudget, type Worth } from './bidders.ts';
export {
  callMarket,
  type CallMarket,
  type CallMarketResult,
  type CallMarketSpec,
  type Fraction,
} from './protocols/call-market.ts';
export {
  mcafeeAuction,
  type McAfeeAuction,
  type McAfeeResult,
  type McAfeeSpec,
} from './protocols/mcafee-auction.ts';
export {
  type FilledOrders,
  type FillsNotice,
  type Order,
  type OrderForm,
  ordersMax,
  type OrdersQuestion,
  type OrdersReply,
  type OrderSide,
  type PlacedOrder,
  quantityMax,
} from './protocols/orders.ts';
export type { RationRule } from './protocols/ration.ts';
export { withoutSecret } from './nonce.ts';
export type { ReadyReply, ReadyReplyMaker } from './protocols/ready-reply.ts';
export { readyReplies } from './ready-replies.ts';
export { requestTypes } from './protocols/asked.ts';
export { checkRecord } from './record-codec.ts';
export type { SessionListing, SessionView } from './session-view.ts';
export {
  type Ballot,
  type BallotKind,
  voteOptionsMax,
  voteScoreMax,
} from './protocols/voting/ballot.ts';
export {
  committeeAv,
  committeePav,
  committeePhragmen,
  type CommitteeResult,
  committeeSav,
  type CommitteeSpec,
  type CommitteeVote,
} from './protocols/voting/committee.ts';
export type { VoteWeights } from './protocols/voting/count.ts';
export {
  type GroupResult,
  type HierarchicalResult,
  type HierarchicalSpec,
  hierarchicalVote,
  type VotingGroup,
} from './protocols/voting/hierarchical-vote.ts';
export {
  type IterativeResult,
  type IterativeSpec,
  iterativeVote,
} from './protocols/voting/iterative-vote.ts';
export type { Ratio } from './protocols/voting/ratio.ts';
export type { VotingRuleName } from './protocols/voting/rules.ts';
export {
  approvalVote,
  bordaVote,
  condorcetVote,
  copelandVote,
  instantRunoffVote,
  majorityVote,
  minimaxVote,
  pluralityVote,
  schulzeVote,
  scoreVote,
  supermajorityVote,
  unanimousVote,
  type Vote,
  type VoteResult,
  weightedVote,
} from './protocols/voting/vote.ts';
export type { OptionScore, VoteQuestion, VoteRequest } from './protocols/voting/vote-question.ts';
export type { Denominator, VoteSpec } from './protocols/voting/vote-spec.ts';
export { type VotingPower, votingPower } from './protocols/voting/voting-power.ts';
export { type AgentEvent, lostAgentsMax } from './agent-directory.ts';
export type { AgentHealth } from './agent-health-state.ts';
export {
  type AgentInfo,
  type AgentListing,
  agentsListed,
  type AgentUsage,
  type AgentView,
  type Figure,
} from './agent-info.ts';
export { agentHealthDefaults, type AgentHealthRules, type AgentLimits } from './agent-limits.ts';
export type { AgentCriteria } from './agent-query.ts';
export type { AgentChanges } from './agent-registration.ts';
export type { StartAllOptions, StartedAgents, UpdateOptions } from './agent-registry.ts';
export { type AgentStatus, agentStatuses } from './agent-state.ts';
export type { AgentActions } from './core/agent-actions.ts';
export {
  type AccessOptions,
  type Core,
  orchestrationVariablesMax,
  type VariableReading,
  type VariableUpdateOptions,
} from './core/core.ts';
export type { VariableResult, VariableStatus } from './core/live-variable.ts';
export {
  type Adaptation,
  type AnyVariable,
  type ApplyFunction,
  type ConstraintFunction,
  type CoordinateContext,
  type CoordinateFunction,
  type Named,
  type OrchestrationAccess,
  orchestrationAgentsMax,
  type OrchestrationConstraints,
  orchestrationDefaults,
  type OrchestrationType,
  type OrchestrationValues,
  type OrchestrationVariable,
  type SystemLoad,
} from './core/orchestration-variable.ts';
export type { ChangeCause, VariableChange } from './core/variable-store.ts';
export type { Alert, AlertRule } from './telemetry/alert-state.ts';
export {
  type MabeamTelemetry,
  telemetryLimits,
  type VariableStatistics,
  type WindowOptions,
} from './telemetry/mabeam-telemetry.ts';
export type { Point, SeriesStatistics } from './telemetry/series.ts';
export { type AgentFacts, sessionFacts, type SessionFacts } from './telemetry/session-facts.ts';
export {
  type AgentStatistics,
  type ProtocolFacts,
  type Spread,
  type Statistics,
  statisticsOf,
} from './telemetry/statistics.ts';
export {
  ausubelAuction,
  type AusubelAuction,
  type AusubelSpec,
} from './protocols/ausubel-auction.ts';
export type { AusubelAward, AusubelResult, Clinch } from './protocols/ausubel-clock.ts';
export {
  type MarginalBid,
  marginalsMax,
  type MarginalsQuestion,
  type MarginalsReply,
} from './protocols/marginals.ts';
export {
  multiUnitAuction,
  type MultiUnitAuction,
  type MultiUnitResult,
  type MultiUnitSpec,
  type UnitPricing,
} from './protocols/multi-unit-auction.ts';
export type {
  QuantityQuestion,
  QuantityReply,
  QuantityRequest,
} from './protocols/quantity-question.ts';
export type { UnitAward, UnitAwardNotice } from './protocols/unit-clearing.ts';
export type { DepthLevel, RestingOrder } from './protocols/book-side.ts';
export {
  continuousMarket,
  type ContinuousMarket,
  type ContinuousMarketSpec,
  type MarketClosedNotice,
} from './protocols/continuous-market.ts';
export {
  type BookDepth,
  type BookOrder,
  type BookTrade,
  OrderBook,
  restingOrdersMax,
} from './protocols/order-book.ts';
export type {
  OwnOrder,
  OwnTrade,
  TradeAnswer,
  TradeQuestion,
  TradeReply,
  TradeRequest,
} from './protocols/trade-question.ts';
export type {
  ContinuousMarketResult,
  MarketAction,
  Position,
  Trading,
} from './protocols/trading.ts';
export { contractor, type ContractorOptions, type Work } from './contractors.ts';
export {
  type ContractNet,
  contractNet,
  contractNetBy,
  type ContractNetVariant,
} from './protocols/contract-net.ts';
export {
  type AwardQuestion,
  type CfpQuestion,
  type Performance,
  type Proposal,
  resultCharsMax,
} from './protocols/contract-net-questions.ts';
export type { MadeProposal, Score } from './protocols/contract-net-ranking.ts';
export type {
  CancelNotice,
  Contract,
  ContractFailure,
  ContractNetResult,
  DoneContract,
  FailedContract,
  RejectNotice,
  RejectReason,
} from './protocols/contract-net-state.ts';
export type {
  ContractNetSpec,
  ContractNetTerms,
  FailurePolicy,
  TaskPricing,
  TaskTerms,
} from './protocols/contract-net-terms.ts';
export { type Concession, conceder } from './negotiators.ts';
export {
  type AgreementNotice,
  alternatingOffers,
  type AlternatingOffersSpec,
  type Breakdown,
  type BreakdownCause,
  type BreakdownNotice,
  type MadeOffer,
  type NegotiationResult,
} from './protocols/alternating-offers.ts';
export type {
  NegotiationMove,
  OfferQuestion,
  StandingOffer,
} from './protocols/alternating-offers-questions.ts';
export type {
  Issue,
  Issues,
  Offer,
  OptionsIssue,
  RangeIssue,
} from './protocols/negotiation-issues.ts';
export {
  type ConflictResult,
  priorityConflict,
  type PriorityConflictSpec,
  proportionalConflict,
  type ResourceConflict,
} from './protocols/resource-conflict.ts';
export { escalation, type EscalationResult, type MadeRuling } from './protocols/escalation.ts';
export type { EscalationSpec } from './protocols/escalation-terms.ts';
export type { ConflictSpec } from './protocols/conflict-terms.ts';
export type {
  AllocationNotice,
  ClaimQuestion,
  MadeClaim,
  ResourceClaim,
  Ruling,
  RulingQuestion,
  Share,
} from './protocols/conflict-questions.ts';
export { monotonicConcession } from './protocols/monotonic-concession.ts';
export type {
  ConcessionMove,
  ConcessionQuestion,
} from './protocols/monotonic-concession-questions.ts';
export type {
  ConcededOffer,
  ConcessionBreakdown,
  ConcessionFailure,
  MonotonicConcessionResult,
  MonotonicConcessionSpec,
} from './protocols/monotonic-concession-terms.ts';
export { bidReservation, type LedgerBudget } from './bidders.ts';
export { createLedger, type Ledger, type LedgerOptions, type ReserveOptions } from './ledger.ts';
export { emptyLedger, type LedgerSnapshot } from './ledger-snapshot.ts';
export type { Balance, Reservation } from './ledger-state.ts';
export {
  auctionBidsMax,
  type CombinatorialAuction,
  combinatorialAuction,
} from './protocols/combinatorial/combinatorial-auction.ts';
export type {
  CombinatorialResult,
  PackageEvidence,
  PackageNotice,
  PackageWinner,
} from './protocols/combinatorial/combinatorial-outcome.ts';
export type {
  CombinatorialSpec,
  PackagePricing,
} from './protocols/combinatorial/combinatorial-spec.ts';
export type { GoodPrices } from './protocols/combinatorial/good-prices.ts';
export { additive, unitDemand, withinBudget } from './protocols/combinatorial/package-bidders.ts';
export {
  type Good,
  goodsMax,
  type PackageBid,
  packageBidsMax,
  type PackageQuestion,
  type PackageReply,
  packageUnitsMax,
  type PlacedPackageBid,
  supplyMax,
} from './protocols/combinatorial/package-bids.ts';
export { fisherMarket, type FisherMarket } from './protocols/equilibrium/fisher-market.ts';
export {
  fisherBuyer,
  proportionalResponse,
  type UtilityOf,
} from './protocols/equilibrium/fisher-buyer.ts';
export type {
  SharesNotice,
  Spending,
  SpendingOutcome,
  SpendingQuestion,
  SpendingRequest,
  UtilityQuestion,
} from './protocols/equilibrium/fisher-questions.ts';
export type { FisherBuyer, FisherResult, FisherSpec } from './protocols/equilibrium/fisher-spec.ts';
export type { Utility } from './protocols/equilibrium/utility.ts';
export { exchangeMarket, type ExchangeMarket } from './protocols/equilibrium/exchange-market.ts';
export type {
  DemandQuestion,
  DemandReply,
  DemandRequest,
  TradeNotice,
} from './protocols/equilibrium/exchange-questions.ts';
export type {
  ExchangeResult,
  ExchangeSpec,
  ExchangeTrader,
} from './protocols/equilibrium/exchange-spec.ts';
export { exchangeTrader } from './protocols/equilibrium/exchange-trader.ts';
export {
  assignmentMarket,
  type AssignmentMarket,
} from './protocols/equilibrium/assignment-market.ts';
export {
  type AssignmentAward,
  favourites,
  type Favourites,
  type Values,
  type Wants,
  type WantsQuestion,
  type WantsRequest,
} from './protocols/equilibrium/assignment-questions.ts';
export type {
  AssignedBuyer,
  AssignmentResult,
  AssignmentSpec,
} from './protocols/equilibrium/assignment-spec.ts';
export { taskAssignment, type TaskAssignment } from './protocols/assign/task-assignment.ts';
export {
  type AssignmentRule,
  costMax,
  type Costs,
  type CostsQuestion,
  type TasksNotice,
} from './protocols/assign/costs-question.ts';
export type {
  TaskAssignmentResult,
  TaskAssignmentSpec,
  TaskOffer,
} from './protocols/assign/task-assignment-spec.ts';
export { deferredAcceptanceMatching, type MatchedNotice } from './protocols/deferred-acceptance.ts';
export { matchingQuotaMax, type MatchingSpec } from './protocols/matching-spec.ts';
export type {
  MatchingSide,
  PreferenceList,
  PreferencesQuestion,
  PreferencesReply,
} from './protocols/preferences.ts';
export type { Match, MatchingResult } from './protocols/stable-claim.ts';
export {
  deferredAcceptance,
  type Matches,
  type MatchingMarket,
  type RankedMarket,
  ranked,
} from './protocols/stable-matching.ts';
export type { CampaignOptions, Election, Leader, Leadership } from './election.ts';
export type { Mutex, MutexHold, MutexRunOptions } from './mutex.ts';
export type { CostTable, Objective } from './protocols/dcop/cost-table.ts';
export type { DcopResult } from './protocols/dcop/dcop-claim.ts';
export {
  dcopCellsMax,
  type DcopConstraint,
  dcopConstraintsMax,
  dcopCostMax,
  type DcopProblem,
  dcopValuesMax,
  type DcopVariable,
  dcopVariablesMax,
} from './protocols/dcop/dcop-problem.ts';
export { dpop } from './protocols/dcop/dpop.ts';
export type { DpopResult, DpopSpec } from './protocols/dcop/dpop-progress.ts';
export {
  type Choice,
  type ChoiceQuestion,
  type ChoiceReply,
  type ChoiceTask,
  type NamedValues,
  type UtilQuestion,
  type UtilReply,
  type UtilTask,
} from './protocols/dcop/dpop-questions.ts';
export { dcopAgent, type PrivateCosts } from './protocols/dcop/dcop-agent.ts';
export {
  maxSum,
  type MaxSumResult,
  maxSumRoundsMax,
  type MaxSumSpec,
} from './protocols/dcop/max-sum.ts';
export type {
  BeliefReply,
  BeliefTask,
  FactorReply,
  FactorTask,
  MessagesQuestion,
  MessagesReply,
} from './protocols/dcop/max-sum-questions.ts';
export { mgm } from './protocols/dcop/mgm.ts';
export { dsa, type DsaSpec } from './protocols/dcop/dsa.ts';
export { localSearchRoundsMax } from './protocols/dcop/local-search.ts';
export type { LocalSearchResult, LocalSearchSpec } from './protocols/dcop/local-search-round.ts';
export type {
  Improvement,
  ImprovementQuestion,
  ImprovementReply,
  ImprovementTask,
  StandingVariable,
} from './protocols/dcop/local-search-questions.ts';

/**
 * Agents that decide together: auctions, and whatever protocol you register.
 *
 * @packageDocumentation
 */
export type { AgentRegistry } from './agents.ts';
export type { Mabeam } from './mabeam.ts';
export {
  type AgentRegistration,
  type AgentRestart,
  agentRestartDefaults,
  type ResolvedAgentRegistration,
  resolveAgentRegistration,
} from './agent-registry.ts';
export type { Verdict } from './admission.ts';
export { type Amount, amountMax, isAmount, parseAmount } from './amount.ts';
export {
  builtInProtocols,
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
export {
  type BidAnswer,
  type BidQuestion,
  participant,
  type ParticipantHandler,
  type ParticipantHandlers,
} from './participant.ts';
export type {
  Answer,
  AnyProtocol,
  AskEffect,
  Decision,
  Effect,
  FinishEffect,
  LossReason,
  OutcomeStatus,
  Protocol,
  ProtocolTraits,
  PureEnv,
  SessionEvent,
  SilenceCause,
  Step,
  Tie,
  TieRule,
} from './protocol.ts';
export {
  type AuctionSide,
  type Bid,
  type BidReply,
  type BidRequest,
  firstPriceAuction,
  type SealedBidAuction,
  type SealedBidResult,
  type SealedBidSpec,
  vickreyAuction,
} from './protocols/sealed-bid-auction.ts';
export {
  type AnswerEntry,
  type LostCause,
  type LostEntry,
  type RecordEntry,
  type SessionRecord,
  type SessionSetup,
  strayAnswersMax,
} from './record.ts';
export { participantsMax, type Roster, type SessionOptions } from './session-options.ts';
export type { Messenger, ParticipantRef, Session } from './session.ts';
export { replay } from './replay.ts';
export { breakTie, type TieBreak } from './tie-break.ts';

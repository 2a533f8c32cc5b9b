import type { AnyProtocol } from '../../protocol.ts';
import { committeeAv, committeePav, committeePhragmen, committeeSav } from './committee.ts';
import { hierarchicalVote } from './hierarchical-vote.ts';
import { iterativeVote } from './iterative-vote.ts';
import {
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
  weightedVote,
} from './vote.ts';

/** Every vote there is. */
export const votingProtocols: readonly AnyProtocol[] = [
  majorityVote,
  pluralityVote,
  supermajorityVote,
  unanimousVote,
  weightedVote,
  approvalVote,
  scoreVote,
  bordaVote,
  copelandVote,
  condorcetVote,
  schulzeVote,
  minimaxVote,
  instantRunoffVote,
  committeeAv,
  committeeSav,
  committeePav,
  committeePhragmen,
  iterativeVote,
  hierarchicalVote,
];

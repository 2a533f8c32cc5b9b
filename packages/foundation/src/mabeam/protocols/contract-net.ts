import { type Parsed, unparsed } from '../parse.ts';
import type { Protocol } from '../protocol.ts';
import {
  askAgain,
  callFor,
  farewells,
  onPerformances,
  onProposals,
  openNet,
} from './contract-net-moves.ts';
import { parsePerformance, parseProposal } from './contract-net-questions.ts';
import { type Score, weightedScore } from './contract-net-ranking.ts';
import type { ContractNetResult, Net, NetReply } from './contract-net-state.ts';
import {
  awardsMax,
  type ContractNetSpec,
  heartbeatsMax,
  parseContractNetSpec,
  retriesMax,
  revisionsMax,
  termsOf,
} from './contract-net-terms.ts';
import { problemsOf } from './contract-net-verify.ts';

export type ContractNet = Protocol<ContractNetSpec, NetReply, Net, ContractNetResult>;

/** A contract net with an evaluation of its own. */
export interface ContractNetVariant {
  readonly name: string;
  readonly version: string;
  /** Depends on what it is given, and on nothing else. */
  readonly score: Score;
}

/**
 * Lets a task: calls for proposals, awards it to the best, sees to it that it is done, and gives it to another when it
 * is not (Smith 1980; FIPA SC00029H, with `revisions` its iterated form SC00030H).
 *
 * Who works is asked each heartbeat. One that is gone, or does not answer within a heartbeat, has lost its award: a later
 * result of it is refused, and it is told, with the fencing token that does not hold any more.
 */
export const contractNet: ContractNet = contractNetBy({
  name: 'task.contract_net',
  version: '1.0.0',
  score: weightedScore,
});

/** A contract net that compares proposals in another way. Register it, or start it by value. Its pricing is `first`. */
export function contractNetBy({ name, version, score }: ContractNetVariant): ContractNet {
  const isWeighted = score === weightedScore;
  return {
    name,
    version,
    traits: {
      dominantStrategyTruthful: false,
      individuallyRational: true,
      budget: 'n/a',
      sealed: true,
      toleratesSilent: (n) => n,
      toleratesByzantine: () => 0,
      maxRounds: () => callsMax + 2 * awardRoundsMax,
      // A call: cfp, reply, accept or reject, and cancel. A heartbeat: two messages to each of those under way.
      maxMessages: (n) => callsMax * (4 * n + 3) + awardRoundsMax * 2 * Math.min(n, awardsMax),
    },
    parseSpec: (value) => forVariant(parseContractNetSpec(value), isWeighted),
    parseReply: (type, body) => (type === 'cfp' ? parseProposal(body) : parsePerformance(body)),
    init: (spec, roster) => callFor(openNet(spec, roster), roster),
    on(net, event, env) {
      switch (net.round) {
        case 'cfp':
          return onProposals(net, { event, score }, env);
        case 'perform':
          return onPerformances(net, event, env);
        case 'wait':
          return askAgain(net, net.live);
      }
    },
    stopped: (net) => farewells(net),
    verify: (spec, claim) => problemsOf(termsOf(spec), claim, score),
  };
}

const callsMax = 1 + revisionsMax + retriesMax;
const awardRoundsMax = (1 + retriesMax + callsMax) * (1 + heartbeatsMax);

function forVariant(spec: Parsed<ContractNetSpec>, isWeighted: boolean): Parsed<ContractNetSpec> {
  return spec.ok && spec.value.pricing === 'vickrey' && !isWeighted
    ? unparsed('pricing: vickrey prices need weights, not an evaluation of another kind')
    : spec;
}

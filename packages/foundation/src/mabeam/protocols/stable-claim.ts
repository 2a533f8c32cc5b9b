import { isDeepStrictEqual } from 'node:util';

import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type { Certificate, Claim } from '../protocol.ts';
import type { StrictLists, UsedLists } from './matching-lists.ts';
import { type MatchingSpec, own } from './matching-spec.ts';
import { blockingPairs, deferredAcceptance, type RankedMarket, ranked } from './stable-matching.ts';

/** A proposer, and who takes it. */
export interface Match {
  readonly proposer: AgentId;
  readonly receiver: AgentId;
}

/** Who is matched with whom. */
export interface MatchingResult {
  /** In the order of the roster. */
  readonly matches: readonly Match[];
  /** Proposers of the roster whom nobody takes. */
  readonly unmatched: readonly AgentId[];
  /** Proposals that it took. */
  readonly proposals: number;
}

/** Who is to be matched. */
export interface MatchingSides {
  readonly spec: MatchingSpec;
  readonly proposers: readonly AgentId[];
}

/** The lists by number: proposers and receivers each in their order. */
export function marketOf({ spec, proposers }: MatchingSides, used: UsedLists): RankedMarket {
  const { receivers } = spec;
  const [receiversIn, proposersIn] = [numbersIn(receivers), numbersIn(proposers)];
  return ranked({
    proposers: proposers.map((id) => receiversIn(own(used.proposers, id))),
    receivers: receivers.map((id) => proposersIn(own(used.receivers, id))),
    quotas: receivers.map((id) => own(spec.quotas, id) ?? 1),
  });
}

function numbersIn(ids: readonly AgentId[]): (list?: readonly AgentId[]) => number[] {
  const at = new Map(ids.map((id, index) => [id, index]));
  return (list = []) => list.flatMap((id) => at.get(id) ?? []);
}

/** The stable matching that is best for the proposers. */
export function matched({ spec, proposers }: MatchingSides, market: RankedMarket): MatchingResult {
  const { matches, proposals } = deferredAcceptance(market);
  const receiverOf = (place: number): AgentId | undefined => spec.receivers[matches[place] ?? -1];
  return {
    matches: proposers.flatMap((proposer, place) => {
      const receiver = receiverOf(place);
      return receiver === undefined ? [] : [{ proposer, receiver }];
    }),
    unmatched: proposers.filter((_, place) => receiverOf(place) === undefined),
    proposals,
  };
}

/**
 * By the lists of the certificate: that everybody has at most what it may have, and finds it acceptable; that no pair
 * would rather have each other; and that no other stable matching is better for a proposer.
 */
export function matchingProblems(
  spec: MatchingSpec,
  claim: Claim<MatchingResult>,
): readonly string[] {
  const { status, result, certificate, roster } = claim;
  if (status !== 'decided' && status !== 'no_deal') return [];
  const isReceiver = new Set(spec.receivers);
  const proposers = roster.filter((id) => !isReceiver.has(id));
  const used = usedLists(certificate);
  if (used === undefined) return ['there is no certificate with the lists that were used'];
  const market = marketOf({ spec, proposers }, used);
  const { matches = [] } = result ?? {};
  const found = numbered({ spec, proposers }, { market, matches });
  if (!found.ok) return [found.reason];
  const problems = blockingPairs(market, found.value).map(
    ([proposer, receiver]) =>
      `${shown(proposers[proposer])} and ${shown(spec.receivers[receiver])} would rather have each other`,
  );
  if (problems.length > 0) return problems;
  const { matches: best, ...rest } = matched({ spec, proposers }, market);
  if (!isDeepStrictEqual(best, matches)) {
    return ['another stable matching is better for the proposers'];
  }
  const { unmatched, proposals } = result ?? rest;
  return isDeepStrictEqual({ unmatched, proposals }, rest)
    ? []
    : ['who is unmatched, or how often was proposed, is not what the lists lead to'];
}

/** The claimed matches by number, if nobody has more than it may or one whom it does not want. */
function numbered(
  { spec, proposers }: MatchingSides,
  { market, matches }: { readonly market: RankedMarket; readonly matches: readonly Match[] },
): Parsed<Int32Array> {
  const found = new Int32Array(proposers.length).fill(-1);
  const placeOf = new Map(proposers.map((id, place) => [id, place]));
  const receiverOf = new Map(spec.receivers.map((id, place) => [id, place]));
  const free = [...market.quotas];
  for (const { proposer, receiver } of matches) {
    const [place, other] = [placeOf.get(proposer), receiverOf.get(receiver)];
    const pair = `${shown(proposer)} with ${shown(receiver)}`;
    if (place === undefined || other === undefined) return unparsed(`${pair}: they are not here`);
    if (found[place] !== -1) return unparsed(`${shown(proposer)} is matched twice`);
    const wants = market.proposers[place]?.includes(other) === true;
    if (!wants || market.receivers[other]?.includes(place) !== true) {
      return unparsed(`${pair}: one does not want the other`);
    }
    found[place] = other;
    free[other] = (free[other] ?? 0) - 1;
    if ((free[other] ?? 0) < 0) return unparsed(`${shown(receiver)} has more than it takes`);
  }
  return parsed(found);
}

function usedLists(certificate: Certificate | undefined): UsedLists | undefined {
  const { proposers, receivers } = certificate?.data ?? {};
  return isLists(proposers) && isLists(receivers) ? { proposers, receivers } : undefined;
}

function isLists(value: unknown): value is StrictLists {
  return isRecord(value) && Object.values(value).every((list) => Array.isArray(list));
}

import { isDeepStrictEqual } from 'node:util';

import { parseFields, parseText } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type {
  Answer,
  Certificate,
  Claim,
  Decision,
  LossReason,
  Protocol,
  PureEnv,
} from '../protocol.ts';
import { isSigned, parseKeys, signersMax } from './quorum-certificate-keys.ts';
import {
  type BallotRequest,
  isValue,
  parseSignedVote,
  type SignedVote,
  voteStatement,
} from './quorum-certificate-questions.ts';

const valuesMax = 1_000;

/** What is voted on, and whose signatures count. */
export interface QuorumCertificateSpec {
  /** Name of what is decided, up to 256 characters. Choose a new one for each decision. */
  readonly ballot: string;
  /** Public Ed25519 key of each member of the roster, in base64 (SPKI, DER); no two alike. */
  readonly keys: Readonly<Record<AgentId, string>>;
  /** Values that count. @defaultValue every text of up to 256 characters */
  readonly values?: readonly string[];
  /**
   * How many voters may lie: of n at most `(n - 1) / 3`, as n must be 3f + 1 or more.
   *
   * @defaultValue the most that n voters can stand
   */
  readonly faults?: number;
}

/** What was decided, and by whom. */
export interface QuorumCertificateResult {
  readonly ballot: string;
  /** Absent when no value has a quorum. */
  readonly value?: string;
  /** Votes that were needed. */
  readonly quorum: number;
  readonly votes: readonly { readonly agent: AgentId; readonly value: string }[];
  /** Signed with another key, or something else: another's vote, or one of another session. */
  readonly forged: readonly AgentId[];
  /** Gave two different answers. */
  readonly equivocated: readonly AgentId[];
}

/** What a certificate of kind `quorum` holds: enough, with the public keys, to be convinced. */
export interface QuorumEvidence {
  readonly ballot: string;
  readonly instance: string;
  readonly value: string;
  readonly votes: readonly { readonly agent: AgentId; readonly signature: string }[];
}

/**
 * Decides on a value that a quorum has signed, and gives the signatures as a certificate.
 *
 * Of n voters, n at least 3f + 1, f may lie. A quorum has more than (n + f) / 2 voters, which is 2f + 1 of
 * 3f + 1: two quorums have an honest voter in common, so that two values cannot both have one (Malkhi and
 * Reiter 1998, Castro and Liskov 1999). One round with a fixed coordinator: no liar can have a wrong value
 * certified, but a coordinator that lies or dies can keep a decision from being made.
 */
export const quorumCertificate: Protocol<
  QuorumCertificateSpec,
  SignedVote,
  QuorumCertificateSpec,
  QuorumCertificateResult
> = {
  name: 'consensus.quorum_certificate',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: faultsOf,
    toleratesByzantine: faultsOf,
    maxRounds: () => 1,
    maxMessages: (n) => 2 * n,
  },
  parseSpec,
  parseReply: (_type, body) => parseSignedVote(body),
  init(spec, roster, { seed: instance }) {
    const problem = rosterProblem(spec, roster);
    if (problem !== undefined) throw new Error(problem);
    const { ballot, values } = spec;
    const body: BallotRequest = { ballot, instance, ...(values === undefined ? {} : { values }) };
    return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'sign_vote', body }] };
  },
  on(spec, { answers }, env) {
    return { state: spec, effects: [{ kind: 'finish', decision: count(spec, answers, env) }] };
  },
  verify: problemsOf,
};

/** Most liars that `n` voters can stand. */
function faultsOf(n: number): number {
  return Math.max(Math.floor((n - 1) / 3), 0);
}

/** Fewest of `n` voters of whom `faults` lie that another as many must share an honest one with. */
export function quorumOf(n: number, faults: number): number {
  return Math.floor((n + faults) / 2) + 1;
}

function votersOf({ keys, faults }: QuorumCertificateSpec): {
  readonly keyOf: ReadonlyMap<AgentId, string>;
  readonly quorum: number;
} {
  const keyOf = new Map(Object.entries(keys));
  return { keyOf, quorum: quorumOf(keyOf.size, faults ?? faultsOf(keyOf.size)) };
}

// oxlint-disable-next-line max-params -- by which rules, what, in which session
function count(
  spec: QuorumCertificateSpec,
  answers: readonly Answer<SignedVote>[],
  { seed: instance }: PureEnv,
): Decision<QuorumCertificateResult> {
  const { ballot, values } = spec;
  const { keyOf, quorum } = votersOf(spec);
  const cast = answers.flatMap((answer) =>
    answer.kind === 'ok' ? [{ agent: answer.from, ...answer.body }] : [],
  );
  const signed = cast.filter(({ agent, value, signature }) =>
    isSigned(keyOf.get(agent), {
      statement: voteStatement({ ballot, instance, voter: agent }, value),
      signature,
    }),
  );
  const counted = signed.filter(({ value }) => values === undefined || values.includes(value));
  const sizes = new Map<string, number>();
  for (const { value } of counted) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  // One vote each, and a quorum is more than half: there is at most one such value.
  const value = [...sizes].find(([, size]) => size >= quorum)?.[0];
  const result: QuorumCertificateResult = {
    ballot,
    ...(value === undefined ? {} : { value }),
    quorum,
    votes: counted.map(({ agent, value: own }) => ({ agent, value: own })),
    forged: cast.filter((vote) => !signed.includes(vote)).map(({ agent }) => agent),
    equivocated: answers.flatMap((answer) =>
      answer.kind === 'silent' && answer.cause === 'equivocation' ? [answer.from] : [],
    ),
  };
  const reasons = Object.fromEntries(
    cast.map((vote) => [
      vote.agent,
      reasonOf(counted.includes(vote) ? vote.value : undefined, value),
    ]),
  );
  if (value === undefined) return { status: 'no_quorum', result, reasons };
  const votes = counted
    .filter((vote) => vote.value === value)
    .map(({ agent, signature }) => ({ agent, signature }));
  const certificate: Certificate = { kind: 'quorum', data: { ballot, instance, value, votes } };
  return { status: 'decided', result, certificate, reasons };
}

function reasonOf(own: string | undefined, decided: string | undefined): LossReason {
  if (own === undefined) return 'invalid';
  if (decided === undefined) return 'not_eligible';
  return own === decided ? 'won' : 'outbid';
}

/**
 * What is wrong with a certificate; nothing when a quorum of the voters in `spec` has signed its value. Whoever
 * has the public keys can ask, and has to trust nobody who took part.
 */
export function certificateProblems(
  spec: QuorumCertificateSpec,
  certificate: Certificate,
): readonly string[] {
  const evidence = evidenceOf(certificate);
  if (evidence === undefined) return ['the certificate is not one of a quorum'];
  const { ballot, instance, value, votes } = evidence;
  const { keyOf, quorum } = votersOf(spec);
  const problems = votes
    .filter(({ agent, signature }) => {
      const statement = voteStatement({ ballot, instance, voter: agent }, value);
      return !isSigned(keyOf.get(agent), { statement, signature });
    })
    .map(({ agent }) => `${shown(agent)} has not signed ${shown(value)}`);
  if (ballot !== spec.ballot) problems.push(`it is about ${shown(ballot)}`);
  if (spec.values?.includes(value) === false) problems.push(`${shown(value)} does not count`);
  const voters = new Set(votes.map(({ agent }) => agent));
  if (voters.size < votes.length) problems.push('it counts a vote twice');
  if (voters.size < quorum) problems.push(`it has ${voters.size} votes of ${quorum}`);
  return problems;
}

function evidenceOf({ kind, data = {} }: Certificate): QuorumEvidence | undefined {
  const { ballot, instance, value, votes } = data;
  if (kind !== 'quorum' || typeof ballot !== 'string' || typeof instance !== 'string') return;
  if (!isValue(value) || !Array.isArray(votes) || votes.length > signersMax) return;
  return votes.every(isVote) ? { ballot, instance, value, votes } : undefined;
}

function isVote(vote: unknown): vote is QuorumEvidence['votes'][number] {
  return (
    isRecord(vote) && typeof vote['agent'] === 'string' && typeof vote['signature'] === 'string'
  );
}

function problemsOf(
  spec: QuorumCertificateSpec,
  { status, result, certificate, roster }: Claim<QuorumCertificateResult>,
): readonly string[] {
  const wrong = rosterProblem(spec, roster);
  const problems = wrong === undefined || status === 'failed' ? [] : [wrong];
  if (status !== 'decided') return problems;
  if (certificate === undefined) return [...problems, 'decided without a certificate'];
  if (result?.value === undefined || result.value !== certificate.data?.['value']) {
    problems.push('the certificate is for another value');
  }
  return [...problems, ...certificateProblems(spec, certificate)];
}

/** Whoever has no key cannot vote, and a key nobody has would count for the size of a quorum. */
function rosterProblem(
  { keys }: QuorumCertificateSpec,
  roster: readonly AgentId[],
): string | undefined {
  const named = Object.keys(keys);
  const isSame = isDeepStrictEqual(named.toSorted(), roster.toSorted());
  return isSame
    ? undefined
    : `${named.length} keys are not those of the roster of ${roster.length}`;
}

function parseSpec(spec: unknown): Parsed<QuorumCertificateSpec> {
  return parseFields(spec, '{ ballot, keys }', ({ ballot, keys: given, values, faults }) => {
    const keys = parseKeys(given);
    return {
      ballot: parseText('ballot', ballot),
      keys,
      values: parseValues(values),
      faults: keys.ok ? parseFaults(faults, Object.keys(keys.value).length) : parsed(undefined),
    };
  });
}

function parseValues(values: unknown): Parsed<readonly string[] | undefined> {
  if (values === undefined) return parsed(undefined);
  return Array.isArray(values) && values.length <= valuesMax && values.every(isValue)
    ? parsed(values)
    : unparsed(`values: expected at most ${valuesMax} texts, got ${shown(values)}`);
}

function parseFaults(faults: unknown, n: number): Parsed<number | undefined> {
  if (faults === undefined || isFaults(faults, n)) return parsed(faults);
  const range = `a whole number from 0 to ${faultsOf(n)} for ${n} voters`;
  return unparsed(`faults: expected ${range}, got ${shown(faults)}`);
}

function isFaults(value: unknown, n: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= faultsOf(n);
}

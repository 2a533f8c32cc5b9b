import { parseChoice, parseFields } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { isRecord, parsed, type Parsed, shown, unknownField, unparsed } from '../../parse.ts';
import type { Decision, Protocol, PureEnv } from '../../protocol.ts';
import { participantsMax } from '../../session-options.ts';
import { breakTie } from '../../tie-break.ts';
import { type Ballot, parseBallot } from './ballot.ts';
import { type Count, countVotes, requestOf, slateOf, weighingOf } from './count.ts';
import type { Grades, Vote } from './profile.ts';
import { votingRules, winnersOf } from './rules.ts';
import { points } from './tally.ts';
import type { OptionScore } from './vote-question.ts';
import { type VoteSpec, voteFields } from './vote-spec.ts';
import { closed, decide, verifyVote, type VoteResult } from './vote.ts';

const rules = ['majority', 'plurality', 'supermajority', 'unanimous', 'weighted'] as const;
const forwards = ['tally', 'winner'] as const;

/** Members that are counted together. */
export interface VotingGroup {
  /** Unique among all groups; 1 to 256 characters. */
  readonly name: string;
  readonly members?: readonly AgentId[];
  /** At most {@link votingDepthMax} below each other. */
  readonly groups?: readonly VotingGroup[];
}

/** Most levels of groups. */
export const votingDepthMax = 16;

/** What is voted on in groups. */
export interface HierarchicalSpec extends VoteSpec {
  /** Who is in no group votes at the top. Names outside the roster have no vote. */
  readonly groups: readonly VotingGroup[];
  /** Of the top. @defaultValue `majority` */
  readonly rule?: (typeof rules)[number];
  /**
   * What a group hands on. `tally`: each vote as it was cast; the top comes to what it would without groups.
   * `winner`: what most of the group are for, with the weight of all its votes, as an electoral college does.
   *
   * @defaultValue `tally`
   */
  readonly forward?: (typeof forwards)[number];
}

/** What one group came to. */
export interface GroupResult {
  readonly name: string;
  /** What most are for. Absent when there were no votes, or a tie is only reported. */
  readonly winner?: string;
  /** Votes of its members and of the groups below, in the order of the options. */
  readonly tally: readonly OptionScore[];
}

/** How a vote in groups ended. Its tally is what reached the top: every vote that was cast, in either way. */
export interface HierarchicalResult extends VoteResult {
  /** A group stands behind the groups below it. */
  readonly groups: readonly GroupResult[];
}

/** Members vote in groups, which hand on to the group above and at last to the top. */
export const hierarchicalVote: Protocol<
  HierarchicalSpec,
  Ballot,
  HierarchicalSpec,
  HierarchicalResult
> = {
  name: 'consensus.hierarchical',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: false,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec,
  parseReply: (_type, body) => parseBallot(body, ['single']),
  init(spec, roster) {
    weighingOf(spec, roster);
    const body = requestOf(spec, 'single');
    return { state: spec, effects: [{ kind: 'ask', to: roster, type: 'get_vote', body }] };
  },
  on(spec, { answers }, env) {
    const roster = answers.map(({ from }) => from);
    const count = countVotes(answers, slateOf(spec, 'single'), weighingOf(spec, roster));
    return closed(spec, { roster, decision: decideInGroups(spec, count, env) });
  },
  verify(spec, claim) {
    const names = namesOf(spec.groups);
    const told = claim.result?.groups.map(({ name }) => name) ?? names;
    return [
      ...verifyVote(votingRules[spec.rule ?? 'majority'], spec, claim),
      ...(told.join('\n') === names.join('\n') ? [] : ['the groups are not those of the spec']),
    ];
  },
};

// oxlint-disable-next-line max-params -- what is voted on, by whom, how ties are broken
function decideInGroups(
  spec: HierarchicalSpec,
  count: Count,
  env: PureEnv,
): Decision<HierarchicalResult> {
  const results: GroupResult[] = [];
  const left = new Map(count.ballots.map((ballot) => [ballot.from, ballot]));
  const taken = (members: readonly AgentId[] = []): Vote[] =>
    members.flatMap((id) => {
      const ballot = left.get(id);
      left.delete(id);
      return ballot ?? [];
    });
  const forwarded = ({ name, members, groups = [] }: VotingGroup): readonly Vote[] => {
    const votes = [...taken(members), ...groups.flatMap(forwarded)];
    const group = groupResult(name, { spec, votes, scale: count.scale }, env);
    results.push(group);
    return spec.forward === 'winner' ? asBlock(votes, group, spec.options) : votes;
  };
  const fromGroups = spec.groups.flatMap(forwarded);
  const profile = { ...count.profile, votes: [...left.values(), ...fromGroups] };
  const rule = votingRules[spec.rule ?? 'majority'];
  const { result, ...decision } = decide(rule, { spec, count: { ...count, profile } }, env);
  return result === undefined ? decision : { ...decision, result: { ...result, groups: results } };
}

interface GroupVotes {
  readonly spec: HierarchicalSpec;
  readonly votes: readonly Vote[];
  readonly scale: number;
}

// oxlint-disable-next-line max-params -- which group, what it says, how ties are broken
function groupResult(name: string, { spec, votes, scale }: GroupVotes, env: PureEnv): GroupResult {
  const scores = points({ size: spec.options.length, votes });
  const winners = winnersOf(scores, (score) => score > 0).map((place) => spec.options[place] ?? '');
  const { first } = breakTie(winners, `winner of ${name} of ${spec.question}`, env);
  const tally = spec.options.map((option, place) => ({
    option,
    score: (scores[place] ?? 0) / scale,
  }));
  return { name, ...(first === undefined ? {} : { winner: first }), tally };
}

/** All the weight of a group for its winner. Without one each vote stays as it is, so that none is lost. */
// oxlint-disable-next-line max-params -- which votes, what they came to, among what
function asBlock(
  votes: readonly Vote[],
  { winner }: GroupResult,
  options: readonly string[],
): readonly Vote[] {
  if (winner === undefined) return votes;
  const grades: Grades = Uint16Array.from(options, (option) => Number(option === winner));
  return votes.map(({ weight }) => ({ weight, grades }));
}

function namesOf(groups: readonly VotingGroup[]): readonly string[] {
  return groups.flatMap((group) => [...namesOf(group.groups ?? []), group.name]);
}

function parseSpec(value: unknown): Parsed<HierarchicalSpec> {
  return parseFields(
    value,
    '{ question, options, groups, … }',
    ({ groups, rule: wanted = 'majority', forward = 'tally', ...vote }) => {
      const rule = parseChoice('rule', rules, wanted);
      const seen = { names: new Set<string>(), members: new Set<AgentId>() };
      return {
        ...voteFields(vote, votingRules[rule.ok ? rule.value : 'majority']),
        rule,
        forward: parseChoice('forward', forwards, forward),
        groups: parseGroups(groups, seen, 1),
      };
    },
  );
}

interface Seen {
  readonly names: Set<string>;
  readonly members: Set<AgentId>;
}

// oxlint-disable-next-line max-params -- what, what came before, how deep
function parseGroups(value: unknown, seen: Seen, depth: number): Parsed<readonly VotingGroup[]> {
  if (depth > votingDepthMax) return unparsed(`groups: expected at most ${votingDepthMax} levels`);
  if (!Array.isArray(value) || value.length > votingGroupsMax) {
    return unparsed(`groups: expected at most ${votingGroupsMax} groups, got ${shown(value)}`);
  }
  const groups: VotingGroup[] = [];
  for (const each of value) {
    const group = parseGroup(each, seen, depth);
    if (!group.ok) return group;
    groups.push(group.value);
  }
  return parsed(groups);
}

/** Most groups of a vote. */
export const votingGroupsMax = 1_000;

// oxlint-disable-next-line max-params -- what, what came before, how deep
function parseGroup(value: unknown, seen: Seen, depth: number): Parsed<VotingGroup> {
  if (!isRecord(value))
    return unparsed(`groups: expected { name, members?, groups? }, got ${shown(value)}`);
  const extra = unknownField(value, ['name', 'members', 'groups']);
  if (extra !== undefined) return unparsed(`groups: unknown field ${shown(extra)}`);
  const { name, members = [], groups = [] } = value;
  if (typeof name !== 'string' || name.length === 0 || name.length > 256) {
    return unparsed(`groups: expected a name of 1 to 256 characters, got ${shown(name)}`);
  }
  if (seen.names.has(name)) return unparsed(`groups: ${shown(name)} stands there twice`);
  seen.names.add(name);
  if (seen.names.size > votingGroupsMax) {
    return unparsed(`groups: expected at most ${votingGroupsMax} groups in all`);
  }
  const read = parseMembers(members, seen);
  if (!read.ok) return read;
  const below = parseGroups(groups, seen, depth + 1);
  return below.ok ? parsed({ name, members: read.value, groups: below.value }) : below;
}

function parseMembers(value: unknown, { members }: Seen): Parsed<readonly AgentId[]> {
  if (!Array.isArray(value) || value.length > participantsMax) {
    return unparsed(`members: expected at most ${participantsMax} ids, got ${shown(value)}`);
  }
  const ids: AgentId[] = [];
  for (const id of value) {
    if (typeof id !== 'string' || id.length === 0 || id.length > 256) {
      return unparsed(`members: expected an id, got ${shown(id)}`);
    }
    if (members.has(id)) return unparsed(`members: ${shown(id)} is in two groups`);
    members.add(id);
    ids.push(id);
  }
  return parsed(ids);
}

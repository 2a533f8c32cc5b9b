import { keepNewest } from '../keep-newest.ts';
import type { Hint } from './discovery.ts';
import type { Contact, DownReason, Member } from './member.ts';
import type { MembershipEffect, MembershipEvent } from './membership-event.ts';

export interface MembershipState {
  readonly self: Omit<Contact, 'address'>;
  /** Without this node itself. */
  readonly members: ReadonlyMap<string, Member>;
  /** The highest incarnation of each node that is known to be over. */
  readonly buried: ReadonlyMap<string, number>;
  /** Nodes being dialled; addresses, where nobody knows whose they are. */
  readonly dialling: ReadonlySet<string>;
  /** Who may be out there, as discovery told last. */
  readonly hints: readonly Hint[];
  /** Who was found at an address that came without a name. */
  readonly found: ReadonlyMap<string, string>;
}

export interface MembershipStep {
  readonly state: MembershipState;
  readonly effects: readonly MembershipEffect[];
}

export function newMembership(self: MembershipState['self']): MembershipState {
  return {
    self,
    members: new Map(),
    buried: new Map(),
    dialling: new Set(),
    hints: [],
    found: new Map(),
  };
}

/** What to say to one that wants to join. */
export type Verdict =
  | 'welcome'
  /** Its life was declared over here: it must begin another. */
  | 'over'
  /** So it was, but this node is with the smaller part: its own life gives way. */
  | 'give-way'
  /** Another node has its name, and is up. */
  | 'taken';

/**
 * After a split each side has declared the other over, and of any two that meet one must begin a new
 * life: the one that sees no majority, and if neither does the one that is asked.
 *
 * Of two nodes of one name, the one that is here already stays as long as it is up: otherwise each new life of
 * one would end that of the other, for ever. A new life at the same address is the same node.
 *
 * @param peer - with the address at which it listens, where that outlives its lives
 */
export function judge(
  state: MembershipState,
  peer: Omit<Contact, 'address'> & Partial<Contact>,
): Verdict {
  const isBuried = peer.incarnation <= (state.buried.get(peer.node) ?? -1);
  if (!isBuried && holderOf(state, peer) !== undefined) return 'taken';
  if (!isOver(state, peer)) return 'welcome';
  const others = state.hints.filter((hint) => nodeAt(state, hint) !== state.self.node);
  const isMajority = 2 * (state.members.size + 1) > others.length + 1;
  return isMajority || state.members.has(peer.node) ? 'over' : 'give-way';
}

/** The member that has the name of a peer and is another node. */
export function holderOf(
  { members }: MembershipState,
  { node, incarnation, address }: Omit<Contact, 'address'> & Partial<Contact>,
): Member | undefined {
  const member = members.get(node);
  if (member?.status !== 'up' || address === undefined) return undefined;
  return member.incarnation === incarnation || member.address === address ? undefined : member;
}

/** Whether a life of a node was declared over, or followed by another. */
function isOver(state: MembershipState, { node, incarnation }: Omit<Contact, 'address'>): boolean {
  const buried = state.buried.get(node) ?? -1;
  return incarnation <= buried || incarnation < (state.members.get(node)?.incarnation ?? 0);
}

/**
 * What the members are after an event. A link that was reset makes a member suspect, and one redial that is
 * refused decides: the process is gone. Whatever else is wrong with links is no verdict: the failure detector
 * decides, and meanwhile the member is dialled again. A life that was declared over never comes back, the
 * node must begin another.
 */
export function nextMembership(state: MembershipState, event: MembershipEvent): MembershipStep {
  switch (event.kind) {
    case 'discovered':
      return look(withHints(state, event.hints), event.early);
    case 'look':
      return look(state, event.early);
    case 'introduced':
      return introduced(state, event.contacts);
    case 'linked':
      return linked(state, event);
    case 'unlinked':
      return unlinked(state, event);
    case 'dialled':
      return dialled(state, event);
    case 'silent':
      return silent(state, event.node);
    case 'judged':
      return judged(state, event);
    case 'outvoted':
      return { state, effects: [{ kind: 'rejoin' }] };
  }
}

/** Dials whoever is not linked; also who was declared over, so that the two sides of a split meet again. */
function look(state: MembershipState, early: ReadonlySet<string> = new Set()): MembershipStep {
  const lost = [...state.members.values()].filter(({ link }) => link !== 'up');
  const hints = state.hints.filter((hint) => !early.has(hint.address) && isNews(state, hint));
  return dialAll(state, [...lost, ...hints]);
}

function isNews(state: MembershipState, hint: Hint): boolean {
  const node = nodeAt(state, hint);
  if (node === undefined) return ![...state.members.values()].some(isAt(hint.address));
  const member = state.members.get(node);
  return member === undefined || (hint.incarnation ?? 0) > member.incarnation;
}

/** Who should be at an address, or was found there. */
export function nodeAt({ found }: MembershipState, { node, address }: Hint): string | undefined {
  return node ?? found.get(address);
}

function isAt(address: string): (member: Member) => boolean {
  return (member) => member.address === address;
}

/** Nodes that are over and are remembered, the last ones: names may be of one life only. */
const buriedMax = 1_000;
/** Dials at a time that come of what members tell; more of them are told again by those that answer. */
const introductionsMax = 64;

/** Dials whom another member knows, unless its life is known to be over. */
function introduced(state: MembershipState, contacts: readonly Contact[]): MembershipStep {
  const news = contacts.filter(
    (each) =>
      !isOver(state, each) && state.members.get(each.node)?.incarnation !== each.incarnation,
  );
  // Whatever a member claims, it does not have this node dial everywhere at once.
  const room = Math.max(0, introductionsMax - state.dialling.size);
  return dialAll(state, news.slice(0, room));
}

function dialAll(state: MembershipState, hints: readonly Hint[]): MembershipStep {
  const dialling = new Set(state.dialling);
  const effects: MembershipEffect[] = [];
  for (const hint of hints) {
    if (nodeAt(state, hint) === state.self.node || dialling.has(dialKey(hint))) continue;
    dialling.add(dialKey(hint));
    effects.push({ kind: 'dial', hint });
  }
  return { state: { ...state, dialling }, effects };
}

function dialKey({ node, address }: Hint): string {
  return node ?? address;
}

function linked(
  state: MembershipState,
  { contact, meta }: MembershipEvent & { readonly kind: 'linked' },
): MembershipStep {
  const { node, incarnation } = contact;
  if (isOver(state, contact)) return { state, effects: [{ kind: 'unlink', node }] };
  const known = state.members.get(node);
  const linkedNow = { ...contact, meta, link: 'up' } as const;
  if (known?.incarnation === incarnation) {
    const again = put(state, { ...known, ...linkedNow });
    const introduce = { kind: 'introduce', to: node } as const;
    return { state: settle(again.state, node), effects: [introduce, ...again.effects] };
  }
  const member: Member = { ...linkedNow, isSilent: false, status: 'up' };
  const next = settle({ ...state, members: withMember(state.members, member) }, node);
  const effects: MembershipEffect[] = [
    { kind: 'up', member },
    { kind: 'introduce', to: node },
  ];
  if (known === undefined) return { state: next, effects };
  const buried = bury(next.buried, node, known.incarnation);
  return {
    state: { ...next, buried },
    effects: [{ kind: 'down', member: known, reason: 'replaced' }, ...effects],
  };
}

function unlinked(
  state: MembershipState,
  event: MembershipEvent & { readonly kind: 'unlinked' },
): MembershipStep {
  const member = lifeOf(state, event);
  if (member === undefined) return { state, effects: [] };
  const { how } = event;
  return how === 'goodbye' ? remove(state, member, 'left') : unlink(state, member, how);
}

/** Its old connection may stay dead for long after the network is well again: a new one is made at once. */
function silent(state: MembershipState, node: string): MembershipStep {
  const member = state.members.get(node);
  if (member === undefined || member.link !== 'up') return { state, effects: [] };
  const step = unlink(state, member, 'lost');
  return { ...step, effects: [{ kind: 'unlink', node }, ...step.effects] };
}

function unlink(state: MembershipState, member: Member, link: 'lost' | 'reset'): MembershipStep {
  if (member.link !== 'up') return { state, effects: [] };
  const changed = put(state, { ...member, link });
  const dialling = dialAll(changed.state, [member]);
  return { state: dialling.state, effects: [...changed.effects, ...dialling.effects] };
}

function dialled(
  state: MembershipState,
  { hint, found, isRefused }: MembershipEvent & { readonly kind: 'dialled' },
): MembershipStep {
  const next = settle(withFound(state, hint, found), dialKey(hint));
  const member = hint.node === undefined ? undefined : next.members.get(hint.node);
  const isElsewhere = found !== undefined && found !== hint.node;
  const isGone = member?.link === 'reset' && member.incarnation === hint.incarnation;
  if (!isGone || !(isRefused || isElsewhere)) return { state: next, effects: [] };
  return remove(next, member, 'crashed');
}

function judged(
  state: MembershipState,
  event: MembershipEvent & { readonly kind: 'judged' },
): MembershipStep {
  const member = lifeOf(state, event);
  if (member === undefined) return { state, effects: [] };
  const { judgement } = event;
  if (judgement === 'dead') return remove(state, member, 'unresponsive');
  return put(state, { ...member, isSilent: judgement === 'suspect' });
}

function lifeOf(
  { members }: MembershipState,
  { node, incarnation }: Omit<Contact, 'address'>,
): Member | undefined {
  const member = members.get(node);
  return member?.incarnation === incarnation ? member : undefined;
}

/** Puts a member in place of what it was. */
function put(state: MembershipState, member: Member): MembershipStep {
  const before = state.members.get(member.node);
  const status = member.link === 'up' && !member.isSilent ? 'up' : 'suspect';
  const after: Member = { ...member, status };
  const isSame = before?.link === after.link && before.isSilent === after.isSilent;
  return {
    state: { ...state, members: withMember(state.members, after) },
    effects: isSame ? [] : [{ kind: 'changed', member: after }],
  };
}

/** Who was found where nothing hints at any more is forgotten. */
function withHints(state: MembershipState, hints: readonly Hint[]): MembershipState {
  const addresses = new Set(hints.map(({ address }) => address));
  const found = new Map([...state.found].filter(([address]) => addresses.has(address)));
  return { ...state, hints, found };
}

function withFound(state: MembershipState, hint: Hint, node: string | undefined): MembershipState {
  if (hint.node !== undefined || node === undefined) return state;
  return { ...state, found: new Map(state.found).set(hint.address, node) };
}

function remove(state: MembershipState, member: Member, reason: DownReason): MembershipStep {
  const members = new Map(state.members);
  members.delete(member.node);
  const buried = bury(state.buried, member.node, member.incarnation);
  // Somebody else may be at its address from now on.
  const found = new Map([...state.found].filter(([, node]) => node !== member.node));
  return {
    state: settle({ ...state, members, buried, found }, member.node),
    effects: [
      { kind: 'unlink', node: member.node },
      { kind: 'down', member, reason },
    ],
  };
}

function settle(state: MembershipState, key: string): MembershipState {
  if (!state.dialling.has(key)) return state;
  const dialling = new Set(state.dialling);
  dialling.delete(key);
  return { ...state, dialling };
}

function withMember(
  members: ReadonlyMap<string, Member>,
  member: Member,
): ReadonlyMap<string, Member> {
  return new Map(members).set(member.node, member);
}

function bury(
  buried: ReadonlyMap<string, number>,
  node: string,
  incarnation: number,
): ReadonlyMap<string, number> {
  const next = new Map(buried);
  next.delete(node);
  next.set(node, Math.max(incarnation, buried.get(node) ?? -1));
  keepNewest(next, buriedMax);
  return next;
}

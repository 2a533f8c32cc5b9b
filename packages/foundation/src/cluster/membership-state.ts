import type { Hint } from './discovery.ts';

/** Where a node can be reached, in which of its lives. */
export interface Contact {
  readonly node: string;
  readonly incarnation: number;
  readonly address: string;
}

export interface Member extends Contact {
  /** `suspect`: its link broke or it was silent; a redial decides. */
  readonly status: 'up' | 'suspect';
  /** Facts it told about itself. */
  readonly meta: Readonly<Record<string, unknown>>;
}

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

export type MembershipEvent =
  /** Everybody who may be out there. */
  | { readonly kind: 'discovered'; readonly hints: readonly Hint[] }
  /** Time has passed: try again whoever is not linked. */
  | { readonly kind: 'look' }
  /** Whom a member knows. */
  | { readonly kind: 'introduced'; readonly contacts: readonly Contact[] }
  | { readonly kind: 'linked'; readonly contact: Contact; readonly meta: Member['meta'] }
  | {
      readonly kind: 'unlinked';
      readonly node: string;
      readonly incarnation: number;
      readonly isGoodbye: boolean;
    }
  /** A dial has ended. `isGone`: nobody is at the address, or not the one who should be. */
  | {
      readonly kind: 'dialled';
      readonly hint: Hint;
      readonly isGone: boolean;
      /** Who is there; may be this node itself. */
      readonly found?: string | undefined;
    }
  | { readonly kind: 'silent'; readonly node: string }
  /** Another node has declared this life over, or this one makes way. */
  | { readonly kind: 'outvoted' }
  | { readonly kind: 'verdict'; readonly node: string; readonly incarnation: number };

export type MembershipEffect =
  | { readonly kind: 'dial'; readonly hint: Hint }
  | { readonly kind: 'up'; readonly member: Member }
  | { readonly kind: 'down'; readonly member: Member; readonly reason: DownReason }
  /** Tell a new member whom this node knows. */
  | { readonly kind: 'introduce'; readonly to: string }
  /** Tell the others that a life of a node is over. */
  | { readonly kind: 'tell-verdict'; readonly node: string; readonly incarnation: number }
  | { readonly kind: 'unlink'; readonly node: string }
  /** Another member says that this one is gone: find out. */
  | { readonly kind: 'probe'; readonly node: string }
  /** The others have declared this life over: begin a new one. */
  | { readonly kind: 'rejoin' };

/** `left`: said goodbye. `crashed`: its link broke and a redial failed. `replaced`: it began another life. */
export type DownReason = 'left' | 'crashed' | 'replaced';

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
  | 'give-way';

/**
 * After a split each side has declared the other over, and of any two that meet one must begin a new
 * life: the one that sees no majority, and if neither does the one that is asked.
 */
export function judge(state: MembershipState, peer: Omit<Contact, 'address'>): Verdict {
  if (!isOver(state, peer)) return 'welcome';
  const others = state.hints.filter((hint) => nodeAt(state, hint) !== state.self.node);
  const isMajority = 2 * (state.members.size + 1) > others.length + 1;
  return isMajority || state.members.has(peer.node) ? 'over' : 'give-way';
}

/** Whether a life of a node was declared over, or followed by another. */
function isOver(state: MembershipState, { node, incarnation }: Omit<Contact, 'address'>): boolean {
  const buried = state.buried.get(node) ?? -1;
  return incarnation <= buried || incarnation < (state.members.get(node)?.incarnation ?? 0);
}

/**
 * What the members are after an event. A broken link makes a member suspect; one redial decides: a
 * refused one means that the process is gone. A life that was declared over never comes back, the
 * node must begin another.
 */
export function nextMembership(state: MembershipState, event: MembershipEvent): MembershipStep {
  switch (event.kind) {
    case 'discovered':
      return look({ ...state, hints: event.hints });
    case 'look':
      return look(state);
    case 'introduced':
      return introduced(state, event.contacts);
    case 'linked':
      return linked(state, event);
    case 'unlinked':
      return unlinked(state, event);
    case 'dialled':
      return dialled(state, event);
    case 'silent':
      return suspect(state, state.members.get(event.node), [{ kind: 'unlink', node: event.node }]);
    case 'verdict':
      return verdict(state, event);
    case 'outvoted':
      return { state, effects: [{ kind: 'rejoin' }] };
  }
}

/** Dials whoever is not linked; also who was declared over, so that the two sides of a split meet again. */
function look(state: MembershipState): MembershipStep {
  const lost = [...state.members.values()].filter(({ status }) => status === 'suspect');
  return dialAll(state, [...lost, ...state.hints.filter((hint) => isNews(state, hint))]);
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
  const member: Member = { ...contact, meta, status: 'up' };
  const next = settle({ ...state, members: withMember(state.members, member) }, node);
  if (known?.incarnation === incarnation) {
    return { state: next, effects: [{ kind: 'introduce', to: node }] };
  }
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
  { node, incarnation, isGoodbye }: MembershipEvent & { readonly kind: 'unlinked' },
): MembershipStep {
  const member = state.members.get(node);
  if (member === undefined || member.incarnation !== incarnation) return { state, effects: [] };
  return isGoodbye ? remove(state, member, 'left') : suspect(state, member, []);
}

function suspect(
  state: MembershipState,
  member: Member | undefined,
  before: readonly MembershipEffect[],
): MembershipStep {
  if (member === undefined || member.status === 'suspect') return { state, effects: [] };
  const members = withMember(state.members, { ...member, status: 'suspect' });
  const next = dialAll({ ...state, members }, [member]);
  return { state: next.state, effects: [...before, ...next.effects] };
}

function dialled(
  state: MembershipState,
  { hint, isGone, found }: MembershipEvent & { readonly kind: 'dialled' },
): MembershipStep {
  const next = settle(withFound(state, hint, found), dialKey(hint));
  const member = hint.node === undefined ? undefined : next.members.get(hint.node);
  const isDecided =
    isGone && member?.status === 'suspect' && member.incarnation === hint.incarnation;
  if (!isDecided) return { state: next, effects: [] };
  const { node, incarnation } = member;
  const gone = remove(next, member, 'crashed');
  return { ...gone, effects: [...gone.effects, { kind: 'tell-verdict', node, incarnation }] };
}

function withFound(state: MembershipState, hint: Hint, node: string | undefined): MembershipState {
  if (hint.node !== undefined || node === undefined) return state;
  return { ...state, found: new Map(state.found).set(hint.address, node) };
}

/** Another member's verdict is a reason to look, not a proof: this node's own link may answer. */
function verdict(
  state: MembershipState,
  { node, incarnation }: MembershipEvent & { readonly kind: 'verdict' },
): MembershipStep {
  const member = state.members.get(node);
  if (node === state.self.node || member === undefined || member.incarnation > incarnation) {
    return { state, effects: [] };
  }
  return { state, effects: [{ kind: 'probe', node }] };
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
  return new Map(buried).set(node, Math.max(incarnation, buried.get(node) ?? -1));
}

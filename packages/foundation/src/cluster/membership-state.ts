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
  /** Nodes being dialled. */
  readonly dialling: ReadonlySet<string>;
  /** Who may be out there, as discovery told last. */
  readonly contacts: readonly Contact[];
}

export type MembershipEvent =
  /** Everybody who may be out there, without this node. */
  | { readonly kind: 'discovered'; readonly contacts: readonly Contact[] }
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
  /** A dial has ended. `isGone`: nobody is at the address, or somebody else. */
  | { readonly kind: 'dialled'; readonly contact: Contact; readonly isGone: boolean }
  | { readonly kind: 'silent'; readonly node: string }
  /** Another node has declared this life over, or this one makes way. */
  | { readonly kind: 'outvoted' }
  | { readonly kind: 'verdict'; readonly node: string; readonly incarnation: number };

export type MembershipEffect =
  | { readonly kind: 'dial'; readonly contact: Contact }
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
  return { self, members: new Map(), buried: new Map(), dialling: new Set(), contacts: [] };
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
  const isMajority = 2 * (state.members.size + 1) > state.contacts.length + 1;
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
      return look({ ...state, contacts: event.contacts });
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
  const others = state.contacts.filter(
    ({ node, incarnation }) => incarnation > (state.members.get(node)?.incarnation ?? -1),
  );
  return dialAll(state, [...lost, ...others]);
}

/** Dials whom another member knows, unless its life is known to be over. */
function introduced(state: MembershipState, contacts: readonly Contact[]): MembershipStep {
  const news = contacts.filter(
    (each) =>
      !isOver(state, each) && state.members.get(each.node)?.incarnation !== each.incarnation,
  );
  return dialAll(state, news);
}

function dialAll(state: MembershipState, contacts: readonly Contact[]): MembershipStep {
  const dialling = new Set(state.dialling);
  const effects: MembershipEffect[] = [];
  for (const contact of contacts) {
    if (contact.node === state.self.node || dialling.has(contact.node)) continue;
    dialling.add(contact.node);
    effects.push({ kind: 'dial', contact });
  }
  return { state: { ...state, dialling }, effects };
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
  { contact, isGone }: MembershipEvent & { readonly kind: 'dialled' },
): MembershipStep {
  const next = settle(state, contact.node);
  const member = next.members.get(contact.node);
  const isDecided =
    isGone && member?.status === 'suspect' && member.incarnation === contact.incarnation;
  if (!isDecided) return { state: next, effects: [] };
  const { node, incarnation } = member;
  const gone = remove(next, member, 'crashed');
  return { ...gone, effects: [...gone.effects, { kind: 'tell-verdict', node, incarnation }] };
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
  return {
    state: settle({ ...state, members, buried }, member.node),
    effects: [
      { kind: 'unlink', node: member.node },
      { kind: 'down', member, reason },
    ],
  };
}

function settle(state: MembershipState, node: string): MembershipState {
  if (!state.dialling.has(node)) return state;
  const dialling = new Set(state.dialling);
  dialling.delete(node);
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

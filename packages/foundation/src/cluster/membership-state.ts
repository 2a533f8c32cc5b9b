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
}

export type MembershipEvent =
  | { readonly kind: 'contacts'; readonly contacts: readonly Contact[] }
  | { readonly kind: 'linked'; readonly contact: Contact; readonly meta: Member['meta'] }
  | { readonly kind: 'unlinked'; readonly node: string; readonly incarnation: number; readonly isGoodbye: boolean }
  | { readonly kind: 'dial-failed'; readonly contact: Contact; readonly code: string }
  | { readonly kind: 'silent'; readonly node: string }
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
  return { self, members: new Map(), buried: new Map(), dialling: new Set() };
}

/** Whether a life of a node may still join. */
export function isBuried(state: MembershipState, node: string, incarnation: number): boolean {
  return incarnation <= (state.buried.get(node) ?? -1);
}

/**
 * What the members are after an event. A broken link makes a member suspect; one redial decides: a
 * refused one means that the process is gone. A life that was declared over never comes back, the
 * node must begin another.
 */
export function nextMembership(state: MembershipState, event: MembershipEvent): MembershipStep {
  switch (event.kind) {
    case 'contacts':
      return dialUnknown(state, event.contacts);
    case 'linked':
      return linked(state, event);
    case 'unlinked':
      return unlinked(state, event);
    case 'dial-failed':
      return dialFailed(state, event);
    case 'silent':
      return suspect(state, state.members.get(event.node), [{ kind: 'unlink', node: event.node }]);
    case 'verdict':
      return verdict(state, event);
  }
}

function dialUnknown(state: MembershipState, contacts: readonly Contact[]): MembershipStep {
  const dialling = new Set(state.dialling);
  const effects: MembershipEffect[] = [];
  for (const contact of contacts) {
    if (contact.node === state.self.node || dialling.has(contact.node)) continue;
    const member = state.members.get(contact.node);
    if (member !== undefined && member.incarnation >= contact.incarnation) continue;
    if (isBuried(state, contact.node, contact.incarnation)) continue;
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
  if (isBuried(state, node, incarnation)) return { state, effects: [{ kind: 'unlink', node }] };
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
  const dialling = new Set(state.dialling).add(member.node);
  const effects = [...before, { kind: 'dial', contact: member } as const];
  return { state: { ...state, members, dialling }, effects };
}

function dialFailed(
  state: MembershipState,
  { contact, code }: MembershipEvent & { readonly kind: 'dial-failed' },
): MembershipStep {
  const next = settle(state, contact.node);
  // The other side's own dial won: its link is about to be announced.
  if (code === 'DUPLICATE_LINK') return { state: next, effects: [] };
  if (code === 'STALE_INCARNATION') return { state: next, effects: [{ kind: 'rejoin' }] };
  const member = next.members.get(contact.node);
  if (member?.status !== 'suspect' || member.incarnation !== contact.incarnation) {
    return { state: next, effects: [] };
  }
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

function remove(
  state: MembershipState,
  member: Member,
  reason: DownReason,
): MembershipStep {
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

function withMember(members: ReadonlyMap<string, Member>, member: Member): ReadonlyMap<string, Member> {
  return new Map(members).set(member.node, member);
}

function bury(
  buried: ReadonlyMap<string, number>,
  node: string,
  incarnation: number,
): ReadonlyMap<string, number> {
  return new Map(buried).set(node, Math.max(incarnation, buried.get(node) ?? -1));
}

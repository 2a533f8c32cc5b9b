import type { Hint } from './discovery.ts';
import type { Contact, DownReason, Member } from './member.ts';
import type { DialOutcome } from './who-is-at.ts';

/** Where nobody was a moment ago: hints at them are not dialled yet. @defaultValue none */
type EarlyAddresses = ReadonlySet<string>;

/** What membership is told. */
export type MembershipEvent =
  /** Everybody who may be out there. */
  | {
      readonly kind: 'discovered';
      readonly hints: readonly Hint[];
      readonly early?: EarlyAddresses;
    }
  /** Time has passed: try again whoever is not linked. */
  | { readonly kind: 'look'; readonly early?: EarlyAddresses }
  /** Whom a member knows. */
  | { readonly kind: 'introduced'; readonly contacts: readonly Contact[] }
  | { readonly kind: 'linked'; readonly contact: Contact; readonly meta: Member['meta'] }
  | {
      readonly kind: 'unlinked';
      readonly node: string;
      readonly incarnation: number;
      /** It said goodbye; its end was reset; or any other reason. */
      readonly how: 'goodbye' | 'reset' | 'lost';
    }
  /** A dial has ended. */
  | ({ readonly kind: 'dialled'; readonly hint: Hint } & DialOutcome)
  /** Nothing comes over its link any more. */
  | { readonly kind: 'silent'; readonly node: string }
  /** The failure detector suspects a life, trusts it again, or has found it dead. */
  | {
      readonly kind: 'judged';
      readonly judgement: 'suspect' | 'trust' | 'dead';
      readonly node: string;
      readonly incarnation: number;
    }
  /** Another node has declared this life over, or this one makes way. */
  | { readonly kind: 'outvoted' };

/** What it wants done. */
export type MembershipEffect =
  | { readonly kind: 'dial'; readonly hint: Hint }
  | { readonly kind: 'up'; readonly member: Member }
  | { readonly kind: 'down'; readonly member: Member; readonly reason: DownReason }
  /** A member is suspect now, or is not any more. */
  | { readonly kind: 'changed'; readonly member: Member }
  /** Tell a new member whom this node knows. */
  | { readonly kind: 'introduce'; readonly to: string }
  | { readonly kind: 'unlink'; readonly node: string }
  /** The others have declared this life over: begin a new one. */
  | { readonly kind: 'rejoin' };

import type { AgentId, CoordinationRequest } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { isWhole } from './voting/vote-spec.ts';

/** Most units of a resource, and of a claim. */
export const unitsMax = 1_000_000_000;
/** Highest priority. */
export const priorityMax = 1_000_000;

/** What somebody claims of a resource. Body of the answer, too. */
export interface ResourceClaim {
  /** Whole units, 0 to {@link unitsMax}. */
  readonly units: number;
  /** How urgent it is, 0 to {@link priorityMax}, where that is left to the claimants. @defaultValue 0 */
  readonly priority?: number;
}

/** A claim, and whose it is. */
export interface MadeClaim extends ResourceClaim {
  readonly agent: AgentId;
}

/** Units that somebody gets. */
export interface Share {
  readonly agent: AgentId;
  readonly units: number;
}

/** Body of a `get_claim` request, and what a claimant is asked. */
export interface ClaimQuestion {
  /** Name of the resource. */
  readonly resource: string;
  /** How many units there are. */
  readonly supply: number;
  /** All claims, where they are more than there is, and claimants may settle it: a new claim may only be smaller. */
  readonly claims?: readonly MadeClaim[];
}

/** Body of a `get_ruling` request, and what is asked of who decides a conflict. */
export interface RulingQuestion extends Required<ClaimQuestion> {
  /** How high the conflict has come, from 1. */
  readonly level: number;
}

/** Who gets how much. Body of the answer, too. To decline is to pass it on to the next level. */
export interface Ruling {
  /** Units by claimant, none above its claim, and not more than there are. Who is not named gets nothing. */
  readonly shares: Readonly<Record<AgentId, number>>;
}

/** Body of an `allocation` notice. */
export interface AllocationNotice {
  readonly resource: string;
  /** What its recipient gets. */
  readonly units: number;
}

/** Asks what somebody claims. */
export const claimQuestion: Question<ClaimQuestion, ResourceClaim> = {
  type: 'get_claim',
  parse: ({ body }) => parseClaimQuestion(body),
  reply: parseClaim,
};

/** Asks who gets how much. */
export const rulingQuestion: Question<RulingQuestion, Ruling> = {
  type: 'get_ruling',
  parse: parseRulingQuestion,
  reply: parseRuling,
};

export function parseClaim(body: unknown): Parsed<ResourceClaim> {
  if (!isRecord(body)) return unparsed(`body: expected { units }, got ${shown(body)}`);
  const extra = unknownField(body, ['units', 'priority']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { units, priority } = body;
  if (!isWhole(units, 0, unitsMax)) {
    return unparsed(`body.units: expected a whole number to ${unitsMax}, got ${shown(units)}`);
  }
  if (priority === undefined) return parsed({ units });
  return isWhole(priority, 0, priorityMax)
    ? parsed({ units, priority })
    : unparsed(`body.priority: expected a whole number to ${priorityMax}, got ${shown(priority)}`);
}

export function parseRuling(body: unknown): Parsed<Ruling> {
  const shares = isRecord(body) ? body['shares'] : undefined;
  if (!isRecord(body) || !isRecord(shares)) {
    return unparsed(`body: expected { shares }, got ${shown(body)}`);
  }
  const extra = unknownField(body, ['shares']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const read: [AgentId, number][] = [];
  for (const [id, units] of Object.entries(shares)) {
    if (!isWhole(units, 0, unitsMax)) {
      return unparsed(`body.shares: expected a whole number for ${shown(id)}, got ${shown(units)}`);
    }
    read.push([id, units]);
  }
  return parsed({ shares: Object.fromEntries(read) });
}

function parseClaimQuestion(body: unknown): Parsed<ClaimQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { resource, supply }, got ${shown(body)}`);
  const { resource, supply, claims } = body;
  if (typeof resource !== 'string') {
    return unparsed(`body.resource: expected a text, got ${shown(resource)}`);
  }
  if (!isWhole(supply, 0, unitsMax)) {
    return unparsed(`body.supply: expected a whole number, got ${shown(supply)}`);
  }
  if (claims === undefined) return parsed({ resource, supply });
  if (!Array.isArray(claims)) {
    return unparsed(`body.claims: expected claims, got ${shown(claims)}`);
  }
  const read: MadeClaim[] = [];
  for (const each of claims) {
    const { agent, ...claim } = isRecord(each) ? each : {};
    const parsedClaim = parseClaim(claim);
    if (!parsedClaim.ok || typeof agent !== 'string') {
      return unparsed(`body.claims: expected { agent, units }, got ${shown(each)}`);
    }
    read.push({ agent, ...parsedClaim.value });
  }
  return parsed({ resource, supply, claims: read });
}

function parseRulingQuestion({ body }: CoordinationRequest): Parsed<RulingQuestion> {
  const asked = parseClaimQuestion(body);
  if (!asked.ok) return asked;
  const { level } = Object(body);
  if (!isWhole(level, 1, Number.MAX_SAFE_INTEGER)) {
    return unparsed(`body.level: expected a whole number from 1, got ${shown(level)}`);
  }
  return parsed({ claims: [], ...asked.value, level });
}

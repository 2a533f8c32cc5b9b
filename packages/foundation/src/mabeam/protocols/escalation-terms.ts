import { parseFields, parseMs, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { type Parsed, parsed, shown, unparsed } from '../parse.ts';
import { type ConflictSpec, conflictFields } from './conflict-terms.ts';

/** Most levels of one conflict. */
export const levelsMax = 10;
/** Most who decide on one level. */
export const decidersMax = 100;
/** Most rounds in which claimants may settle it. */
export const settlingMax = 10;

/** What may be claimed, and who decides when more is claimed than there is. */
export interface EscalationSpec extends ConflictSpec {
  /**
   * Who decides, level by level, up to {@link levelsMax}, each of up to {@link decidersMax} members of the roster. All
   * other members of the roster are claimants.
   */
  readonly levels: readonly (readonly AgentId[])[];
  /** How often claimants see all claims and may settle it by claiming less, 0 to {@link settlingMax}. @defaultValue 1 */
  readonly settling?: number;
  /** Milliseconds for each level. @defaultValue 1000 */
  readonly rulingMs?: number;
}

export function parseEscalationSpec(value: unknown): Parsed<EscalationSpec> {
  return parseFields(value, '{ resource, … }', ({ settling = 1, rulingMs = 1_000, ...given }) => ({
    ...conflictFields(given),
    levels: parseLevels(given['levels']),
    settling: parseWhole('settling', settling, { min: 0, max: settlingMax }),
    rulingMs: parseMs('rulingMs', rulingMs),
  }));
}

function parseLevels(value: unknown): Parsed<readonly (readonly AgentId[])[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > levelsMax) {
    return unparsed(`levels: expected 1 to ${levelsMax} levels, got ${shown(value)}`);
  }
  const levels: (readonly AgentId[])[] = [];
  for (const [index, each] of value.entries()) {
    if (!Array.isArray(each) || each.length === 0 || each.length > decidersMax) {
      return unparsed(`levels[${index}]: expected 1 to ${decidersMax} ids, got ${shown(each)}`);
    }
    const ids = each.filter((id): id is AgentId => typeof id === 'string' && id.length <= 256);
    if (ids.length < each.length || new Set(ids).size < ids.length) {
      return unparsed(`levels[${index}]: expected different ids, got ${shown(each)}`);
    }
    levels.push(ids);
  }
  return parsed(levels);
}

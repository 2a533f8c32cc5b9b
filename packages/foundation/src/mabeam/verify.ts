import { messageOf } from '../errors.ts';
import { canonical } from './canonical.ts';
import type { Outcome } from './outcome.ts';
import type { AnyProtocol } from './protocol.ts';
import { replay } from './replay.ts';

/**
 * Checks an outcome without trusting who coordinated it: it must be what its record leads to, its certificate must
 * hold, and so must what the protocol promises.
 *
 * @returns what is wrong, a sentence each; nothing when all is well.
 */
export function verify<Out>(protocol: AnyProtocol<Out>, outcome: Outcome<Out>): readonly string[] {
  const { record, ...claimed } = outcome;
  const problems: string[] = [];
  try {
    const { record: _, ...replayed } = replay(protocol, record);
    const fields = new Set([...Object.keys(claimed), ...Object.keys(replayed)]);
    for (const field of fields) {
      if (textOf(claimed, field) === textOf(replayed, field)) continue;
      problems.push(`\`${field}\` is not what the record leads to`);
    }
    const spec = protocol.parseSpec(record.setup.spec);
    if (!spec.ok) return [...problems, spec.reason];
    // The same, but with amounts as bigints where the outcome has come as JSON.
    const claim = problems.length === 0 ? replayed : claimed;
    const { roster } = record.setup;
    return [...problems, ...(protocol.verify?.(spec.value, { ...claim, roster }) ?? [])];
  } catch (error) {
    return [...problems, messageOf(error)];
  }
}

function textOf(value: object, field: string): string {
  const found = Object.entries(value).find(([name]) => name === field);
  return canonical(found?.[1] ?? null);
}

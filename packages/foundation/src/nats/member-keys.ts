import { proofKeysOf } from '../cluster/transports/mesh-secret.ts';
import { invalidOption } from '../options.ts';

/** The first is used, all are accepted. */
export type MemberKeys = readonly [Buffer, ...Buffer[]];

/**
 * Keys by which members of a cluster know each other, from one secret or several.
 *
 * @throws FoundationError `SECRET_INVALID` or `INVALID_OPTION`
 */
export function memberKeys(who: string, secret: Uint8Array | readonly Uint8Array[]): MemberKeys {
  const [first, ...others] = proofKeysOf(secret instanceof Uint8Array ? [secret] : secret);
  if (first === undefined) throw invalidOption(who, { secret }, 'one secret or several');
  return [first, ...others];
}

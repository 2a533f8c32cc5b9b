import { FoundationError } from '../errors.ts';
import type { Outcome } from './outcome.ts';
import type { AnyProtocol } from './protocol.ts';
import { isSaid, type SessionRecord } from './record.ts';
import { type SessionAction, SessionState } from './session-state.ts';

/**
 * Recomputes an outcome from its record. The result equals the outcome the record came with, to the
 * last entry of its own record, unless somebody changed one of them.
 *
 * @throws FoundationError `UNKNOWN_PROTOCOL` for the record of another protocol or version,
 * `INVALID_SPEC` for a spec this protocol refuses, `MALFORMED` for the record of a session that had
 * not ended.
 */
export function replay<Out>(protocol: AnyProtocol<Out>, record: SessionRecord): Outcome<Out> {
  const { action } = fold(protocol, record);
  if (action?.kind === 'finish') return action.outcome;
  throw new FoundationError(
    'MALFORMED',
    `the record of session ${record.setup.session} has no end`,
  );
}

/** A session as far as its record goes, and what it wanted done last. */
export interface Folded<Out> {
  readonly state: SessionState<Out>;
  readonly action: SessionAction<Out> | undefined;
}

/**
 * Goes through a record again, up to its end.
 *
 * @throws FoundationError `UNKNOWN_PROTOCOL`, `INVALID_SPEC`
 */
export function fold<Out>(protocol: AnyProtocol<Out>, record: SessionRecord): Folded<Out> {
  const { setup, entries, dropped } = record;
  const wanted = `${setup.protocol} ${setup.protocolVersion}`;
  if (wanted !== `${protocol.name} ${protocol.version}`) {
    throw new FoundationError(
      'UNKNOWN_PROTOCOL',
      `session ${setup.session} ran ${wanted}, not ${protocol.name} ${protocol.version}`,
    );
  }
  const spec = protocol.parseSpec(setup.spec);
  if (!spec.ok) throw new FoundationError('INVALID_SPEC', `${wanted}: ${spec.reason}`);
  const state = new SessionState(protocol, { ...setup, spec: spec.value }, dropped);
  let action: SessionAction<Out> | undefined = state.start();
  for (const entry of entries) {
    if (isSaid(entry)) continue;
    // What came too late changes nothing; that the end could not be written down, everything.
    if (action?.kind === 'finish' && entry.kind !== 'fail') continue;
    action = state.take(entry.kind === 'answer' ? { ...entry, answer: entry.reply } : entry);
  }
  return { state, action };
}

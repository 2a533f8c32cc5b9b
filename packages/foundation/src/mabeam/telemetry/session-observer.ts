import { endWell, inSpan } from '../../telemetry/call-spans.ts';
import { guarded } from '../../telemetry/guarded.ts';
import type { CoordinationOptions } from '../coordination.ts';
import type { MabeamTelemetry } from './mabeam-telemetry.ts';
import { sessionFacts } from './session-facts.ts';

/** Counts each session, and holds it in a span of its own, to which the calls of its requests belong. */
export function sessionObserver(
  telemetry: MabeamTelemetry,
  { node, clusterSize }: { readonly node: string; readonly clusterSize: () => number },
): NonNullable<CoordinationOptions['observe']> {
  return (session, { protocol, protocolVersion, roster }, run) => {
    const attributes = {
      'mabeam.session': session.id,
      'mabeam.protocol': protocol,
      'mabeam.protocol_version': protocolVersion,
      'mabeam.participants': roster.length,
      'foundation.node': node,
      'foundation.cluster_size': clusterSize(),
    };
    const span = inSpan('mabeam.coordination.session', attributes, run);
    void session.outcome.then((outcome) => {
      telemetry.session(outcome);
      if (span === undefined) return;
      const { status, participation, rounds, messages } = sessionFacts(outcome);
      const counts = Object.entries({ rounds, messages, ...participation });
      guarded(() => {
        span.setAttribute('mabeam.status', status);
        for (const [name, count] of counts) span.setAttribute(`mabeam.${name}`, count);
      }, undefined);
      endWell(span);
    });
  };
}

import { defineProcess } from '@foundation/core';
import { englishAuction, participant, truthful } from '@foundation/core/mabeam';
import { eventually } from '@foundation/testing';
import { SpanKind } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';

import { alone } from '../../../test/alone.ts';
import { openTelemetry } from '../../../test/open-telemetry.ts';

const bidder = defineProcess('bidder', {
  init: (worth: bigint) => ({ worth }),
  coordinate: participant(truthful(({ state }: { state: { worth: bigint } }) => state.worth)),
});

describe('a session of a node', () => {
  it('is a span, with the calls of all its rounds in it, and is counted', async () => {
    using telemetry = openTelemetry();
    await using node = await alone({ profile: 'production' });
    for (const [name, init] of Object.entries({ ada: 3n, bob: 2n })) {
      await node.processes.start(bidder, { name, init });
    }
    const { coordination } = node.mabeam;
    const spec = { lot: 'x', start: 1n, increment: 1n };
    const session = coordination.start(englishAuction, spec, ['ada', 'bob'], { deadlineMs: 5_000 });
    const { status, participation } = await session.outcome;
    const spans = await eventually('the session is a span', () => {
      const all = telemetry.exporter.getFinishedSpans();
      return all.some(({ name }) => name === 'mabeam.coordination.session') ? all : undefined;
    });
    const own = spans.find(({ name }) => name === 'mabeam.coordination.session');
    expect(own?.attributes).toMatchObject({
      'mabeam.session': session.id,
      'mabeam.protocol': 'auction.english',
      'mabeam.participants': 2,
      'foundation.node': node.name,
      'foundation.cluster_size': 1,
      'mabeam.status': status,
      'mabeam.ok': participation.ok,
      'mabeam.rounds': 3,
    });
    const asked = spans.filter(
      ({ kind, parentSpanContext }) =>
        kind === SpanKind.CLIENT && parentSpanContext?.spanId === own?.spanContext().spanId,
    );
    expect(asked.length).toBeGreaterThanOrEqual(participation.asked);
    expect(node.mabeam.telemetry.agent('ada')).toMatchObject({ sessions: 1, won: 1, ok: 3 });
  });
});

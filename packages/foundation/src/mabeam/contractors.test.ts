import { Simulation, SimClock } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { sleep } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { type ContractorOptions, contractor, type Work } from './contractors.ts';
import { createCoordination } from './coordination.ts';
import type { Outcome } from './outcome.ts';
import { participant, type ParticipantHandler } from './participant.ts';
import type { ContractNetResult } from './protocols/contract-net-state.ts';
import { contractNet } from './protocols/contract-net.ts';

const spec = { task: 'index', heartbeatMs: 100, performMs: 1_000 };

class Site {
  readonly clock = new SimClock(new Simulation(1));
  readonly members = new Map<string, ParticipantHandler<null>>();
  readonly asked: string[] = [];
  readonly coordination = createCoordination({
    clock: this.clock,
    random: seededRandom('site'),
    messenger: {
      tell: ({ id }, notice) => void this.members.get(id)?.(null, notice),
      ask: async ({ id }, request) => {
        this.asked.push(request.type);
        return this.members.get(id)?.(null, request);
      },
    },
  });

  hire(id: string, cost: bigint, work: Work<null>): this {
    const options: ContractorOptions = { clock: this.clock };
    this.members.set(id, participant(contractor(cost, work, options)));
    return this;
  }

  async let(): Promise<Outcome<ContractNetResult>> {
    const roster = [...this.members.keys()];
    const session = this.coordination.start(contractNet, spec, roster, { deadlineMs: 5_000 });
    let outcome: Outcome<ContractNetResult> | undefined;
    void session.outcome.then((settled) => {
      outcome = settled;
    });
    await this.clock.runUntil(() => outcome !== undefined, 6_000);
    if (outcome === undefined) throw new Error('it has not ended');
    return outcome;
  }
}

describe('a contractor', () => {
  it('proposes what it costs, and does at once what takes no time', async () => {
    const site = new Site().hire('a', 7n, () => 'done it').hire('b', 9n, () => {});
    const { result } = await site.let();
    expect(result?.done).toEqual([
      { agent: 'a', price: 7n, fencing: 1, call: 1, result: 'done it' },
    ]);
    expect(site.asked).toEqual(['cfp', 'cfp', 'accept_proposal']);
  });

  it('works over several heartbeats, and begins only once', async () => {
    const site = new Site();
    let begun = 0;
    site.hire('a', 7n, async (_ctx, { fencing }) => {
      begun++;
      await sleep(site.clock, 250);
      return fencing;
    });
    const { result } = await site.let();
    expect(result?.done).toMatchObject([{ agent: 'a', result: 1 }]);
    expect(begun).toBe(1);
    expect(site.asked.filter((type) => type === 'progress')).toHaveLength(3);
  });

  it('says when it fails', async () => {
    const site = new Site().hire('a', 7n, () => Promise.reject(new Error('disk full')));
    const { result } = await site.let();
    expect(result?.failed).toMatchObject([{ cause: 'failure', reason: 'disk full' }]);
  });

  it('stops when its time is up', async () => {
    const site = new Site();
    const stopped: boolean[] = [];
    site.hire('a', 7n, async (_ctx, _award, signal) => {
      await sleep(site.clock, 1_500);
      stopped.push(signal.aborted);
    });
    const { result } = await site.let();
    expect(result?.failed).toMatchObject([{ cause: 'deadline' }]);
    await site.clock.advance(2_000);
    expect(stopped).toEqual([true]);
  });

  it('stops when nobody asks after it any more', async () => {
    const clock = new SimClock(new Simulation(1));
    let signal: AbortSignal | undefined;
    const never = new Promise<void>(() => {});
    const { perform } = contractor<null>(
      7n,
      (_ctx, _award, given) => {
        signal = given;
        return never;
      },
      { clock },
    );
    const award = { task: 't', price: 7n, fencing: 1, heartbeat: 0, heartbeatMs: 100 };
    const request = { session: 's', to: 'a' } as Parameters<NonNullable<typeof perform>>[2];
    const answer = perform?.(null, award, request);
    await clock.advance(0);
    expect(await answer).toEqual({ act: 'working' });
    await clock.advance(399);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(signal?.aborted).toBe(true);
    const later = perform?.(null, { ...award, heartbeat: 1 }, request);
    expect(await later).toEqual({ act: 'failure', reason: 'knows of no such award' });
  });

  it('declines what is paid too little for', async () => {
    const site = new Site().hire('a', 7n, () => 1);
    const { outcome } = site.coordination.start(contractNet, { ...spec, maxCost: 6n }, ['a'], {
      deadlineMs: 500,
    });
    await site.clock.advance(500);
    expect(await outcome).toMatchObject({ status: 'no_deal', reasons: { a: 'declined' } });
  });
});

import { type Sat, type Scripted, Simulation, SimClock, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../random.ts';
import { createCoordination } from '../coordination.ts';
import type { AgentId, CoordinationReply, CoordinationRequest } from '../message.ts';
import { verify } from '../verify.ts';
import type { Performance } from './contract-net-questions.ts';
import type { ContractNetResult } from './contract-net-state.ts';
import type { ContractNetSpec } from './contract-net-terms.ts';
import { contractNet, contractNetBy } from './contract-net.ts';

/** What a contractor proposes, or what is wrong with it; and what it says of its award, heartbeat by heartbeat. */
interface Contractor {
  readonly cost: bigint | Scripted;
  readonly says?: readonly (Performance | Scripted)[];
}

const done: Performance = { act: 'inform_done' };
const working: Performance = { act: 'working' };

function isScripted(value: Performance | Scripted): value is Scripted {
  return typeof value === 'string' || !('act' in value);
}

function answerOf({ cost, says = [done] }: Contractor, request: CoordinationRequest): Scripted {
  if (request.type === 'cfp') return typeof cost === 'bigint' ? { body: { cost } } : cost;
  const { heartbeat } = Object(request.body);
  const said = says[heartbeat] ?? says.at(-1) ?? 'silent';
  return isScripted(said) ? said : { body: said };
}

function hold(
  contractors: Readonly<Record<AgentId, Contractor>>,
  changes: Partial<ContractNetSpec> = {},
  protocol = contractNet,
): Promise<Sat<ContractNetResult>> {
  return sit(protocol, {
    spec: { task: 'index the archive', proposeMs: 200, ...changes },
    roster: Object.keys(contractors),
    options: { deadlineMs: 100_000 },
    answer: (request) => answerOf(contractors[request.to] ?? { cost: 'dead' }, request),
  });
}

const refuses: Scripted = { decline: 'busy' };
const sentTo = ({ sent }: Sat<unknown>, type: string): readonly (readonly [AgentId, unknown])[] =>
  sent.flatMap((each) => {
    const { reason, fencing } = Object(each.body);
    return each.type === type ? [[each.to, reason ?? fencing] as const] : [];
  });

describe('a contract net', () => {
  it('awards the task to the least cost, with nine messages among three (E1)', async () => {
    const sat = await hold({ a: { cost: 10n }, b: { cost: 7n }, c: { cost: refuses } });
    const { outcome, sent } = sat;
    expect(outcome.status).toBe('decided');
    expect(outcome.result).toEqual({
      task: 'index the archive',
      done: [{ agent: 'b', price: 7n, fencing: 1, call: 1 }],
      failed: [],
      proposals: [
        { agent: 'a', call: 1, cost: 10n, score: 10n },
        { agent: 'b', call: 1, cost: 7n, score: 7n },
      ],
      calls: 1,
    });
    expect(outcome.reasons).toEqual({ a: 'outbid', b: 'won', c: 'declined' });
    expect(sent.map(({ type, to }) => `${type} ${to}`)).toEqual([
      'cfp a',
      'cfp b',
      'cfp c',
      'accept_proposal b',
      'reject_proposal a',
    ]);
    const { ok, declined } = outcome.participation;
    expect(sent.length + ok + declined).toBe(9);
    expect(sent[0]?.body).toEqual({
      task: 'index the archive',
      call: 1,
      pricing: 'first',
      attributes: [],
      performMs: 60_000,
    });
    expect(sent[3]?.body).toEqual({
      task: 'index the archive',
      price: 7n,
      fencing: 1,
      heartbeat: 0,
      heartbeatMs: 1_000,
    });
  });

  it('pays the second-lowest cost by vickrey (E1)', async () => {
    const contractors = { a: { cost: 10n }, b: { cost: 7n }, c: { cost: refuses } };
    const { outcome } = await hold(contractors, { pricing: 'vickrey' });
    expect(outcome.result?.done).toMatchObject([{ agent: 'b', price: 10n }]);
    const capped = await hold(contractors, { pricing: 'vickrey', maxCost: 9n });
    expect(capped.outcome.result?.done).toMatchObject([{ agent: 'b', price: 9n }]);
    expect(capped.outcome.reasons).toEqual({ a: 'below_reserve', b: 'won', c: 'declined' });
    const alone = await hold({ b: { cost: 7n } }, { pricing: 'vickrey' });
    expect(alone.outcome.result?.done).toMatchObject([{ price: 7n }]);
  });

  it('goes to the next best when the first fails, with a new token (E2)', async () => {
    const sat = await hold({
      a: { cost: 10n },
      b: { cost: 7n, says: ['silent'] },
      c: { cost: refuses },
    });
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result?.done).toEqual([{ agent: 'a', price: 10n, fencing: 2, call: 1 }]);
    expect(sat.outcome.result?.failed).toMatchObject([
      { agent: 'b', fencing: 1, cause: 'timeout' },
    ]);
    expect(sat.outcome.reasons).toEqual({ a: 'won', b: 'silent', c: 'declined' });
    expect(sentTo(sat, 'cancel')).toEqual([['b', 'stale_fencing']]);
    expect(sentTo(sat, 'accept_proposal')).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    expect(sentTo(sat, 'reject_proposal')).toEqual([]);
  });

  it('has no deal at the deadline of proposals when all refuse or are silent (E3)', async () => {
    const sat = await hold({ a: { cost: refuses }, b: { cost: 'silent' }, c: { cost: refuses } });
    expect(sat.outcome.status).toBe('no_deal');
    expect(sat.outcome.result).toBeUndefined();
    expect(sat.endedAt).toBe(200);
    expect(sentTo(sat, 'reject_proposal')).toEqual([['b', 'late']]);
    const refusing = await hold({ a: { cost: refuses } });
    expect(refusing.outcome.status).toBe('no_deal');
    expect(refusing.endedAt).toBeLessThan(200);
  });

  it('awards the one proposal where two did not understand, and names them (E4)', async () => {
    const sat = await hold({ a: { cost: 'garbage' }, b: { cost: 9n }, c: { cost: 'garbage' } });
    expect(sat.outcome.result?.done).toMatchObject([{ agent: 'b', price: 9n }]);
    expect(sat.outcome.reasons).toEqual({ a: 'invalid', b: 'won', c: 'invalid' });
    expect(sentTo(sat, 'reject_proposal')).toEqual([]);
  });
});

/** A session under way, whose contractors answer when the test says so. */
class Table {
  readonly clock = new SimClock(new Simulation(1));
  readonly told: CoordinationRequest[] = [];
  readonly asked: { request: CoordinationRequest; reply: (body: unknown) => void }[] = [];
  readonly coordination = createCoordination({
    clock: this.clock,
    random: seededRandom('table'),
    messenger: {
      tell: (_to, notice) => void this.told.push(notice),
      ask: (_to, request) =>
        new Promise((resolve) => {
          this.asked.push({ request, reply: (body) => resolve(replyTo(request, body)) });
        }),
    },
  });

  async answer(to: AgentId, body: unknown): Promise<void> {
    this.asked.findLast(({ request }) => request.to === to)?.reply(body);
    await this.clock.advance(0);
  }
}

function replyTo(
  { session, round, nonce, to }: CoordinationRequest,
  body: unknown,
): CoordinationReply {
  const head = { kind: 'mabeam.coordination.reply', v: 1, session, round, nonce } as const;
  return { ...head, from: to, status: 'ok', body };
}

describe('a contract net under way', () => {
  const roster = ['a', 'b'];
  const spec = { task: 'index', heartbeatMs: 100, performMs: 1_000 };

  it('is cancelled between accept and result by one message, and takes no result any more (E5)', async () => {
    const table = new Table();
    const session = table.coordination.start(contractNet, spec, roster, { deadlineMs: 9_000 });
    await table.answer('a', { cost: 10n });
    await table.answer('b', { cost: 7n });
    session.cancel('no need');
    const outcome = await session.outcome;
    expect(outcome.status).toBe('cancelled');
    expect(table.told.map(({ type, to, body }) => ({ type, to, body }))).toEqual([
      { type: 'cancel', to: 'b', body: { task: 'index', fencing: 1, reason: 'cancelled' } },
      { type: 'reject_proposal', to: 'a', body: { task: 'index', call: 1, reason: 'cancelled' } },
    ]);
    await table.answer('b', { act: 'inform_result', result: 1 });
    expect(session.record.entries).toContainEqual(
      expect.objectContaining({ kind: 'answer', from: 'b', verdict: 'late' }),
    );
    expect(await session.outcome).toBe(outcome);
    expect(verify(contractNet, outcome)).toEqual([]);
  });

  it('tells all whom it has called when it is cancelled before', async () => {
    const table = new Table();
    const session = table.coordination.start(contractNet, spec, roster, { deadlineMs: 9_000 });
    await table.answer('a', { cost: 10n });
    session.cancel('no need');
    await session.outcome;
    expect(table.told.map(({ type, to }) => [type, to])).toEqual([
      ['cancel', 'a'],
      ['cancel', 'b'],
    ]);
  });

  it('refuses the late result of who was presumed dead, and has told it so (E2)', async () => {
    const table = new Table();
    const session = table.coordination.start(contractNet, spec, roster, { deadlineMs: 9_000 });
    await table.answer('a', { cost: 10n });
    await table.answer('b', { cost: 7n });
    const first = table.asked.at(-1);
    expect(first?.request).toMatchObject({ to: 'b', type: 'accept_proposal' });
    await table.clock.advance(100);
    expect(table.told.map(({ to, body }) => [to, body])).toEqual([
      ['b', { task: 'index', fencing: 1, reason: 'stale_fencing' }],
    ]);
    first?.reply({ act: 'inform_result', result: 'of b' });
    await table.clock.advance(0);
    await table.answer('a', { act: 'inform_result', result: 'of a' });
    const { result, record } = await session.outcome;
    expect(result?.done).toEqual([{ agent: 'a', price: 10n, fencing: 2, call: 1, result: 'of a' }]);
    expect(record.entries).toContainEqual(
      expect.objectContaining({ kind: 'answer', from: 'b', verdict: 'late' }),
    );
  });

  it('asks who works once a heartbeat, until the time to perform is over', async () => {
    const table = new Table();
    const options = { deadlineMs: 9_000 };
    const terms = { ...spec, performMs: 350 };
    const session = table.coordination.start(contractNet, terms, ['b'], options);
    await table.answer('b', { cost: 7n });
    const times: number[] = [];
    for (const heartbeat of [0, 1, 2, 3]) {
      const { request } = table.asked.at(-1) ?? {};
      expect(request?.type).toBe(heartbeat === 0 ? 'accept_proposal' : 'progress');
      expect(request?.body).toMatchObject({ heartbeat });
      times.push(table.clock.now());
      await table.answer('b', working);
      await table.clock.advance(100);
    }
    expect(times).toEqual([0, 100, 200, 300]);
    const { status, result, reasons } = await session.outcome;
    expect(status).toBe('limit_reached');
    expect(result?.failed).toMatchObject([{ agent: 'b', cause: 'deadline' }]);
    expect(reasons).toEqual({ b: 'late' });
    expect(table.told.map(({ body }) => body)).toEqual([
      { task: 'index', fencing: 1, reason: 'deadline' },
    ]);
  });

  it('notices at once that who works is gone', async () => {
    const sat = await hold({ a: { cost: 10n }, b: { cost: 7n, says: ['dead'] } });
    expect(sat.endedAt).toBeLessThan(200);
    expect(sat.outcome.result?.failed).toMatchObject([{ agent: 'b', cause: 'down' }]);
    expect(sat.outcome.result?.done).toMatchObject([{ agent: 'a', fencing: 2 }]);
  });

  it('refuses a result with the token of an older award', async () => {
    const old: Performance = { act: 'inform_result', result: 'old', fencing: 4 };
    const sat = await hold({ b: { cost: 7n, says: [old] } }, { fencingFrom: 5 });
    expect(sat.outcome.result).toMatchObject({
      done: [],
      failed: [{ agent: 'b', fencing: 5, cause: 'stale_fencing' }],
    });
    expect(sentTo(sat, 'cancel')).toEqual([['b', 'stale_fencing']]);
  });
});

describe('what becomes of a failed award', () => {
  const failure: Performance = { act: 'failure', reason: 'disk full' };
  const three = {
    a: { cost: 1n, says: [failure] },
    b: { cost: 2n, says: [working, failure] },
    c: { cost: 3n },
  };

  it('is in the outcome, in the contractor’s words', async () => {
    const { outcome } = await hold(three);
    expect(outcome.result?.failed).toEqual([
      { agent: 'a', price: 1n, fencing: 1, call: 1, cause: 'failure', reason: 'disk full' },
      { agent: 'b', price: 2n, fencing: 2, call: 1, cause: 'failure', reason: 'disk full' },
    ]);
    expect(outcome.result?.done).toMatchObject([{ agent: 'c', fencing: 3 }]);
  });

  it.each(['next_best', 're_cfp'] as const)('is bounded by retries (%s)', async (onFailure) => {
    const sat = await hold(three, { onFailure, retries: 1 });
    expect(sat.outcome.status).toBe('limit_reached');
    expect(sat.outcome.detail).toBe('0 of 1 done');
    expect(sat.outcome.result?.failed.map(({ agent }) => agent)).toEqual(['a', 'b']);
    expect(sat.outcome.result?.calls).toBe(onFailure === 're_cfp' ? 2 : 1);
  });

  it('is nothing, if that is the policy', async () => {
    const sat = await hold(three, { onFailure: 'fail' });
    expect(sat.outcome.status).toBe('limit_reached');
    expect(sat.outcome.result?.failed.map(({ agent }) => agent)).toEqual(['a']);
    expect(sentTo(sat, 'reject_proposal')).toEqual([
      ['b', 'outbid'],
      ['c', 'outbid'],
    ]);
  });

  it('is a call to all but those who failed, by re_cfp', async () => {
    const sat = await hold(three, { onFailure: 're_cfp' });
    expect(sat.outcome.result?.done).toMatchObject([{ agent: 'c', fencing: 3, call: 3 }]);
    const calls = sat.sent.filter(({ type }) => type === 'cfp');
    expect(calls.map(({ to, body }) => [to, Object(body).call])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['b', 2],
      ['c', 2],
      ['c', 3],
    ]);
    // In each call, who is not accepted is rejected.
    expect(sentTo(sat, 'reject_proposal')).toEqual([
      ['b', 'outbid'],
      ['c', 'outbid'],
      ['c', 'outbid'],
    ]);
  });

  it('leaves other contractors at work', async () => {
    const contractors = { ...three, d: { cost: 0n, says: [working, working, done] } };
    const sat = await hold(contractors, { awards: 2, heartbeatMs: 100 });
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result?.done).toMatchObject([
      { agent: 'c', fencing: 4 },
      { agent: 'd', fencing: 1 },
    ]);
    expect(sentTo(sat, 'accept_proposal').map(([agent]) => agent)).toEqual(['a', 'd', 'b', 'c']);
  });
});

describe('the evaluation', () => {
  const offers = (cost: bigint, quality: bigint): Contractor => ({
    cost: { body: { cost, attributes: { quality } } },
  });

  it('weighs attributes, and pays by the second-best score', async () => {
    const contractors = { cheap: offers(10n, 1n), good: offers(20n, 6n), plain: { cost: 1n } };
    const weights = { cost: 1n, quality: -5n };
    const { outcome, sent } = await hold(contractors, { weights, pricing: 'vickrey' });
    expect(sent[0]?.body).toMatchObject({ attributes: ['quality'], pricing: 'vickrey' });
    // -10 against 5: it would still have won at a cost of 35.
    expect(outcome.result?.done).toMatchObject([{ agent: 'good', price: 35n }]);
    expect(outcome.reasons).toEqual({ cheap: 'outbid', good: 'won', plain: 'invalid' });
  });

  it('may be one of your own, by a variant', async () => {
    const dearest = contractNetBy({
      name: 'test.dearest',
      version: '1',
      score: ({ cost }) => -cost,
    });
    const { outcome } = await hold({ a: { cost: 1n }, b: { cost: 2n } }, {}, dearest);
    expect(outcome.result?.done).toMatchObject([{ agent: 'b', price: 2n }]);
    expect(verify(dearest, outcome)).toEqual([]);
    expect(dearest.parseSpec({ task: 't', pricing: 'vickrey' }).ok).toBe(false);
  });

  it('breaks ties by the rule of the session', async () => {
    const equal = { a: { cost: 5n }, b: { cost: 5n }, c: { cost: 6n } };
    const spec = { task: 't' };
    const hands = async (tie: 'lexicographic' | 'seeded' | 'report', seed = 's') =>
      sit(contractNet, {
        spec,
        roster: Object.keys(equal),
        options: { tie, seed },
        answer: (request) => answerOf(Object(equal)[request.to], request),
      });
    const { outcome } = await hands('lexicographic');
    expect(outcome.reasons).toEqual({ a: 'won', b: 'tie_lost', c: 'outbid' });
    expect(outcome.tie).toEqual({ among: ['a', 'b'], rule: 'lexicographic' });
    const reported = await hands('report');
    expect(reported.outcome).toMatchObject({
      status: 'tied',
      reasons: { a: 'tie_lost', b: 'tie_lost', c: 'outbid' },
    });
    expect(sentTo(reported, 'accept_proposal')).toEqual([]);
    const winners = new Set<AgentId | undefined>();
    for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      winners.add((await hands('seeded', seed)).outcome.result?.done[0]?.agent);
    }
    expect(winners).toEqual(new Set(['a', 'b']));
  });
});

describe('the iterated form', () => {
  it('calls again with revised terms while there are too few proposals', async () => {
    const sat = await sit(contractNet, {
      spec: {
        task: 't',
        detail: 'all of it',
        maxCost: 5n,
        revisions: [{ maxCost: 8n }, { detail: 'half of it' }, { detail: 'none' }],
      },
      roster: ['a', 'b'],
      // Costs 10 for all of it.
      answer: ({ type, body }) => {
        if (type !== 'cfp') return { body: done };
        return Object(body).detail === 'all of it'
          ? { body: { cost: 10n } }
          : { body: { cost: 5n } };
      },
    });
    const calls = sat.sent.filter(({ type, to }) => type === 'cfp' && to === 'a');
    expect(calls.map(({ body }) => [Object(body).detail, Object(body).maxCost])).toEqual([
      ['all of it', 5n],
      ['all of it', 8n],
      ['half of it', 8n],
    ]);
    expect(sat.outcome.result).toMatchObject({ calls: 3, done: [{ call: 3, price: 5n }] });
    expect(sat.outcome.tie?.among).toEqual(['a', 'b']);
    expect(verify(contractNet, sat.outcome)).toEqual([]);
  });

  it('rejects who would do it when there are too few, as there will be another call', async () => {
    const sat = await hold(
      { a: { cost: 4n }, b: { cost: 9n } },
      { awards: 2, maxCost: 5n, revisions: [{ maxCost: 9n }] },
    );
    expect(sentTo(sat, 'reject_proposal')).toEqual([
      ['b', 'below_reserve'],
      ['a', 'revised'],
    ]);
    expect(sat.outcome.result).toMatchObject({ calls: 2, done: [{ agent: 'a' }, { agent: 'b' }] });
  });

  it('ends as what was done when there never are enough', async () => {
    const { outcome } = await hold(
      { a: { cost: 4n }, b: { cost: 9n } },
      { awards: 2, maxCost: 5n },
    );
    expect(outcome).toMatchObject({ status: 'limit_reached', detail: '1 of 2 done' });
  });
});

describe('laws of a contract net', () => {
  const contractors = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    fc.record({
      cost: fc.oneof(
        fc.bigInt({ min: 0n, max: 6n }),
        fc.constantFrom<Scripted>('silent', 'dead', 'garbage', refuses),
      ),
      says: fc.array(
        fc.constantFrom<Performance | Scripted>(
          done,
          working,
          { act: 'failure' },
          'silent',
          'dead',
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  );
  const specs = fc.record({
    awards: fc.integer({ min: 1, max: 3 }),
    onFailure: fc.constantFrom('next_best' as const, 're_cfp' as const, 'fail' as const),
    retries: fc.integer({ min: 0, max: 3 }),
    pricing: fc.constantFrom('first' as const, 'vickrey' as const),
    maxCost: fc.bigInt({ min: 2n, max: 6n }),
    revisions: fc.constantFrom([], [{ maxCost: 6n }]),
  });
  const check = (
    law: (sat: Sat<ContractNetResult>, spec: Partial<ContractNetSpec>) => void,
  ): Promise<void> =>
    fc.assert(
      fc.asyncProperty(contractors, specs, async (who, spec) => {
        law(await hold(who, { ...spec, heartbeatMs: 50, performMs: 100 }), spec);
      }),
      { numRuns: 40 },
    );

  it('each who proposes hears once, in each call, whether it is accepted; who refuses never', () =>
    check(({ outcome, sent }) => {
      const heard = (agent: AgentId, call: number): number => {
        const accepted = [...(outcome.result?.done ?? []), ...(outcome.result?.failed ?? [])];
        const rejected = sent.filter(
          ({ type, to, body }) =>
            type === 'reject_proposal' && to === agent && Object(body).call === call,
        );
        return (
          rejected.length +
          accepted.filter((each) => each.agent === agent && each.call === call).length
        );
      };
      for (const { agent, call } of outcome.result?.proposals ?? [])
        expect(heard(agent, call)).toBe(1);
      const accepts = sent.filter(({ type }) => type === 'accept_proposal');
      const awards = [...(outcome.result?.done ?? []), ...(outcome.result?.failed ?? [])];
      expect(accepts).toHaveLength(awards.length);
      const proposed = new Set(outcome.result?.proposals.map(({ agent }) => agent));
      const spoke = new Set(
        sent.filter(({ type }) => type.endsWith('_proposal')).map(({ to }) => to),
      );
      const refusers = Object.keys(outcome.reasons).filter(
        (id) => outcome.reasons[id] === 'declined' && !proposed.has(id),
      );
      expect(refusers.filter((id) => spoke.has(id))).toEqual([]);
    }));

  it('no two contractors hold one token, and none holds one when another is given', () =>
    check(({ outcome, sent }) => {
      const tokens = sentTo({ sent, outcome, endedAt: 0 }, 'accept_proposal').map(
        ([, token]) => token,
      );
      expect(new Set(tokens)).toEqual(new Set(tokens.map((_, place) => place + 1)));
      const holders = new Map(
        sent
          .filter(({ type }) => type === 'accept_proposal')
          .map(({ to, body }) => [Object(body).fencing, to]),
      );
      for (const { to, body } of sent.filter(({ type }) => type === 'progress')) {
        expect(holders.get(Object(body).fencing)).toBe(to);
      }
      for (const { agent, fencing } of outcome.result?.done ?? []) {
        expect(holders.get(fencing)).toBe(agent);
      }
    }));

  it('an attempt takes at most 4n + 3 messages, besides two a heartbeat', () =>
    check(({ outcome, sent }) => {
      const n = outcome.record.setup.roster.length;
      const heartbeats = sent.filter(({ type }) => type === 'progress').length;
      const { ok, declined } = outcome.participation;
      const retries = (outcome.result?.failed.length ?? 0) + (outcome.result?.calls ?? 1);
      const messages = sent.length + ok + declined - 2 * heartbeats;
      expect(messages).toBeLessThanOrEqual((4 * n + 3) * retries);
    }));

  it('what it says can be verified, and what is changed is found out', () =>
    check(({ outcome }) => {
      expect(verify(contractNet, outcome)).toEqual([]);
      const { result } = outcome;
      const [winner] = result?.done ?? [];
      if (result === undefined || winner === undefined) return;
      const claim = { ...outcome, roster: outcome.record.setup.roster };
      const spec = contractNet.parseSpec(outcome.record.setup.spec);
      if (!spec.ok) throw new Error(spec.reason);
      const problems = (changes: Partial<ContractNetResult>): readonly string[] =>
        contractNet.verify?.(spec.value, { ...claim, result: { ...result, ...changes } }) ?? [];
      const rest = result.done.slice(1);
      expect(problems({ done: [{ ...winner, price: winner.price + 100n }, ...rest] })).not.toEqual(
        [],
      );
      expect(problems({ done: [{ ...winner, fencing: 99 }, ...rest] })).not.toEqual([]);
      expect(outcome.status !== 'decided' || problems({ done: rest }).length > 0).toBe(true);
      expect(problems({ proposals: [] })).not.toEqual([]);
    }));

  it('finds out an award that did not go to the best', async () => {
    const { outcome } = await hold({ a: { cost: 5n }, b: { cost: 3n } });
    const { result, record } = outcome;
    const spec = contractNet.parseSpec(record.setup.spec);
    if (!spec.ok || result === undefined) throw new Error('no result');
    const other = { agent: 'a', price: 5n, fencing: 1, call: 1 };
    const claim = { ...outcome, roster: ['a', 'b'], result: { ...result, done: [other] } };
    const better = ['b made a better proposal than a'];
    expect(contractNet.verify?.(spec.value, claim)).toEqual(better);
  });

  it('gains nobody anything by another cost than its own where prices are vickrey', () => {
    const env = { seed: 's', tie: 'lexicographic' } as const;
    const spec = contractNet.parseSpec({ task: 't', pricing: 'vickrey' });
    if (!spec.ok) throw new Error(spec.reason);
    /** What the first of three gains by saying so. */
    const gainOf = (own: number, said: readonly number[]): number => {
      const ids = ['m', 'a', 'z'];
      const answers = ids.map((from, seat) => {
        return { kind: 'ok', from, at: 0, body: { cost: BigInt(said[seat] ?? 0) } } as const;
      });
      const { state } = contractNet.init(spec.value, ids, env);
      const step = contractNet.on(state, { kind: 'round_closed', round: 1, answers }, env);
      const [award] = step.state.live;
      return award?.agent === 'm' ? Number(award.price) - own : 0;
    };
    const amounts = [0, 1, 2, 3, 4, 5];
    const deviations = amounts.flatMap((own) =>
      amounts.flatMap((one) =>
        amounts.flatMap((two) => {
          const truth = gainOf(own, [own, one, two]);
          return amounts.map((said) => truth - gainOf(own, [said, one, two]));
        }),
      ),
    );
    expect(deviations).toHaveLength(6 ** 4);
    expect(deviations.filter((loss) => loss < 0)).toEqual([]);
    expect(deviations.some((loss) => loss > 0)).toBe(true);
  });

  it('is no dominant strategy to say the true cost where prices are first', async () => {
    expect(contractNet.traits.dominantStrategyTruthful).toBe(false);
    const gain = async (said: bigint): Promise<bigint> => {
      const { outcome } = await hold({ a: { cost: said }, b: { cost: 9n } });
      return (outcome.result?.done[0]?.price ?? 0n) - 5n;
    };
    expect(await gain(8n)).toBeGreaterThan(await gain(5n));
  });
});

describe('what a contract net is given', () => {
  it('is refused with the name of what is wrong', () => {
    const refused = (changes: object): string => {
      const spec = contractNet.parseSpec({ task: 't', ...changes });
      return spec.ok ? 'accepted' : spec.reason;
    };
    expect(refused({})).toBe('accepted');
    expect(refused({ task: '' })).toContain('task: expected a text');
    expect(refused({ pice: 1 })).toBe('unknown field "pice"');
    expect(refused({ maxCost: '-1' })).toContain('maxCost: expected a whole amount');
    expect(refused({ awards: 0 })).toContain('awards: expected a whole number from 1');
    expect(refused({ retries: 1_000 })).toContain('retries: expected a whole number from 0 to 100');
    expect(refused({ heartbeatMs: 10, performMs: 5 })).toContain('heartbeatMs: expected 1 to 1000');
    expect(refused({ weights: { quality: '0.5' } })).toContain('weights: expected a whole number');
    expect(refused({ weights: { cost: '0' }, pricing: 'vickrey' })).toContain('weights.cost');
    expect(refused({ revisions: [{ cost: 1n }] })).toBe('revisions[0]: unknown field "cost"');
    expect(refused({ revisions: Array.from({ length: 1e5 }, () => ({})) })).toContain('at most 20');
    expect(refused({ onFailure: 'retry' })).toContain('onFailure');
    expect(refused({ weights: { cost: '2', quality: '-3' }, maxCost: '7' })).toBe('accepted');
  });

  it('is refused where a reply makes no sense', () => {
    const refused = (type: string, body: unknown): string => {
      const reply = contractNet.parseReply(type, body);
      return reply.ok ? 'accepted' : reply.reason;
    };
    expect(refused('cfp', { cost: '7', attributes: { quality: '3' } })).toBe('accepted');
    expect(refused('cfp', { cost: 7 })).toContain('body.cost');
    expect(refused('cfp', { cost: 7n, price: 7n })).toBe('body: unknown field "price"');
    expect(refused('progress', { act: 'done' })).toContain('body.act: expected working');
    expect(refused('progress', { act: 'inform_result' })).toContain('body.result');
    expect(refused('progress', { act: 'inform_result', result: 'x'.repeat(70_000) })).toContain(
      '65536',
    );
    expect(refused('progress', { act: 'working', result: 1 })).toContain('body.result');
    expect(refused('progress', { act: 'failure', reason: 'full', fencing: 1 })).toBe('accepted');
  });
});

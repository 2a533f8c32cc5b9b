import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Verdict } from './admission.ts';
import type { AgentId, CoordinationReply, CoordinationRequest } from './message.ts';
import type { Outcome } from './outcome.ts';
import { parsed } from './parse.ts';
import type { AnyProtocol, Protocol } from './protocol.ts';
import { type SealedBidResult, vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { isSaid, type SessionSetup, strayAnswersMax } from './record.ts';
import { replay } from './replay.ts';
import { type SessionAction, SessionState } from './session-state.ts';

const setup: SessionSetup = {
  session: 'session',
  protocol: vickreyAuction.name,
  protocolVersion: vickreyAuction.version,
  spec: { lot: 'lot', side: 'sell' },
  roster: ['a', 'b', 'c'],
  seed: 'seed',
  tie: 'seeded',
  deadlineMs: 100,
  quorum: 0,
  epoch: 7,
  nonceKey: 'key',
};

/** A session whose participants do what the test says. */
class Table<Out> {
  readonly state: SessionState<Out>;
  readonly requests = new Map<string, CoordinationRequest>();
  outcome: Outcome<Out> | undefined;
  now = 1;

  constructor(protocol: AnyProtocol<Out>, changes: Partial<SessionSetup> = {}) {
    const { name, version } = protocol;
    const own = { ...setup, protocol: name, protocolVersion: version, ...changes };
    this.state = new SessionState(protocol, own);
    this.note(this.state.start());
  }

  note(action: SessionAction<Out> | undefined): void {
    if (action?.kind === 'finish') this.outcome = action.outcome;
    if (action?.kind === 'round') {
      for (const request of action.requests) {
        this.requests.set(`${request.to}${request.round}`, request);
      }
    }
  }

  request(from: AgentId, round = 1): CoordinationRequest {
    const request = this.requests.get(`${from}${round}`);
    if (request === undefined) throw new Error(`${from} was not asked in round ${round}`);
    return request;
  }

  reply(
    from: AgentId,
    amount: unknown,
    changes: Partial<CoordinationReply> = {},
  ): CoordinationReply {
    const { session, round, nonce } = this.request(from);
    return {
      kind: 'mabeam.coordination.reply',
      v: 1,
      session,
      round,
      nonce,
      from,
      status: 'ok',
      body: { amount },
      ...changes,
    };
  }

  /** The answer to what `from` was asked in `round`. */
  answer(from: AgentId, answer: unknown, round = 1): Verdict | undefined {
    const { nonce } = this.request(from, round);
    this.note(this.state.take({ kind: 'answer', at: this.now, from, nonce, answer }));
    return this.verdict();
  }

  /** An answer that nobody waits for. */
  stray(from: AgentId, answer: unknown): Verdict | undefined {
    this.note(this.state.take({ kind: 'answer', at: this.now, from, answer }));
    return this.verdict();
  }

  lose(from: AgentId, cause: 'timeout' | 'down' | 'error'): void {
    const { nonce } = this.request(from);
    const [at, detail] = [this.now, 'gone'];
    this.note(this.state.take({ kind: 'lost', at, from, nonce, cause, detail }));
  }

  deadline(round = 1): void {
    this.now = setup.deadlineMs;
    this.note(this.state.take({ kind: 'deadline', at: this.now, round }));
  }

  verdict(): Verdict | undefined {
    const last = this.state.record.entries.at(-1);
    return last?.kind === 'answer' ? last.verdict : undefined;
  }
}

function auction(changes: Partial<SessionSetup> = {}): Table<SealedBidResult> {
  return new Table(vickreyAuction, changes);
}

describe('a session', () => {
  it('asks each member of the roster once, in the documented form', () => {
    const requests = [...auction().requests.values()];
    expect(requests.map(({ to }) => to)).toEqual(['a', 'b', 'c']);
    expect(requests.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(new Set(requests.map(({ nonce }) => nonce)).size).toBe(3);
    expect(requests[0]).toEqual({
      kind: 'mabeam.coordination.request',
      v: 1,
      session: 'session',
      protocol: 'auction.vickrey',
      protocolVersion: '1.0.0',
      type: 'get_bid',
      to: 'a',
      round: 1,
      seq: 1,
      epoch: 7,
      nonce: expect.stringMatching(/^[\da-f]{32}$/),
      budgetMs: 100,
      idempotencyKey: 'session|1|get_bid|a',
      body: { lot: 'lot', side: 'sell' },
    });
  });

  it('ends as soon as everybody has answered, declined or died', () => {
    const table = auction();
    table.answer('a', table.reply('a', 9n));
    table.answer('b', table.reply('b', 0n, { status: 'decline', reason: 'busy' }));
    expect(table.outcome).toBeUndefined();
    table.lose('c', 'down');
    expect(table.outcome).toMatchObject({
      status: 'decided',
      participation: { asked: 3, ok: 1, declined: 1, silent: 1, invalid: 0 },
      reasons: { a: 'won', b: 'declined', c: 'silent' },
    });
  });

  it('ends at its deadline when nobody says a word', () => {
    const table = auction();
    table.deadline();
    expect(table.outcome).toMatchObject({
      status: 'no_deal',
      reasons: { a: 'silent', b: 'silent', c: 'silent' },
    });
  });

  it('is without a quorum when fewer answer than wanted', () => {
    const table = auction({ quorum: 2 });
    table.answer('a', table.reply('a', 9n));
    table.deadline();
    expect(table.outcome?.status).toBe('no_quorum');
    expect(table.outcome).not.toHaveProperty('result');
  });

  it('can be cancelled once, and counts who had not answered', () => {
    const table = auction();
    table.answer('a', table.reply('a', 9n));
    table.note(table.state.take({ kind: 'cancel', at: 5, reason: 'not needed' }));
    expect(table.outcome).toMatchObject({
      status: 'cancelled',
      detail: 'not needed',
      participation: { asked: 3, ok: 1, silent: 2 },
    });
    expect(table.state.take({ kind: 'cancel', at: 6, reason: 'again' })).toBeUndefined();
  });
});

describe('an answer', () => {
  it.each<[string, Verdict, (table: Table<SealedBidResult>) => unknown]>([
    ['of an earlier session', 'wrong_session', (t) => t.reply('a', 9n, { session: 'before' })],
    ['to no request', 'wrong_nonce', (t) => t.reply('a', 9n, { nonce: 'guess' })],
    ['to the request of another', 'wrong_sender', (t) => t.reply('b', 9n, { from: 'a' })],
    ['in the name of another', 'wrong_sender', (t) => t.reply('a', 9n, { from: 'b' })],
    ['for another round', 'wrong_round', (t) => t.reply('a', 9n, { round: 2 })],
    ['that is no reply', 'malformed', () => 'nine'],
    ['that is nothing', 'malformed', () => undefined],
    ['without an amount', 'malformed', (t) => t.reply('a', undefined)],
    ['with a fraction', 'malformed', (t) => t.reply('a', 9.5)],
    ['with NaN', 'malformed', (t) => t.reply('a', Number.NaN)],
    ['with a huge number', 'malformed', (t) => t.reply('a', 2n ** 80n)],
    ['with less than nothing', 'malformed', (t) => t.reply('a', -1n)],
    [
      'that did not understand',
      'not_understood',
      (t) => t.reply('a', 9n, { status: 'not_understood' }),
    ],
    ['that failed', 'error', (t) => t.reply('a', 9n, { status: 'error' })],
    [
      'that throws when read',
      'malformed',
      () => ({
        get kind(): string {
          throw new Error('boo');
        },
      }),
    ],
  ])('%s is refused as %s, counted and named', (_what, verdict, make) => {
    const table = auction();
    expect(table.answer('a', make(table))).toBe(verdict);
    table.answer('b', table.reply('b', 5n));
    table.answer('c', table.reply('c', 4n));
    expect(table.outcome).toMatchObject({
      status: 'decided',
      result: { winner: 'b', price: 4n },
      participation: { asked: 3, ok: 2, silent: 0, invalid: 1 },
      reasons: { a: 'invalid', b: 'won', c: 'outbid' },
    });
  });

  it('from outside the roster is refused and disturbs nobody', () => {
    const table = auction();
    expect(table.stray('mallory', table.reply('a', 9n))).toBe('not_in_roster');
    expect(table.answer('a', table.reply('a', 9n))).toBe('accepted');
  });

  it('after the deadline is late, even before the session noticed', () => {
    const table = auction();
    table.now = 101;
    expect(table.answer('a', table.reply('a', 9n))).toBe('late');
    table.deadline();
    expect(table.outcome).toMatchObject({ status: 'no_deal', reasons: { a: 'late' } });
    expect(table.outcome?.participation).toMatchObject({ silent: 3, invalid: 0 });
  });

  it('after the end changes nothing but the record', () => {
    const table = auction();
    table.deadline();
    const { outcome } = table;
    expect(table.answer('a', table.reply('a', 9n))).toBe('late');
    expect(table.outcome).toBe(outcome);
    expect(outcome?.record.entries).toHaveLength(4);
    expect(table.state.record.entries).toHaveLength(5);
  });

  it('that comes twice counts once', () => {
    const table = auction();
    table.answer('a', table.reply('a', 9n));
    expect(table.stray('a', table.reply('a', 9n))).toBe('repeat');
    table.deadline();
    expect(table.outcome).toMatchObject({ status: 'decided', result: { winner: 'a', price: 0n } });
  });

  it.each([8n, undefined])(
    'that is followed by another one, %s, does not count at all',
    (second) => {
      const table = auction();
      table.answer('a', table.reply('a', 9n));
      expect(table.stray('a', table.reply('a', second))).toBe('equivocation');
      table.answer('b', table.reply('b', 5n));
      table.deadline();
      expect(table.outcome).toMatchObject({
        result: { winner: 'b' },
        participation: { ok: 1, silent: 1, invalid: 1 },
        reasons: { a: 'invalid' },
      });
    },
  );

  it('is not believed by who it comes from a second time', () => {
    const table = auction();
    table.lose('a', 'down');
    expect(table.stray('a', table.reply('a', 9n))).toBe('late');
  });

  it('that nobody asked for fills the record only up to a limit', () => {
    const table = auction();
    const answer = table.reply('a', 9n, { nonce: 'guess' });
    for (let count = 0; count < strayAnswersMax + 5; count++) table.stray('a', answer);
    expect(table.state.record.entries).toHaveLength(3 + strayAnswersMax);
    expect(table.state.record.dropped).toBe(5);
  });

  it('leaves nothing of its garbage in the record but a short description', () => {
    const table = auction();
    table.answer('a', 'x'.repeat(1_000_000));
    table.answer('b', table.reply('b', 'y'.repeat(1_000_000)));
    expect(JSON.stringify(table.state.record.entries.slice(3)).length).toBeLessThan(1_000);
  });
});

/** Asks everybody for a word, twice; nobody who was silent is asked again. */
const twice: Protocol<unknown, unknown, number, number> = {
  name: 'test.twice',
  version: '1',
  traits: { ...vickreyAuction.traits, maxRounds: () => 2 },
  parseSpec: parsed,
  parseReply: (_type, body) => parsed(body),
  init: (_spec, roster) => ({
    state: 0,
    effects: [{ kind: 'ask', to: roster, type: 'word', body: null, budgetMs: 40 }],
  }),
  on(total, { round, answers }) {
    const there = answers.flatMap(({ kind, from }) => (kind === 'ok' ? [from] : []));
    const state = total + there.length;
    return round === 1
      ? {
          state,
          effects: [
            { kind: 'ask', to: there.toReversed(), type: 'word', body: null, budgetMs: 1_000 },
          ],
        }
      : { state, effects: [{ kind: 'finish', decision: { status: 'decided', result: state } }] };
  },
};

function askOnly(to: readonly AgentId[]): ReturnType<typeof twice.init> {
  return { state: 0, effects: [{ kind: 'ask', to, type: 'word', body: null }] };
}

describe('a session of several rounds', () => {
  it('gives each round its own budget, within that of the session', () => {
    const table = new Table(twice);
    expect(table.request('a').budgetMs).toBe(40);
    table.now = 30;
    for (const id of ['a', 'b']) table.answer(id, table.reply(id, 1n));
    table.note(table.state.take({ kind: 'deadline', at: 40, round: 1 }));
    expect(table.request('a', 2)).toMatchObject({ round: 2, seq: 4, budgetMs: 60 });
    expect(table.requests.has('c2')).toBe(false);
    table.deadline(2);
    expect(table.outcome).toMatchObject({
      result: 2,
      participation: { asked: 5, ok: 2, silent: 3 },
    });
  });

  it('refuses an answer of the round before', () => {
    const table = new Table(twice);
    for (const id of ['a', 'b', 'c']) table.answer(id, table.reply(id, 1n));
    expect(table.answer('a', table.reply('a', 1n), 2)).toBe('late');
    table.deadline(2);
    expect(table.outcome).toMatchObject({
      participation: { asked: 6, ok: 3, invalid: 1, silent: 2 },
    });
  });

  it.each([
    ['limit_reached', 'asks more often than it declared', { traits: vickreyAuction.traits }],
    ['failed', 'asks nobody', { on: () => ({ state: 0, effects: [] }) }],
    [
      'failed',
      'throws',
      {
        on: () => {
          throw new Error('oh');
        },
      },
    ],
    ['failed', 'asks a stranger', { on: () => askOnly(['mallory']) }],
    ['failed', 'asks somebody twice', { on: () => askOnly(['a', 'a']) }],
  ] satisfies [string, string, Partial<typeof twice>][])(
    'ends as %s when its protocol %s',
    (status, _what, change) => {
      const table = new Table({ ...twice, ...change });
      for (const id of ['a', 'b', 'c']) table.answer(id, table.reply(id, 1n));
      expect(table.outcome?.status).toBe(status);
    },
  );

  it('ends when its time is over, however often the protocol asks', () => {
    const table = new Table({ ...twice, init: () => askOnly(['a', 'b', 'c']) });
    table.deadline();
    expect(table.outcome?.status).toBe('limit_reached');
  });
});

type Deed = 'bid' | 'garbage' | 'old' | 'twice' | 'lie' | 'die' | 'fail' | 'silent' | 'decline';

describe('whatever the participants do', () => {
  const deeds = fc.constantFrom<Deed>(
    'bid',
    'garbage',
    'old',
    'twice',
    'lie',
    'die',
    'fail',
    'silent',
    'decline',
  );
  const scripts = fc.array(fc.record({ deed: deeds, amount: fc.bigInt(0n, 9n), at: fc.nat(120) }), {
    maxLength: 8,
  });

  function play(
    script: readonly { deed: Deed; amount: bigint; at: number }[],
  ): Table<SealedBidResult> {
    const roster = script.map((_, index) => `agent-${index}`);
    const table = auction({ roster });
    const moves = script.map((move, index) => ({ ...move, from: `agent-${index}` }));
    for (const { deed, amount, at, from } of moves.toSorted((x, y) => x.at - y.at)) {
      if (at > setup.deadlineMs && table.now < setup.deadlineMs) table.deadline();
      table.now = at;
      const answer = table.reply(from, amount);
      if (deed === 'bid') table.answer(from, answer);
      if (deed === 'garbage') table.answer(from, { kind: amount });
      if (deed === 'old') table.answer(from, { ...answer, session: 'before' });
      if (deed === 'decline') table.answer(from, { ...answer, status: 'decline' });
      if (deed === 'die') table.lose(from, 'down');
      if (deed === 'fail') table.lose(from, 'error');
      if (deed === 'twice' || deed === 'lie') {
        table.answer(from, answer);
        table.stray(from, deed === 'twice' ? answer : table.reply(from, amount + 1n));
      }
    }
    table.deadline();
    return table;
  }

  it('the session ends, every request is accounted for, and every number comes from a bid', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { outcome } = play(script);
        expect(outcome).toBeDefined();
        const { asked = -1, ok, declined, silent, invalid } = outcome?.participation ?? {};
        expect(asked).toBe(script.length);
        expect(Number(ok) + Number(declined) + Number(silent) + Number(invalid)).toBe(asked);
        expect(Object.keys(outcome?.reasons ?? {})).toHaveLength(asked);
        const amounts = [0n, ...script.map(({ amount }) => amount)];
        expect(amounts).toContain(outcome?.result?.price ?? 0n);
      }),
    );
  });

  it('the record is enough to recompute the outcome, to the last entry', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { outcome } = play(script);
        if (outcome === undefined) throw new Error('no outcome');
        expect(replay(vickreyAuction, outcome.record)).toEqual(outcome);
      }),
    );
  });

  it('hearing everything once more changes nothing', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const table = play(
          script.map((move) => (move.deed === 'lie' ? { ...move, deed: 'bid' } : move)),
        );
        const { outcome } = table;
        const again = auction({ roster: script.map((_, index) => `agent-${index}`) });
        for (const entry of outcome?.record.entries ?? []) {
          if (isSaid(entry)) continue;
          const input = entry.kind === 'answer' ? { ...entry, answer: entry.reply } : entry;
          again.note(again.state.take(input));
          again.note(again.state.take(input));
        }
        const { record: _1, ...left } = again.outcome ?? {};
        const { record: _2, ...right } = outcome ?? {};
        expect(left).toEqual(right);
      }),
    );
  });
});

function finished(): Outcome<SealedBidResult> {
  const table = auction();
  for (const [id, amount] of [
    ['a', 9n],
    ['b', 9n],
    ['c', 4n],
  ] as const) {
    table.answer(id, table.reply(id, amount));
  }
  if (table.outcome === undefined) throw new Error('no outcome');
  return table.outcome;
}

describe('a replay', () => {
  it('shows that a bid of the record was changed', () => {
    const { record, result } = finished();
    const entries = record.entries.map((entry) =>
      entry.kind === 'answer' && entry.from === result?.winner && entry.reply !== undefined
        ? { ...entry, reply: { ...entry.reply, body: { amount: 1n } } }
        : entry,
    );
    expect(replay(vickreyAuction, { ...record, entries }).result).not.toEqual(result);
  });

  it('refuses the record of another protocol, and one without an end', () => {
    const { record } = finished();
    const other = { ...vickreyAuction, version: '2.0.0' };
    expect(() => replay(other, record)).toThrow(
      'session session ran auction.vickrey 1.0.0, not auction.vickrey 2.0.0',
    );
    expect(() =>
      replay(vickreyAuction, { ...record, entries: record.entries.slice(0, 4) }),
    ).toThrow('the record of session session has no end');
  });
});

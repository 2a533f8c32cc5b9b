import type {
  CoordinationReply,
  CoordinationRequest,
} from '../../packages/foundation/src/mabeam/message.ts';
import {
  type SealedBidResult,
  vickreyAuction,
} from '../../packages/foundation/src/mabeam/protocols/sealed-bid-auction.ts';
import {
  type SessionAction,
  SessionState,
} from '../../packages/foundation/src/mabeam/session-state.ts';
import { type Area, type Attempt, pureArea } from './attempt.ts';

const deadlineMs = 100;

/** An auction of a, b and c, in which a bids 100 and b 70: whatever c does, a wins and pays 70. */
class Auction {
  readonly #state = new SessionState(vickreyAuction, {
    session: 'session',
    protocol: vickreyAuction.name,
    protocolVersion: vickreyAuction.version,
    spec: { lot: 'lot', side: 'sell' },
    roster: ['a', 'b', 'c'],
    seed: 'seed',
    tie: 'seeded',
    deadlineMs,
    quorum: 0,
    epoch: 7,
    nonceKey: 'key',
  });
  readonly #requests = new Map<string, CoordinationRequest>();
  #winner: string | undefined;
  #price: bigint | undefined;

  constructor() {
    this.#note(this.#state.start());
  }

  reply(from: string, amount: unknown, changes: object = {}): CoordinationReply {
    const { session, round, nonce } = this.#request(from);
    const kind = 'mabeam.coordination.reply';
    return { kind, v: 1, session, round, nonce, from, status: 'ok', body: { amount }, ...changes };
  }

  /** What `from` says, and what is thought of it. The one answer it owes comes with the nonce of its request. */
  answer(from: string, answer: unknown, { at = 1, isOwed = true } = {}): string {
    const owed = isOwed ? { nonce: this.#request(from).nonce } : {};
    this.#note(this.#state.take({ kind: 'answer', at, from, ...owed, answer }));
    const last = this.#state.record.entries.findLast((entry) => entry.kind === 'answer');
    return last?.verdict.toUpperCase() ?? 'UNKNOWN';
  }

  /** Ends it, and says who has won unless it is who should. */
  close(): string | undefined {
    this.#note(this.#state.take({ kind: 'deadline', at: deadlineMs, round: 1 }));
    const isRight = this.#winner === 'a' && this.#price === 70n;
    return isRight ? undefined : `${this.#winner} wins at ${this.#price}`;
  }

  #request(from: string): CoordinationRequest {
    const request = this.#requests.get(from);
    if (request === undefined) throw new Error(`${from} was not asked`);
    return request;
  }

  #note(action: SessionAction<SealedBidResult> | undefined): void {
    if (action?.kind === 'round') {
      for (const request of action.requests) this.#requests.set(request.to, request);
    }
    if (action?.kind !== 'finish' || !('result' in action.outcome)) return;
    const { result } = action.outcome;
    this.#winner = result?.winner;
    this.#price = result?.price;
  }
}

/** Participants that bid what is no bid, or in the name of others. */
export async function bids(): Promise<Area> {
  return pureArea([...amounts(), ...replies(), ...repetitions()]);
}

/** What c does in an auction; the verdict about the last thing it says counts. */
function attempt(name: string, expected: string, act: (auction: Auction) => string): Attempt {
  const run = (): string => {
    const auction = new Auction();
    const verdict = act(auction);
    auction.answer('a', auction.reply('a', 100n));
    auction.answer('b', auction.reply('b', 70n));
    return auction.close() ?? verdict;
  };
  return { name, threat: 'T16 forged bids', expected, run };
}

function amounts(): readonly Attempt[] {
  const odd: Readonly<Record<string, unknown>> = {
    'a negative amount': -1n,
    'a negative text': '-1',
    'more than all there is': 2n ** 63n,
    'a text of that': String(2n ** 63n),
    NaN: Number.NaN,
    Infinity,
    '1e309': '1e309',
    'a number': 200,
    'a fraction': '200.5',
    hexadecimal: '0xff',
    'leading zeros': '0200',
    'a space': ' 200',
    'a line end': '200\n',
    'a list': [200n],
    'an object': { amount: 200n },
    true: true,
    nothing: undefined,
    'ten thousand digits': '9'.repeat(10_000),
  };
  return Object.entries(odd).map(([name, amount]) =>
    attempt(`a bid of ${name}`, 'MALFORMED', (auction) =>
      auction.answer('c', auction.reply('c', amount)),
    ),
  );
}

function replies(): readonly Attempt[] {
  const changed: Readonly<Record<string, readonly [expected: string, changes: object]>> = {
    'of another session': ['WRONG_SESSION', { session: 'other' }],
    'of the session __proto__': ['WRONG_SESSION', { session: '__proto__' }],
    'with a nonce of its own': ['WRONG_NONCE', { nonce: 'f'.repeat(32) }],
    'with the nonce constructor': ['WRONG_NONCE', { nonce: 'constructor' }],
    'in the name of a': ['WRONG_SENDER', { from: 'a' }],
    'in the name of a stranger': ['WRONG_SENDER', { from: 'mallory' }],
    'in the name __proto__': ['WRONG_SENDER', { from: '__proto__' }],
    'of a later round': ['WRONG_ROUND', { round: 2 }],
    'of round 0': ['WRONG_ROUND', { round: 0 }],
    'of round NaN': ['MALFORMED', { round: Number.NaN }],
    'of another version': ['MALFORMED', { v: 2 }],
    'of another kind': ['MALFORMED', { kind: 'mabeam.coordination.request' }],
    'with an unknown status': ['MALFORMED', { status: 'winner' }],
    'without a body': ['MALFORMED', { body: undefined }],
    'with a body that is a text': ['MALFORMED', { body: '200' }],
  };
  const none: Readonly<Record<string, unknown>> = { 'a text': '200', null: null, 'a list': [] };
  return [
    ...Object.entries(changed).map(([name, [expected, changes]]) =>
      attempt(`a reply ${name}`, expected, (auction) =>
        auction.answer('c', auction.reply('c', 200n, changes)),
      ),
    ),
    ...Object.entries(none).map(([name, answer]) =>
      attempt(`a reply that is ${name}`, 'MALFORMED', (auction) => auction.answer('c', answer)),
    ),
  ];
}

function repetitions(): readonly Attempt[] {
  return [
    attempt('the bid of a, repeated by c', 'WRONG_SENDER', (auction) =>
      auction.answer('c', auction.reply('a', 200n), { isOwed: false }),
    ),
    attempt('a second, higher bid', 'EQUIVOCATION', (auction) => {
      auction.answer('c', auction.reply('c', 10n));
      return auction.answer('c', auction.reply('c', 200n), { isOwed: false });
    }),
    attempt('the same bid again', 'REPEAT', (auction) => {
      auction.answer('c', auction.reply('c', 10n));
      return auction.answer('c', auction.reply('c', 10n), { isOwed: false });
    }),
    attempt('a bid after the deadline', 'LATE', (auction) =>
      auction.answer('c', auction.reply('c', 200n), { at: deadlineMs + 1 }),
    ),
    attempt('a bid of a stranger', 'NOT_IN_ROSTER', (auction) =>
      auction.answer('mallory', auction.reply('c', 200n, { from: 'mallory' }), { isOwed: false }),
    ),
  ];
}

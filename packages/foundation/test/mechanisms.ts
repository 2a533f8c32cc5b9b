import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';

/** A mechanism that agents of three nodes go through, once with all of them and once when a node was killed. */
export interface Mechanism {
  readonly protocol: string;
  readonly spec: unknown;
  /**
   * What each agent answers, by type of request: a body, or a ready reply such as `{ stayUpTo: '60' }`. `c1` and `c2`
   * live on the node that is killed.
   */
  readonly replies: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What the outcome must say with everybody, and without those who were killed. */
  readonly whole: object;
  readonly bereft: object;
}

/** Where each agent lives. */
export const agents = { a: ['a1', 'a2'], b: ['b1', 'b2'], c: ['c1', 'c2'] };

const ids = Object.values(agents).flat();
const all = (reply: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(ids.map((id) => [id, reply]));

/** What the lot is worth to each. */
const worths = { a1: 10n, a2: 3n, b1: 8n, b2: 7n, c1: 20n, c2: 9n };
const perWorth = (reply: (worth: bigint) => unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(worths).map(([id, worth]) => [id, reply(worth)]));

const lot = { lot: 'cpu' };
const sealed = { spec: lot, replies: { get_bid: perWorth((amount) => ({ amount })) } };
const climbing = { lot: 'cpu', start: 1n, increment: 1n };
const sold = (winner: string, price: bigint): object => ({
  status: 'decided',
  result: { winner, price },
});

/** Three variables that hang on a fourth, two of them of agents that are killed. */
const hanging = {
  problem: 'p',
  variables: [
    { name: 'x', owner: 'a1', values: ['0', '1'] },
    { name: 'y', owner: 'b1', values: ['0', '1'] },
    { name: 'z', owner: 'c1', values: ['0', '1'], initial: '1' },
    { name: 'w', owner: 'c2', values: ['0', '1'] },
  ],
  constraints: [
    { name: 'xy', over: ['x', 'y'], costs: [5, 0, 0, 5] },
    { name: 'xz', over: ['x', 'z'], costs: [1, 9, 9, 2] },
    { name: 'xw', over: ['x', 'w'], costs: [0, 3, 3, 9] },
  ],
};

/** Each wants two units, the second for half. */
const several = perWorth((worth) => ({ unitsWorth: [worth, worth / 2n].map(String) }));
const licences = { lot: 'cpu', units: 3 };
/** What winners pay: for two units c1 takes away those for 9 and 8. */
const shared = {
  whole: {
    status: 'decided',
    result: {
      awards: [
        { agent: 'a1', units: 1, payment: 9n },
        { agent: 'c1', units: 2, payment: 17n },
      ],
    },
  },
  bereft: {
    status: 'decided',
    result: {
      awards: [
        { agent: 'a1', units: 1, payment: 4n },
        { agent: 'b1', units: 1, payment: 5n },
        { agent: 'b2', units: 1, payment: 5n },
      ],
    },
  },
};

const buying = { a1: '10', b1: '8', c1: '20' };
const selling = { a2: '3', b2: '7', c2: '9' };
const trading = {
  spec: lot,
  replies: {
    get_orders: Object.fromEntries([
      ...Object.entries(buying).map(([id, limit]) => [id, { buyUpTo: limit }]),
      ...Object.entries(selling).map(([id, limit]) => [id, { sellFrom: limit }]),
    ]),
  },
};
const cleared = (result: object): object => ({ status: 'decided', result });

/** x is ahead with everybody; without c1 and c2, who weigh most, y is. */
const ballot = { question: 'Which?', options: ['x', 'y', 'z'], weights: { c1: 3, c2: 3 } };
const liking = { a1: 'y', a2: 'y', b1: 'x', b2: 'y', c1: 'x', c2: 'x' };
const voting = {
  get_vote: Object.fromEntries(
    Object.entries(liking).map(([id, best]) => [
      id,
      { prefer: best === 'x' ? ['x', 'y'] : ['y', 'x'] },
    ]),
  ),
};
const elected = (winner: string): object => ({ status: 'decided', result: { winner } });
const vote = (rule: string, more: object = {}): Mechanism => ({
  protocol: `consensus.${rule}`,
  spec: { ...ballot, ...more },
  replies: voting,
  whole: elected('x'),
  bereft: elected('y'),
});
const committee = (rule: string): Mechanism => ({
  ...vote(`committee_${rule}`, { seats: 1 }),
  whole: { status: 'decided', result: { committee: ['x'] } },
  bereft: { status: 'decided', result: { committee: ['y'] } },
});

/** The key that an agent signs with: made from its name, so that all programs know it. */
function keyOf(id: string): ReturnType<typeof createPrivateKey> {
  const head = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([head, createHash('sha256').update(id).digest()]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
const publicKeyOf = (id: string): string =>
  createPublicKey(keyOf(id)).export({ format: 'der', type: 'spki' }).toString('base64');
const privateKeyOf = (id: string): string =>
  keyOf(id).export({ format: 'der', type: 'pkcs8' }).toString('base64');

/** Answers that differ by the place of an agent among all. */
const byPlace = (reply: (at: number) => unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(ids.map((id, at) => [id, reply(at)]));

/** One line for each mechanism. */
export const mechanisms: readonly Mechanism[] = [
  { protocol: 'auction.vickrey', ...sealed, whole: sold('c1', 10n), bereft: sold('a1', 8n) },
  { protocol: 'auction.first_price', ...sealed, whole: sold('c1', 20n), bereft: sold('a1', 10n) },
  {
    protocol: 'auction.english',
    spec: climbing,
    replies: { stay: perWorth((worth) => ({ stayUpTo: `${worth}` })) },
    whole: sold('c1', 11n),
    bereft: sold('a1', 9n),
  },
  {
    protocol: 'auction.english',
    spec: { ...climbing, variant: 'outcry' },
    replies: { get_bid: perWorth((worth) => ({ bidUpTo: `${worth}` })) },
    whole: sold('c1', 11n),
    bereft: sold('a1', 8n),
  },
  {
    protocol: 'auction.dutch',
    spec: { lot: 'cpu', start: 24n, increment: 4n, reserve: 4n },
    replies: { accept: perWorth((worth) => ({ acceptAt: `${worth}` })) },
    whole: sold('c1', 20n),
    // a1 and b1 accept at the same tick.
    bereft: sold('b1', 8n),
  },
  {
    protocol: 'market.call',
    ...trading,
    whole: cleared({ price: 8n, quantity: 2, fills: [1, 1, 0, 1, 1, 0] }),
    bereft: cleared({ price: 7n, quantity: 2, fills: [1, 1, 1, 1] }),
  },
  {
    protocol: 'auction.mcafee',
    ...trading,
    whole: cleared({ buyPrice: 8n, sellPrice: 8n, quantity: 2 }),
    bereft: cleared({ buyPrice: 8n, sellPrice: 7n, quantity: 1, kept: 1n }),
  },
  ...['plurality', 'approval', 'score', 'borda', 'copeland', 'condorcet'].map((rule) => vote(rule)),
  ...['schulze', 'minimax', 'irv'].map((rule) => vote(rule)),
  ...['majority', 'supermajority', 'weighted'].map((rule) => vote(rule, { of: 'cast' })),
  {
    ...vote('unanimous', { of: 'cast' }),
    replies: { get_vote: all({ prefer: ['x'] }) },
    bereft: elected('x'),
  },
  ...['av', 'sav', 'pav', 'phragmen'].map(committee),
  vote('iterative', { of: 'cast' }),
  {
    ...vote('hierarchical', { of: 'cast' }),
    spec: {
      ...ballot,
      of: 'cast',
      groups: Object.entries(agents).map(([name, members]) => ({ name, members })),
    },
  },
  {
    protocol: 'consensus.quorum_certificate',
    spec: { ballot: 'block 7', keys: Object.fromEntries(ids.map((id) => [id, publicKeyOf(id)])) },
    replies: {
      sign_vote: Object.fromEntries(
        ids.map((id) => [id, { signWith: { value: 'yes', privateKey: privateKeyOf(id) } }]),
      ),
    },
    whole: { status: 'decided', result: { value: 'yes' } },
    bereft: { status: 'decided', result: { value: 'yes' } },
  },
  {
    protocol: 'consensus.2pc',
    spec: { transaction: 'move', voteMs: 2_000 },
    replies: { prepare: all({ vote: 'yes' }), commit: all({}), abort: all({}) },
    whole: { status: 'decided', result: { decision: 'commit', acknowledged: ids } },
    bereft: { status: 'decided', result: { decision: 'abort', unheard: agents.c } },
  },
  {
    protocol: 'sync.barrier',
    spec: { barrier: 'start' },
    replies: { arrive: all({}) },
    whole: { status: 'decided', result: { releases: [{ generation: 1, phase: 'enter' }] } },
    // Broken by the first of them that is found to be gone.
    bereft: { status: 'no_quorum', result: { releases: [] }, reasons: { a1: 'not_eligible' } },
  },
  {
    protocol: 'auction.multi_unit',
    spec: { ...licences, pricing: 'vcg' },
    replies: { get_marginal_values: several },
    ...shared,
  },
  {
    protocol: 'auction.ausubel',
    spec: { ...licences, increment: 1n },
    replies: { get_quantity: several },
    ...shared,
  },
  {
    protocol: 'market.continuous',
    spec: { lot: 'cpu', idleRounds: 2 },
    replies: { trade: trading.replies.get_orders },
    // One order each: as many trades as in a call market, or one more, at the prices of those who come first.
    whole: cleared({ rounds: 3, quantity: 3 }),
    bereft: cleared({ rounds: 3, quantity: 2 }),
  },
  {
    protocol: 'task.contract_net',
    spec: { task: 'index', awards: 2, heartbeatMs: 500, performMs: 2_000 },
    replies: {
      cfp: {
        a1: { cost: 7n },
        a2: { cost: 3n },
        b1: { cost: 8n },
        c1: { cost: 4n },
        c2: { cost: 2n },
      },
      accept_proposal: {
        a1: { act: 'inform_result', result: 'of a1' },
        a2: { act: 'failure', reason: 'disk full' },
        b1: { act: 'working' },
        c1: { act: 'working' },
        c2: { act: 'inform_done' },
      },
      progress: { b1: { act: 'inform_done' }, c1: { act: 'inform_done' } },
    },
    whole: {
      status: 'decided',
      result: {
        done: [
          { agent: 'c2', price: 2n, fencing: 1 },
          { agent: 'c1', price: 4n, fencing: 3 },
        ],
        failed: [{ agent: 'a2', fencing: 2, reason: 'disk full' }],
      },
      reasons: { a1: 'outbid', b2: 'declined' },
    },
    bereft: {
      status: 'decided',
      result: {
        done: [
          { agent: 'a1', price: 7n, result: 'of a1' },
          { agent: 'b1', price: 8n, fencing: 3 },
        ],
      },
    },
  },
  {
    protocol: 'negotiation.alternating_offers',
    spec: { subject: 'a van', issues: { price: { from: 0n, to: 200n } } },
    replies: {
      offer: {
        a1: { act: 'offer', offer: { price: 100n } },
        a2: { act: 'accept' },
        b1: { act: 'accept' },
        b2: { act: 'accept' },
        c1: { act: 'accept' },
        c2: { act: 'accept' },
      },
    },
    whole: {
      status: 'decided',
      result: { agreement: { by: 'a1', offer: { price: 100n } }, turns: 6 },
    },
    bereft: {
      status: 'no_deal',
      result: { breakdown: { turn: 5, by: 'c1', cause: 'down' } },
      // Whose turn never came.
      reasons: { c1: 'silent', c2: 'not_eligible' },
    },
  },
  {
    protocol: 'conflict.priority',
    spec: { resource: 'gpus', supply: 4 },
    replies: {
      get_claim: {
        a1: { units: 2, priority: 1 },
        a2: { units: 2, priority: 2 },
        b1: { units: 1 },
        c1: { units: 3, priority: 5 },
      },
    },
    whole: { status: 'decided', result: { shares: shares({ a1: 0, a2: 1, b1: 0, c1: 3 }) } },
    bereft: { status: 'decided', result: { shares: shares({ a1: 2, a2: 2, b1: 0 }) } },
  },
  {
    protocol: 'conflict.proportional',
    spec: { resource: 'gpus', supply: 7 },
    replies: {
      get_claim: { a1: { units: 4 }, a2: { units: 2 }, b1: { units: 6 }, c1: { units: 2 } },
    },
    whole: { status: 'decided', result: { shares: shares({ a1: 2, a2: 1, b1: 3, c1: 1 }) } },
    // 2 1/3, 1 1/6 and 3 1/2.
    bereft: { status: 'decided', result: { shares: shares({ a1: 2, a2: 1, b1: 4 }) } },
  },
  {
    protocol: 'conflict.escalation',
    spec: { resource: 'gpus', supply: 10, levels: [['c1'], ['a1', 'b1', 'c2']], settling: 0 },
    replies: {
      get_claim: { a2: { units: 7 }, b2: { units: 8 } },
      get_ruling: {
        c1: { shares: { a2: 6, b2: 4 } },
        a1: { shares: { a2: 7, b2: 3 } },
        b1: { shares: { a2: 7, b2: 3 } },
        c2: { shares: { a2: 1, b2: 1 } },
      },
    },
    whole: {
      status: 'decided',
      result: { level: 1, by: ['c1'], shares: shares({ a2: 6, b2: 4 }) },
    },
    bereft: {
      status: 'decided',
      result: { level: 2, by: ['a1', 'b1'], shares: shares({ a2: 7, b2: 3 }) },
    },
  },
  {
    protocol: 'negotiation.monotonic_concession',
    spec: { subject: 'a van', issues: { price: { from: 0n, to: 200n } }, rounds: 10 },
    replies: {
      concede: Object.fromEntries(
        ids.map((id) => [
          id,
          { concede: id.endsWith('1') ? { from: '20', to: '10' } : { from: '0', to: '12' } },
        ]),
      ),
    },
    // Three have offered it; they accept it of each other, and then the others do.
    whole: {
      status: 'decided',
      result: { agreement: { round: 5, offer: { price: 12n } }, rounds: 7 },
    },
    bereft: {
      status: 'no_deal',
      result: { breakdown: { round: 1, cause: 'down', by: ['c1', 'c2'] } },
    },
  },
  { protocol: 'auction.combinatorial', ...packages() },
  {
    protocol: 'market.fisher',
    spec: { goods: ['cpu', 'ram'] },
    replies: {
      get_utility: byPlace((at) => ({ kind: 'cobb_douglas', weights: [1, at === 0 ? 3 : 1] })),
    },
    whole: { status: 'decided', result: { prices: [2.75, 3.25] } },
    bereft: { status: 'decided', result: { prices: [1.75, 2.25] } },
  },
  {
    protocol: 'market.exchange',
    spec: { goods: ['cpu', 'ram'], endowments: all([1, 1]), mode: 'demand' },
    replies: {
      get_demand: byPlace((at) => ({ demand: at % 2 === 0 ? [0.5, 1.5] : [1.5, 0.5] })),
    },
    whole: { status: 'decided', result: { prices: [0.5, 0.5], rounds: 1 } },
    bereft: { status: 'decided', result: { prices: [0.5, 0.5] } },
  },
  {
    protocol: 'market.exchange',
    spec: {
      goods: ['cpu', 'ram'],
      endowments: all([1, 1]),
      method: 'lazy_proportional_response',
    },
    replies: {
      get_utility: byPlace((at) => ({ kind: 'linear', weights: at % 2 === 0 ? [1, 0] : [0, 1] })),
    },
    whole: { status: 'decided', result: { prices: [0.5, 0.5] } },
    bereft: { status: 'decided', result: { prices: [0.5, 0.5] } },
  },
  {
    protocol: 'market.assignment',
    spec: { goods: ['gpu', 'tpu'] },
    replies: { get_wants: perWorth((worth) => ({ values: [String(worth), null] })) },
    whole: { status: 'decided', result: { prices: [10n, 0n] }, reasons: { c1: 'won' } },
    bereft: { status: 'decided', result: { prices: [8n, 0n] }, reasons: { a1: 'won' } },
  },
  {
    protocol: 'task.assign',
    spec: { tasks: ['test', 'write'] },
    replies: { get_costs: byPlace((at) => ({ costs: [String(6 - at), at === 0 ? '1' : '9'] })) },
    whole: { status: 'decided', result: { assigned: ['c2', 'a1'], total: 2n } },
    bereft: { status: 'decided', result: { assigned: ['b2', 'a1'], total: 4n } },
  },
  {
    protocol: 'match.deferred_acceptance',
    spec: { matching: 'jobs', receivers: ['a1', 'b1', 'c1'] },
    replies: {
      get_preferences: {
        a2: { list: ['c1', 'a1'] },
        b2: { list: ['a1', 'b1'] },
        c2: { list: ['a1', 'c1'] },
        a1: { rank: ['c2', 'a2', 'b2'] },
        b1: { rank: ['b2'] },
        c1: { rank: ['a2'] },
      },
    },
    whole: {
      status: 'decided',
      result: {
        matches: [
          { proposer: 'a2', receiver: 'c1' },
          { proposer: 'b2', receiver: 'b1' },
          { proposer: 'c2', receiver: 'a1' },
        ],
      },
    },
    bereft: {
      status: 'decided',
      result: {
        matches: [
          { proposer: 'a2', receiver: 'a1' },
          { proposer: 'b2', receiver: 'b1' },
        ],
      },
    },
  },
  {
    protocol: 'dcop.dpop',
    spec: hanging,
    replies: { get_util: all({ dcop: {} }), get_value: all({ dcop: {} }) },
    whole: { status: 'decided', result: { cost: 1, frozen: [] }, certificate: { bound: 1 } },
    bereft: { status: 'decided', result: { cost: 5, frozen: ['z', 'w'] } },
  },
  {
    protocol: 'dcop.maxsum',
    spec: hanging,
    replies: { get_messages: all({ dcop: {} }) },
    whole: { status: 'decided', result: { cost: 1, frozen: [], isConverged: true } },
    bereft: { status: 'decided', result: { cost: 5, frozen: ['z', 'w'] } },
  },
  // x gains most by moving, and then nobody alone can do better.
  {
    protocol: 'dcop.mgm',
    spec: hanging,
    replies: { get_improvement: all({ dcop: {} }) },
    whole: { status: 'decided', result: { cost: 5, frozen: [], isLocalOptimum: true } },
    bereft: { status: 'decided', result: { cost: 5, frozen: ['z', 'w'] } },
  },
  {
    protocol: 'dcop.dsa',
    spec: hanging,
    replies: { get_improvement: all({ dcop: {} }) },
    whole: { status: 'decided', result: { frozen: [], isLocalOptimum: true } },
    bereft: { status: 'decided', result: { frozen: ['z', 'w'], isLocalOptimum: true } },
  },
];

function shares(units: Readonly<Record<string, number>>): readonly object[] {
  return Object.entries(units).map(([agent, each]) => ({ agent, units: each }));
}

/** Day and Cramton's figure for those who stay, and a pair of whose bids one wins as long as they are there. */
function packages(): Omit<Mechanism, 'protocol'> {
  const offers = { a1: ['A', 28n], a2: ['B', 20n], b1: ['AB', 32n], b2: ['A', 14n] } as const;
  const gone = { c1: ['B', 25n], c2: ['B', 12n] } as const;
  const get_package_bids = Object.fromEntries(
    Object.entries({ ...offers, ...gone }).map(([id, [goods, amount]]) => [
      id,
      { bids: [{ goods: Array.from<string>(goods), amount }] },
    ]),
  );
  return {
    spec: { goods: [{ name: 'A' }, { name: 'B' }], pricing: 'core_nearest_vcg' },
    replies: { get_package_bids },
    // VCG 14 and 20, which is more than 32.
    whole: { status: 'decided', result: { welfare: 53n, total: 34n } },
    // VCG 14 and 4; 7 more for each, and it is what b1 has offered.
    bereft: {
      status: 'decided',
      result: {
        welfare: 48n,
        winners: [
          { agent: 'a1', price: 21n },
          { agent: 'a2', price: 11n },
        ],
      },
    },
  };
}

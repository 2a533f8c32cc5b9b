import { atLeast, atMost, median } from '../goal.ts';
import type { Measure, Suite } from '../suite.ts';

const cost: Pick<Measure, 'better' | 'spinner' | 'timed'> = {
  better: 'lower',
  spinner: false,
  timed: true,
};
const rate: Pick<Measure, 'better' | 'spinner' | 'timed'> = { ...cost, better: 'higher' };

const measures: readonly Measure[] = [
  { name: 'vickrey-10k', unit: 'ms', ...cost },
  { name: 'sessions-10', unit: 'sessions/s', ...rate },
  { name: 'call-market-200k', unit: 'ms', ...cost },
  { name: 'schulze-300', unit: 'ms', ...cost },
  { name: 'matching-2000', unit: 'ms', ...cost },
  { name: 'audit-entries', unit: 'entries/s', ...rate },
  { name: 'sealed-30-nodes', unit: 'ms', ...cost, spinner: true },
  { name: 'silent-1000', unit: 'ms', ...cost },
  { name: 'multi-unit-20k', unit: 'ms', ...cost },
  { name: 'order-book', unit: 'orders/s', ...rate },
];

/**
 * What it costs to decide together. No peer does any of this.
 *
 * - `vickrey-10k`: processor time of a whole session with 10,000 bidders in one process, record included.
 * - `sessions-10`: sessions of ten bidders, 1,000 at a time, on one core.
 * - `call-market-200k`: processor time to clear 100,000 bids and as many asks.
 * - `schulze-300`: processor time to count 100 rankings of 300 options.
 * - `matching-2000`: processor time to match 2,000 with 2,000 by lists of all, once these are laid out.
 * - `audit-entries`: entries of a record that are chained by their hashes, a second of processor time.
 * - `sealed-30-nodes`: median of sealed-bid auctions among 30 processes on three nodes.
 * - `silent-1000`: how long after its deadline a session ends in which 1,000 processes say nothing.
 * - `multi-unit-20k`: processor time to give 5,000 units to 1,000 bidders with 20 marginals each, at VCG prices.
 * - `order-book`: orders that an order book takes, half of them later cancelled, a second of processor time.
 */
export const coordination: Suite = {
  name: 'coordination',
  measures,
  subjects: [
    {
      name: 'foundation',
      file: 'foundation-coordination.ts',
      measures: measures.map(({ name }) => name),
    },
  ],
  goals: [
    atMost('vickrey-10k', 100, median('ms')),
    atLeast('sessions-10', 2_000, median('sessions/s')),
    atMost('call-market-200k', 60, median('ms')),
    atMost('schulze-300', 100, median('ms')),
    atMost('matching-2000', 3, median('ms')),
    atLeast('audit-entries', 300_000, median('entries/s')),
    atMost('sealed-30-nodes', 5, median('ms')),
    atMost('silent-1000', 50, median('ms')),
    atMost('multi-unit-20k', 20, median('ms')),
    atLeast('order-book', 200_000, median('orders/s')),
  ],
};

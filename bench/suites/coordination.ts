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
  { name: 'contract-nets-100', unit: 'ms', ...cost },
  { name: 'wdp-matching-2000', unit: 'ms', ...cost, once: true },
  { name: 'wdp-scheduling-2000', unit: 'ms', ...cost, once: true },
  { name: 'wdp-l4-2000', unit: 'ms', ...cost, once: true },
  { name: 'wdp-paths-1000', unit: 'ms', ...cost, once: true },
  { name: 'wdp-regions-200', unit: 'ms', ...cost, once: true },
  { name: 'wdp-regions-500', unit: 'ms', ...cost, once: true },
  { name: 'wdp-overrun', unit: 'ms', ...cost, once: true },
  { name: 'vcg-200', unit: 'ms', ...cost, once: true },
  { name: 'fisher-1e-3', unit: 'ms', ...cost },
  { name: 'fisher-1e-3-rounds', unit: 'rounds', ...cost },
  { name: 'fisher-1e-4', unit: 'ms', ...cost },
  { name: 'fisher-1e-4-rounds', unit: 'rounds', ...cost },
  { name: 'assignment-300', unit: 'ms', ...cost },
  { name: 'assignment-1000', unit: 'ms', ...cost },
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
 * - `contract-nets-100`: processor time of 100 contract nets at once among the same 1,000 contractors, until all is done.
 * - `wdp-…`: processor time until the winners of a combinatorial auction are known and proven, by the family of instances and its
 *   bids (256 goods, of regions 64 and 100), the median of five draws; `whole ms`: with the search for others that are as good.
 * - `wdp-overrun`: how long after the limit of its solver one ends that is too hard, with winners and a gap (256 goods, 1,000 bids
 *   of the families regions, arbitrary and L6; the worst of the three).
 * - `vcg-200`: processor time of one with VCG prices (64 goods, 200 bids of matching, scheduling, paths and L4; the worst).
 * - `fisher-1e-3`, `fisher-1e-4`: processor time to find prices of 100 goods for 1,000 buyers with linear utilities, to
 *   that tolerance; `-rounds`: rounds of bids that it takes.
 * - `assignment-300`, `assignment-1000`: processor time to give as many tasks to as many agents, one each, at costs of 1 to
 *   1,000, with ties and a proof.
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
    atMost('wdp-matching-2000', 2_000, median('ms')),
    atMost('wdp-scheduling-2000', 2_000, median('ms')),
    atMost('wdp-l4-2000', 2_000, median('ms')),
    atMost('wdp-paths-1000', 6_000, median('ms')),
    atMost('wdp-regions-200', 1_000, median('ms')),
    atMost('wdp-regions-500', 20_000, median('ms')),
    atMost('wdp-overrun', 500, median('ms')),
    atMost('vcg-200', 4_000, median('ms')),
    atMost('fisher-1e-3', 250, median('ms')),
    atMost('fisher-1e-3-rounds', 300, median('rounds')),
    atMost('fisher-1e-4', 700, median('ms')),
    atMost('fisher-1e-4-rounds', 1_000, median('rounds')),
    atMost('assignment-300', 30, median('ms')),
    atMost('assignment-1000', 4_000, median('ms')),
  ],
};

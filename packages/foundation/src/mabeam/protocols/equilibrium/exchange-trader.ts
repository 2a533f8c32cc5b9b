import type { ParticipantHandlers } from '../../participant.ts';
import type { UtilityOf } from './fisher-buyer.ts';
import { worthAt } from './tatonnement.ts';
import { demandOf, type Utility } from './utility.ts';

/** A trader of an exchange that says what goods are worth to it, or what it would have at prices that are called. */
export function exchangeTrader<C>(
  utility: UtilityOf<C>,
): Required<Pick<ParticipantHandlers<C>, 'utility' | 'demand'>> {
  const own = (ctx: C): Utility => (typeof utility === 'function' ? utility(ctx) : utility);
  return {
    utility: own,
    demand: (ctx, { prices, endowment }) => demandOf(own(ctx), prices, worthAt(prices, endowment)),
  };
}

import type { AnyProtocol } from '../protocol.ts';
import { callMarket } from './call-market.ts';
import { mcafeeAuction } from './mcafee-auction.ts';
import { firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';

/** Protocols that every coordination knows by name. */
export const builtInProtocols: readonly AnyProtocol[] = [
  firstPriceAuction,
  vickreyAuction,
  callMarket,
  mcafeeAuction,
];

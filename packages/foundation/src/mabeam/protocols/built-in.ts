import type { AnyProtocol } from '../protocol.ts';
import { dutchAuction } from './dutch-auction.ts';
import { englishAuction } from './english-auction.ts';
import { firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';

/** Protocols that every coordination knows by name. */
export const builtInProtocols: readonly AnyProtocol[] = [
  firstPriceAuction,
  vickreyAuction,
  englishAuction,
  dutchAuction,
];

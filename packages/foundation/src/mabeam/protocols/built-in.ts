import type { AnyProtocol } from '../protocol.ts';
import { firstPriceAuction, vickreyAuction } from './sealed-bid-auction.ts';
import { votingProtocols } from './voting/voting.ts';

/** Protocols that every coordination knows by name. */
export const builtInProtocols: readonly AnyProtocol[] = [
  firstPriceAuction,
  vickreyAuction,
  ...votingProtocols,
];

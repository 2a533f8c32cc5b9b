import { protocolLaws } from '@foundation/testing';

import { dcopSittings } from '../../../../test/dcop-sessions.ts';
import { maxSum } from './max-sum.ts';

const sittings = dcopSittings({ variables: 4, links: 4, terms: { rounds: 12 } });

protocolLaws('a max-sum', { protocol: maxSum, sittings, runs: 20 });

import { protocolLaws } from '@foundation/testing';

import { dcopSittings } from '../../../../test/dcop-sessions.ts';
import { dsa } from './dsa.ts';
import { mgm } from './mgm.ts';

const sittings = dcopSittings({ variables: 4, links: 5, terms: { rounds: 12 } });

protocolLaws('an MGM', { protocol: mgm, sittings, runs: 12 });
protocolLaws('a DSA', { protocol: dsa, sittings, runs: 12 });

import { protocolLaws } from '@foundation/testing';

import { dcopSittings } from '../../../../test/dcop-sessions.ts';
import { dpop } from './dpop.ts';

const sittings = dcopSittings({ variables: 5, links: 6 });

protocolLaws('a DPOP', { protocol: dpop, sittings, runs: 30 });

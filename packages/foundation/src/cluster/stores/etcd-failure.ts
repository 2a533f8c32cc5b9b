import type { FoundationErrorCode } from '../../errors.ts';
import type { EtcdRefusal, EtcdSilence } from './etcd-server.ts';

/** Why a request came to nothing, and what may be concluded from it. */
export interface EtcdFailure {
  readonly code: FoundationErrorCode;
  /** Of a write. */
  readonly outcome: 'not-executed' | 'unknown';
  /** Whether another server, or this one a little later, may do it. */
  readonly isPassing: boolean;
  /** Whether it is the token that was not accepted. */
  readonly isLogin?: boolean;
  readonly reason: string;
  readonly hint?: string;
}

type Meaning = Omit<EtcdFailure, 'reason'>;

const refused = { outcome: 'not-executed', isPassing: false } as const;
const notNow = { outcome: 'not-executed', isPassing: true } as const;
const openEnded = { outcome: 'unknown', isPassing: true } as const;
const giveUser =
  'Give the `username` of somebody who may read and write all keys of the namespace, and the `password`.';
const tokenRefused: Meaning = {
  ...notNow,
  code: 'AUTHENTICATION_FAILED',
  isLogin: true,
  hint: giveUser,
};

/**
 * What etcd's words mean: it has several codes for one thing, and one code for several. Those that say
 * `not-executed` are all said before anything is proposed to the others, or by a server that checks before it
 * applies. A request that etcd itself gave up may still take effect; the database being full is said of writes
 * that did, too.
 *
 * Source: etcd's `api/v3rpc/rpctypes/error.go`, and the places where it returns these, 3.4 to 3.5.
 */
const meanings: readonly (readonly [words: RegExp, Meaning])[] = [
  [/no leader/, { ...notNow, code: 'NO_QUORUM' }],
  [/leader changed|request timed out|unhealthy cluster/, { ...openEnded, code: 'NO_QUORUM' }],
  [
    /too many requests|proposal dropped|not capable|not supported for learner/,
    { ...notNow, code: 'STORE_UNAVAILABLE' },
  ],
  [
    /invalid auth token|user name is empty|revision in header is old|auth store is old/,
    tokenRefused,
  ],
  [
    /permission denied|authentication failed/,
    {
      ...refused,
      code: 'AUTHENTICATION_FAILED',
      hint: giveUser,
    },
  ],
  [
    /CommonName of client/,
    {
      ...refused,
      code: 'AUTHENTICATION_FAILED',
      hint: 'The gateway of etcd takes no certificate for a user: use one without a common name, and a `username`.',
    },
  ],
  [
    /request is too large|larger than max/,
    {
      ...refused,
      code: 'FRAME_TOO_LARGE',
      hint: 'Store less under one key, or start etcd with a higher `--max-request-bytes`.',
    },
  ],
  [
    /database space exceeded/,
    {
      code: 'STORE_UNAVAILABLE',
      outcome: 'unknown',
      isPassing: false,
      hint: 'The database of etcd is full: compact and defragment it, then `etcdctl alarm disarm`.',
    },
  ],
];

/** A reply that is none of etcd's. */
export const nonsense: EtcdFailure = {
  ...openEnded,
  code: 'STORE_UNAVAILABLE',
  reason: 'its answer makes no sense',
};

const noGateway: Meaning = {
  ...refused,
  code: 'STORE_UNSUITABLE',
  hint: 'Give the client URL of an etcd of at least 3.4, with its gRPC gateway on.',
};

export function failureOf(answer: EtcdRefusal | EtcdSilence): EtcdFailure {
  if (answer.kind === 'silence') {
    const outcome = answer.isSent ? 'unknown' : 'not-executed';
    return { code: 'STORE_UNAVAILABLE', outcome, isPassing: true, reason: answer.reason };
  }
  const { status, words } = answer;
  const reason = words === '' ? `HTTP status ${status}` : words;
  if (status === 404) return { ...noGateway, reason };
  const [, meaning] = meanings.find(([pattern]) => pattern.test(words)) ?? [];
  return { ...(meaning ?? { ...openEnded, code: 'STORE_UNAVAILABLE' }), reason };
}

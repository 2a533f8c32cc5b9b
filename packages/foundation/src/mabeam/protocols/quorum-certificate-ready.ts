import { createPrivateKey, type KeyObject } from 'node:crypto';

import { FoundationError } from '../../errors.ts';
import { isRecord, shown } from '../parse.ts';
import { ballotQuestion, type SignedVote, signedVote } from './quorum-certificate-questions.ts';
import { answering, understood } from './ready-reply.ts';

/** Voters for scripted sessions. */
export const readyReplies = {
  /** `{ "value": "yes", "privateKey": "…" }`: votes for the value; the key is PKCS#8, DER, in base64. */
  signWith: answering<SignedVote>([ballotQuestion], (argument) => {
    const { value, privateKey } = isRecord(argument) ? argument : {};
    if (typeof value !== 'string' || typeof privateKey !== 'string') {
      throw new FoundationError(
        'INVALID_OPTION',
        `signWith: expected { value, privateKey }, got ${shown(argument)}`,
      );
    }
    const key = keyOf(privateKey);
    return (request) => signedVote(understood(ballotQuestion, request), value, key);
  }),
};

function keyOf(privateKey: string): KeyObject {
  const der = Buffer.from(privateKey, 'base64');
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (error) {
    throw new FoundationError(
      'INVALID_OPTION',
      'signWith.privateKey: expected a private key as PKCS#8, DER, in base64',
      { cause: error },
    );
  }
}

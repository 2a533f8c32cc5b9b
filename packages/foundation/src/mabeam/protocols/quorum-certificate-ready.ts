import { createPrivateKey } from 'node:crypto';

import { FoundationError } from '../../errors.ts';
import type { CoordinationRequest } from '../message.ts';
import { isRecord, shown } from '../parse.ts';
import { ballotQuestion, signedVote } from './quorum-certificate-questions.ts';

/** Voters for scripted sessions. */
export const readyReplies = {
  /** `{ "value": "yes", "privateKey": "…" }`: votes for the value; the key is PKCS#8, DER, in base64. */
  signWith: (argument: unknown) => {
    const { value, privateKey } = isRecord(argument) ? argument : {};
    if (typeof value !== 'string' || typeof privateKey !== 'string') {
      throw new FoundationError(
        'INVALID_OPTION',
        `signWith: expected { value, privateKey }, got ${shown(argument)}`,
      );
    }
    const der = Buffer.from(privateKey, 'base64');
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return (request: CoordinationRequest): unknown => {
      const question = ballotQuestion.parse(request);
      return question.ok ? signedVote(question.value, value, key) : {};
    };
  },
};

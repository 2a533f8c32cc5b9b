import { generateKeyPairSync } from 'node:crypto';

import { protocolLaws, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import { readyReplies } from './quorum-certificate-ready.ts';
import { quorumCertificate } from './quorum-certificate.ts';

const pairs = Array.from({ length: 7 }, () => generateKeyPairSync('ed25519'));
const keyOf = (index: number): string =>
  pairs[index]?.publicKey.export({ format: 'der', type: 'spki' }).toString('base64') ?? '';
const privateKeyOf = (index: number): string =>
  pairs[index]?.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') ?? '';

const sittings = fc
  .array(fc.constantFrom('x', 'x', 'x', 'y'), { minLength: 1, maxLength: 7 })
  .map((values): Sitting => {
    const roster = values.map((_, index) => `voter-${index}`);
    const voters = values.map((value, index) =>
      readyReplies.signWith({ value, privateKey: privateKeyOf(index) }),
    );
    return {
      spec: {
        ballot: 'b',
        keys: Object.fromEntries(roster.map((id, index) => [id, keyOf(index)])),
      },
      roster,
      answer: (request) => ({ body: voters[roster.indexOf(request.to)]?.(request) }),
    };
  });

protocolLaws('a quorum certificate', { protocol: quorumCertificate, sittings, runs: 30 });

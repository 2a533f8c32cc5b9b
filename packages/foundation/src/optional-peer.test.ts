import { expect, it } from 'vitest';

import { optionalPeer } from './optional-peer.ts';

it('loads a package, or says what to install', async () => {
  const peer = { who: 'MdnsDiscovery', name: 'dns-packet' };
  expect(await optionalPeer(peer, async () => 7)).toBe(7);
  const missing = optionalPeer(peer, () => Promise.reject(new Error('Cannot find package')));
  await expect(missing).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: 'MdnsDiscovery needs the package dns-packet, which cannot be loaded',
    hint: 'Run: npm install dns-packet',
    cause: expect.any(Error),
  });
});

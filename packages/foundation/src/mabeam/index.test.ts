import { expect, it } from 'vitest';

it('exports these names, and no others', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'agentRestartDefaults',
    'amountMax',
    'breakTie',
    'builtInProtocols',
    'createCoordination',
    'firstPriceAuction',
    'isAmount',
    'parseAmount',
    'parseReply',
    'parseRequest',
    'parsed',
    'participant',
    'participantsMax',
    'replay',
    'resolveAgentRegistration',
    'strayAnswersMax',
    'unparsed',
    'vickreyAuction',
  ]);
});

import { expect, it } from 'vitest';

it('exports these names, and no others', async () => {
  expect(Object.keys(await import('./index.ts')).toSorted()).toEqual([
    'agentRestartDefaults',
    'amountMax',
    'auditLog',
    'barrier',
    'breakTie',
    'builtInProtocols',
    'canonical',
    'createCoordination',
    'firstPriceAuction',
    'generationsMax',
    'inspectAudit',
    'isAmount',
    'isSaid',
    'noSolver',
    'parseAmount',
    'parseReply',
    'parseRequest',
    'parsed',
    'participant',
    'participantsMax',
    'recordOf',
    'replay',
    'resolveAgentRegistration',
    'sessionsRemembered',
    'strayAnswersMax',
    'unparsed',
    'verify',
    'vickreyAuction',
  ]);
});

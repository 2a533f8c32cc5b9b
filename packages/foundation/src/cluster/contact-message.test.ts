import { describe, expect, it } from 'vitest';

import { contactOf, parseContacts } from './contact-message.ts';

const contact = { node: 'n1', incarnation: 1, address: '10.0.0.1:7400' };

describe('contacts in a message', () => {
  it('are read as they were told', () => {
    expect(parseContacts([contactOf(contact), contact])).toEqual([contact, contact]);
    expect(parseContacts([{ ...contact, address: '' }])).toEqual([{ ...contact, address: '' }]);
  });

  it.each<readonly [what: string, over: object]>([
    ['a name of two lines', { node: 'a\nb' }],
    ['the name of a prototype', { node: '__proto__' }],
    ['a name that is a list', { node: ['n1'] }],
    ['a life that is NaN', { incarnation: Number.NaN }],
    ['a life past all numbers', { incarnation: 2 ** 53 }],
    ['a path for an address', { address: '/etc/passwd' }],
    ['no port', { address: '10.0.0.1' }],
    ['an address of two lines', { address: '10.0.0.1:1\n' }],
  ])('are left out: %s', (_, over) => {
    expect(parseContacts([{ ...contact, ...over }, contact])).toEqual([contact]);
  });

  it.each(['everybody', null, { length: 1 }, [null, 1, []]])('are none in %j', (value) => {
    expect(parseContacts(value)).toEqual([]);
  });

  it('are a thousand at most', () => {
    expect(parseContacts(Array.from({ length: 5_000 }, () => contact))).toHaveLength(1_000);
  });
});

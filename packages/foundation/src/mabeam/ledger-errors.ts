import { FoundationError } from '../errors.ts';
import { type Amount, amountMax } from './amount.ts';
import type { Balance, Reservation } from './ledger-state.ts';

export function overBudget(account: string, wanted: Amount, remaining: Amount): FoundationError {
  return new FoundationError('OVER_BUDGET', `"${account}" has ${remaining} left, not ${wanted}`, {
    hint: 'Ask for less, or deposit more. Nothing was set aside.',
    details: { account, wanted: wanted.toString(), remaining: remaining.toString() },
  });
}

export function beyondReservation(
  held: Reservation,
  wanted: Amount,
  { available }: Balance,
): FoundationError {
  const { key, account, amount } = held;
  return new FoundationError(
    'OVER_BUDGET',
    `"${key}" has set aside ${amount} of "${account}", not ${wanted}`,
    {
      hint: '`raise` it first, as far as the account has something left. Nothing was spent.',
      details: {
        account,
        key,
        wanted: wanted.toString(),
        remaining: (amount + available).toString(),
      },
    },
  );
}

export function unknownAccount(account: string): FoundationError {
  return new FoundationError('UNKNOWN_ACCOUNT', `the ledger has no account "${account}"`, {
    hint: 'The first deposit opens it.',
    details: { account },
  });
}

export function unknownReservation(key: string): FoundationError {
  return new FoundationError('UNKNOWN_RESERVATION', `nothing was reserved under "${key}"`, {
    hint: 'Reserve before you spend. Of those that are over the ledger remembers the last ones only.',
    details: { key },
  });
}

export function closed({ key, status, spent }: Reservation, wanted: string): FoundationError {
  const how = status === 'settled' ? `settled at ${spent}` : status;
  return new FoundationError('RESERVATION_CLOSED', `"${key}" is ${how}: it cannot be ${wanted}`, {
    hint: 'Make another reservation, under another key. Nothing has changed.',
    details: { key, status, spent: spent.toString() },
  });
}

export function keyReused(key: string, before: string): FoundationError {
  return new FoundationError(
    'KEY_REUSED',
    `the key "${key}" stands for something else: ${before}`,
    {
      hint: 'A key names one deposit or reservation; repeat that as it was, or use another key.',
      details: { key },
    },
  );
}

export function tooMuch(account: string): FoundationError {
  return new FoundationError('INVALID_OPTION', `"${account}" cannot have more than ${amountMax}`, {
    hint: 'Nothing was deposited.',
    details: { account, max: amountMax.toString() },
  });
}

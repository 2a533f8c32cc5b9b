import { defineProcess, type Overflow } from '@foundation/core';
import { testNode } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { gate, listen } from '../../test/alone.ts';

// The mailbox of a process that is held, against a list.

const max = 4;
interface Waiting {
  readonly kind: 'call' | 'cast';
  readonly value: number;
}

/** What must become of a message that comes to so many that wait. */
function arrive(
  rule: Overflow,
  waiting: Waiting[],
  message: Waiting,
): 'taken' | 'refused' | 'dropped' {
  if (waiting.length < max) {
    waiting.push(message);
    return 'taken';
  }
  if (message.kind === 'call' || rule === 'reject') return 'refused';
  if (rule === 'drop-newest') return 'dropped';
  const oldest = waiting.findIndex(({ kind }) => kind === 'cast');
  if (oldest < 0) return 'refused';
  waiting.splice(oldest, 1);
  waiting.push(message);
  return 'taken';
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
}

function define(overflow: Overflow, opened: Promise<void>) {
  return defineProcess('held', {
    mailboxMax: max,
    overflow,
    init: () => ({ log: [] as number[] }),
    calls: {
      hold: () => opened,
      note: ({ state }, value: number) => void state.log.push(value),
      log: ({ state }) => state.log,
    },
    casts: { note: ({ state }, value: number) => void state.log.push(value) },
  });
}

describe('a bounded mailbox', () => {
  it('does what a list says, by each rule of overflow, and counts every drop', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Overflow>('reject', 'drop-newest', 'drop-oldest'),
        fc.array(fc.constantFrom('call', 'cast'), { maxLength: 14 }),
        async (rule, kinds) => {
          await using test = await testNode();
          const overflows = listen(test.node, 'overflow');
          const opening = gate();
          const ref = await test.node.processes.start(define(rule, opening.opened));
          const held = ref.hold();
          await test.settled();
          const waiting: Waiting[] = [];
          const sent: Promise<string | boolean>[] = [];
          const expected: (string | boolean)[] = [];
          let over = 0;
          for (const [value, kind] of kinds.entries()) {
            const isFull = waiting.length >= max;
            const fate = arrive(rule, waiting, { kind, value });
            if (isFull) over++;
            sent.push(
              kind === 'cast' ? Promise.resolve(ref.cast.note(value)) : codeOf(ref.note(value)),
            );
            if (kind === 'cast') expected.push(fate !== 'refused');
            else expected.push(fate === 'taken' ? 'done' : 'OVERLOADED');
          }
          opening.open();
          await held;
          expect(await Promise.all(sent)).toEqual(expected);
          await test.settled();
          expect(await ref.log()).toEqual(waiting.map(({ value }) => value));
          expect([overflows.length, test.node.counters().overflow]).toEqual([over, over]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Mailbox, type Queued } from './mailbox.ts';

class Message implements Queued {
  next: Queued | undefined = undefined;
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

interface World {
  readonly mailbox: Mailbox<Message>;
}
interface Model {
  waiting: number[];
}

class Push implements fc.Command<Model, World> {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  check = (): boolean => true;
  run(model: Model, { mailbox }: World): void {
    model.waiting.push(this.value);
    mailbox.push(new Message(this.value));
    expect(mailbox.size).toBe(model.waiting.length);
  }
  toString = (): string => `push ${this.value}`;
}

class Unshift extends Push {
  override run(model: Model, { mailbox }: World): void {
    model.waiting.unshift(this.value);
    mailbox.unshift(new Message(this.value));
    expect(mailbox.size).toBe(model.waiting.length);
  }
  override toString = (): string => `unshift ${this.value}`;
}

class Shift implements fc.Command<Model, World> {
  check = (): boolean => true;
  run(model: Model, { mailbox }: World): void {
    const taken = mailbox.shift();
    expect(taken?.value).toBe(model.waiting.shift());
    expect(taken?.next).toBeUndefined();
    expect(mailbox.size).toBe(model.waiting.length);
  }
  toString = (): string => 'shift';
}

/** Removes the oldest odd one: a mailbox is always asked the same. */
class RemoveOldest implements fc.Command<Model, World> {
  check = (): boolean => true;
  run(model: Model, { mailbox }: World): void {
    const at = model.waiting.findIndex(isOdd);
    const removed = mailbox.removeOldest(({ value }) => isOdd(value));
    expect(removed?.value).toBe(model.waiting[at]);
    expect(removed?.next).toBeUndefined();
    if (at >= 0) model.waiting.splice(at, 1);
    expect(mailbox.size).toBe(model.waiting.length);
  }
  toString = (): string => 'removeOldest';
}

class Prepend implements fc.Command<Model, World> {
  readonly values: readonly number[];
  constructor(values: readonly number[]) {
    this.values = values;
  }
  check = (): boolean => true;
  run(model: Model, { mailbox }: World): void {
    const other = new Mailbox<Message>();
    for (const value of this.values) other.push(new Message(value));
    mailbox.prepend(other);
    model.waiting.unshift(...this.values);
    expect([mailbox.size, other.size, other.shift()]).toEqual([model.waiting.length, 0, undefined]);
    expect(mailbox.first?.value).toBe(model.waiting[0]);
  }
  toString = (): string => `prepend ${String(this.values)}`;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

describe('a mailbox', () => {
  it('behaves like a list, whatever is done to it in whatever order', () => {
    const value = fc.integer({ min: 0, max: 5 });
    const commands = fc.commands([
      value.map((each) => new Push(each)),
      value.map((each) => new Unshift(each)),
      fc.array(value, { maxLength: 4 }).map((each) => new Prepend(each)),
      fc.constant(new RemoveOldest()),
      fc.constant(new Shift()),
    ]);
    fc.assert(
      fc.property(commands, (chosen) => {
        const mailbox = new Mailbox<Message>();
        const model: Model = { waiting: [] };
        fc.modelRun(() => ({ model, real: { mailbox } }), chosen);
        const left = Array.from({ length: mailbox.size }, () => mailbox.shift()?.value);
        expect(left).toEqual(model.waiting);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives nothing when it is empty', () => {
    const mailbox = new Mailbox<Message>();
    expect(mailbox.shift()).toBeUndefined();
    expect(mailbox.removeOldest(() => true)).toBeUndefined();
    expect(mailbox.size).toBe(0);
  });

  it('removes the first of several that match', () => {
    const mailbox = new Mailbox<Message>();
    for (const value of [1, 2, 3, 4]) mailbox.push(new Message(value));
    expect(mailbox.removeOldest(({ value }) => value % 2 === 0)?.value).toBe(2);
    expect([mailbox.shift(), mailbox.shift(), mailbox.shift()].map((each) => each?.value)).toEqual([
      1, 3, 4,
    ]);
  });

  it('does not look twice at what it has passed over', () => {
    const mailbox = new Mailbox<Message>();
    for (let value = 0; value < 1_000; value++) mailbox.push(new Message(2 * value));
    let looks = 0;
    const isOddOne = ({ value }: Message): boolean => {
      looks++;
      return isOdd(value);
    };
    for (let value = 0; value < 1_000; value++) {
      mailbox.push(new Message(2 * value + 1));
      expect(mailbox.removeOldest(isOddOne)?.value).toBe(2 * value + 1);
    }
    expect(looks).toBeLessThan(3_000);
  });
});

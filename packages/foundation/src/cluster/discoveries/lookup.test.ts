import { lookupConformance, type LookupUnderTest } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { settled } from '../../../test/manual-clock.ts';
import { RepeatingClock } from '../../../test/repeating-clock.ts';
import type { Hint } from '../discovery.ts';
import { LookupDiscovery, type LookupOptions } from './lookup.ts';

/** A table that somebody else keeps. */
class Table implements LookupUnderTest {
  atOnceMax = 0;
  #atOnce = 0;
  #answer: (signal: AbortSignal) => Promise<readonly string[]> = async () => [];

  make(): LookupDiscovery {
    return new LookupDiscovery({
      name: 'table',
      lookUp: (signal) => this.#lookUp(signal),
      refreshMs: 100,
      timeoutMs: 300,
    });
  }

  async answer(addresses: readonly string[]): Promise<void> {
    this.#answer = async () => addresses;
  }

  async fail(): Promise<void> {
    this.#answer = () => Promise.reject(new Error('the table is gone'));
  }

  async hang(): Promise<void> {
    this.#answer = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #lookUp(signal: AbortSignal): Promise<readonly Hint[]> {
    this.atOnceMax = Math.max(this.atOnceMax, ++this.#atOnce);
    try {
      const addresses = await this.#answer(signal);
      return addresses.map((address) => ({ address }));
    } finally {
      this.#atOnce--;
    }
  }
}

lookupConformance('LookupDiscovery', async () => new Table());

const self = { node: 'a', incarnation: 1, address: '127.0.0.1:1' };

describe('a look', () => {
  it('comes each `refreshMs`, and is given up after `timeoutMs`', async () => {
    const clock = new RepeatingClock();
    const signals: AbortSignal[] = [];
    const errors: unknown[] = [];
    const lookUp = (signal: AbortSignal): Promise<readonly Hint[]> => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const discovery = new LookupDiscovery({
      name: 'x',
      lookUp,
      refreshMs: 1_000,
      timeoutMs: 2_500,
      clock,
    });
    const started = discovery.start(self, { onPeers() {}, onError: (error) => errors.push(error) });
    await clock.advance(2_499);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(1);
    await started;
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'x: no answer within 2500 ms',
        details: { timeoutMs: 2_500 },
      }),
    ]);
    await clock.advance(500);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await discovery.stop();
    await settled();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(errors).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('whose answer comes too late is not heard', async () => {
    const clock = new RepeatingClock();
    const told: unknown[] = [];
    const late = Promise.withResolvers<readonly Hint[]>();
    const options = { name: 'x', lookUp: () => late.promise, timeoutMs: 100, clock };
    const discovery = new LookupDiscovery(options);
    const started = discovery.start(self, { onPeers: (hints) => told.push(hints), onError() {} });
    await clock.advance(100);
    await started;
    late.resolve([{ address: '10.0.0.1:1' }]);
    await settled();
    expect(told).toEqual([]);
    await discovery.stop();
  });

  it('that is asked for during another begins when that is over, and is one for all who ask', async () => {
    const looks: PromiseWithResolvers<readonly Hint[]>[] = [];
    const told: unknown[] = [];
    const lookUp = (): Promise<readonly Hint[]> => {
      looks.push(Promise.withResolvers());
      return looks.at(-1)?.promise ?? Promise.reject(new Error('no look'));
    };
    const discovery = new LookupDiscovery({ name: 'x', lookUp });
    const started = discovery.start(self, { onPeers: (hints) => told.push(hints), onError() {} });
    const refreshed = Promise.all([discovery.refresh(), discovery.refresh()]);
    await settled();
    expect(looks).toHaveLength(1);
    looks[0]?.resolve([{ address: 'old:1' }]);
    await started;
    await settled();
    expect(looks).toHaveLength(2);
    looks[1]?.resolve([{ address: 'new:1' }]);
    await refreshed;
    expect(told).toEqual([[{ address: 'old:1' }], [{ address: 'new:1' }]]);
    await discovery.stop();
  });

  it('that throws at once is reported like one that fails', async () => {
    const errors: unknown[] = [];
    const lookUp = (): never => {
      throw new Error('no such thing');
    };
    const discovery = new LookupDiscovery({ name: 'x', lookUp });
    await discovery.start(self, { onPeers() {}, onError: (error) => errors.push(error) });
    await discovery.stop();
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'DISCOVERY_FAILED',
        message: 'x: no such thing',
        cause: expect.any(Error),
      }),
    ]);
  });

  it('tells names and lives where it knows them, and each address once', async () => {
    const hint = { address: '10.0.0.1:1', node: 'b', incarnation: 3 };
    const told: unknown[] = [];
    const lookUp = async (): Promise<readonly Hint[]> => [hint, hint];
    const discovery = new LookupDiscovery({ name: 'x', lookUp });
    await discovery.start(self, { onPeers: (hints) => told.push(hints), onError() {} });
    await discovery.stop();
    expect(told).toEqual([[hint]]);
  });
});

describe('a watch', () => {
  interface Watch {
    readonly changed: (hints: readonly Hint[]) => void;
    readonly signal: AbortSignal;
    readonly end: PromiseWithResolvers<void>;
  }

  async function withWatch(
    test: (seen: {
      readonly clock: RepeatingClock;
      readonly watches: readonly Watch[];
      readonly told: readonly string[];
      readonly errors: readonly unknown[];
      readonly looks: () => number;
      readonly discovery: LookupDiscovery;
    }) => Promise<void>,
  ): Promise<void> {
    const clock = new RepeatingClock();
    const [watches, told, errors]: [Watch[], string[], unknown[]] = [[], [], []];
    let looks = 0;
    const discovery = new LookupDiscovery({
      name: 'x',
      lookUp: async () => [{ address: `look-${++looks}:1` }],
      watch(changed, signal) {
        watches.push({ changed, signal, end: Promise.withResolvers() });
        return watches.at(-1)?.end.promise ?? Promise.reject(new Error('no watch'));
      },
      refreshMs: 1_000,
      clock,
    });
    await discovery.start(self, {
      onPeers: (hints) => told.push(hints.map(({ address }) => address).join()),
      onError: (error) => errors.push(error),
    });
    await test({ clock, watches, told, errors, looks: () => looks, discovery });
    await discovery.stop();
    expect(watches.at(-1)?.signal.aborted).toBe(true);
  }

  it('tells changes, and nothing is looked up meanwhile', () =>
    withWatch(async ({ clock, watches, told, looks }) => {
      watches[0]?.changed([{ address: 'b:1' }]);
      watches[0]?.changed([{ address: 'b:1' }]);
      await clock.advance(10_000);
      expect(told).toEqual(['look-1:1', 'b:1']);
      expect(looks()).toBe(1);
    }));

  it('that says that there is nobody changes nothing, and is reported', () =>
    withWatch(async ({ watches, told, errors }) => {
      watches[0]?.changed([]);
      expect(told).toEqual(['look-1:1']);
      expect(errors).toEqual([expect.objectContaining({ code: 'DISCOVERY_FAILED' })]);
    }));

  it('that ends leads to a look at once, and to another watch', () =>
    withWatch(async ({ watches, told, errors }) => {
      watches[0]?.end.resolve();
      await settled();
      expect(told).toEqual(['look-1:1', 'look-2:1']);
      expect(watches).toHaveLength(2);
      expect(errors).toEqual([]);
    }));

  it('that fails is reported, and leads to a look after `refreshMs`', () =>
    withWatch(async ({ clock, watches, told, errors }) => {
      watches[0]?.end.reject(new Error('cut off'));
      await clock.advance(999);
      expect(told).toEqual(['look-1:1']);
      expect(errors).toEqual([expect.objectContaining({ message: 'x: cut off' })]);
      await clock.advance(1);
      expect(told).toEqual(['look-1:1', 'look-2:1']);
      expect(watches).toHaveLength(2);
    }));

  it('is over with the next answer, and is not heard any more', () =>
    withWatch(async ({ watches, told, errors, discovery }) => {
      await discovery.refresh();
      expect(watches.map(({ signal }) => signal.aborted)).toEqual([true, false]);
      watches[0]?.changed([{ address: 'old:1' }]);
      watches[0]?.end.reject(new Error('aborted'));
      await settled();
      expect(told).toEqual(['look-1:1', 'look-2:1']);
      expect(errors).toEqual([]);
    }));

  it('is not heard after the stop', () =>
    withWatch(async ({ watches, told, errors, discovery, looks }) => {
      await discovery.stop();
      watches[0]?.changed([{ address: 'b:1' }]);
      watches[0]?.end.resolve();
      await settled();
      expect(told).toEqual(['look-1:1']);
      expect(errors).toEqual([]);
      expect(looks()).toBe(1);
    }));
});

describe('an option of LookupDiscovery', () => {
  const lookUp = async (): Promise<readonly Hint[]> => [];
  it.each([
    [{ name: 'x' }, '`lookUp` to be a function'],
    [{ name: 'x', lookUp, refreshMs: 0 }, 'x: expected `refreshMs` to be a number above 0, got: 0'],
    [{ name: 'x', lookUp, timeoutMs: Number.NaN }, '`timeoutMs`'],
    [{ name: 'x', lookUp, hintsMax: 0.5 }, '`hintsMax`'],
    [{ name: 'x', lookUp, refreshms: 1 }, 'did you mean `refreshMs`?'],
  ])('is refused with its value: %j', (options, message) => {
    expect(() => new LookupDiscovery(options as LookupOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(message),
      }),
    );
  });
});

import { FoundationError, isFoundationError } from '@foundation/core';
import type {
  Identity,
  Link,
  ProbeChannel,
  ProbeHost,
  ProbeModule,
  Transport,
} from '@foundation/core/internal';
import { describe, expect, it, vi } from 'vitest';

import { SeenNode } from './seen-node.ts';

/** One network. */
export interface TransportUnderTest extends AsyncDisposable {
  /** A transport as one more node of this network has it, not started. */
  join(): Transport;
}

type StartNode = (node: string, over?: Partial<Identity>) => Promise<SeenNode>;
type WithNodes = (test: (start: StartNode) => Promise<void>) => Promise<void>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const framesOf = (told: readonly string[]): readonly string[] =>
  told.filter((line) => /^(?:control|normal|bulk) /.test(line));

/**
 * What every {@link Transport} promises, as vitest tests.
 *
 * @param make - Makes an empty network; disposed of after each test.
 */
export function transportConformance(name: string, make: () => Promise<TransportUnderTest>): void {
  /** Gives a test a way to start nodes; stops them afterwards. */
  async function withNodes(test: (start: StartNode) => Promise<void>): Promise<void> {
    await using network = await make();
    await using started = new AsyncDisposableStack();
    await test(async (node, over = {}) => {
      const seen = new SeenNode(network.join(), {
        cluster: 'test',
        node,
        incarnation: 1,
        meta: { of: node },
        ...over,
      });
      seen.address = await seen.transport.start(seen.self, seen);
      started.defer(() => seen.transport.stop());
      return seen;
    });
  }

  describe(`${name} as a transport`, () => {
    describeLinks(withNodes);
    describeFrames(withNodes);
    describeBounds(withNodes);
    describeEnds(withNodes);
    describeProbes(withNodes);
    describeRefusals(withNodes);
  });
}

async function linked(start: StartNode): Promise<[SeenNode, SeenNode]> {
  const [a, b] = [await start('n1'), await start('n2')];
  await a.transport.dial(b.address);
  await b.toldUntil('link n1');
  return [a, b];
}

function describeLinks(withNodes: WithNodes): void {
  it('tells both sides of a link who and where the other is', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      expect(a.link).toMatchObject({ peer: b.self, peerAddress: b.address });
      expect(b.link).toMatchObject({ peer: a.self, peerAddress: a.address });
      expect(a.told).toStrictEqual(['link n2']);
      expect(b.told).toStrictEqual(['link n1']);
    }));

  it('gives the link that exists to whoever dials again, from either side', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const again = await Promise.all([a.transport.dial(b.address), a.transport.dial(b.address)]);
      expect(again).toStrictEqual([a.link, a.link]);
      expect(await b.transport.dial(a.address)).toBe(b.link);
      expect([...a.told, ...b.told]).toStrictEqual(['link n2', 'link n1']);
    }));

  it('makes one link of dials that cross, and it is the same for both', () =>
    withNodes(async (start) => {
      for (let round = 0; round < 20; round++) {
        const [a, b] = [await start(`a${round}`), await start(`b${round}`)];
        const [ours, theirs] = await Promise.allSettled([
          a.transport.dial(b.address),
          b.transport.dial(a.address),
        ]);
        const outcomes = [outcomeOf(ours), outcomeOf(theirs)];
        expect(outcomes).toContain('linked');
        expect(['linked', 'DUPLICATE_LINK']).toStrictEqual(expect.arrayContaining(outcomes));
        await a.toldUntil(`link b${round}`);
        await b.toldUntil(`link a${round}`);
        a.link.send('normal', bytes('ping'));
        await b.toldUntil(`normal a${round} ping`);
        b.link.send('normal', bytes('pong'));
        await a.toldUntil(`normal b${round} pong`);
        expect(a.told).toStrictEqual([`link b${round}`, `normal b${round} pong`]);
        expect(b.told).toStrictEqual([`link a${round}`, `normal a${round} ping`]);
      }
    }));

  it('replaces a link when its peer has begun anew and dials', () =>
    withNodes(async (start) => {
      const [, b] = await linked(start);
      const reborn = await start('n1', { incarnation: 2 });
      await reborn.transport.dial(b.address);
      reborn.link.send('normal', bytes('hello'));
      expect(await b.toldUntil('normal n1 hello')).toStrictEqual([
        'link n1',
        'down n1 replaced',
        'link n1',
        'normal n1 hello',
      ]);
      expect(b.link.peer.incarnation).toBe(2);
    }));
}

function outcomeOf(dial: PromiseSettledResult<Link>): string {
  if (dial.status === 'fulfilled') return 'linked';
  return isFoundationError(dial.reason) ? dial.reason.code : String(dial.reason);
}

function describeFrames(withNodes: WithNodes): void {
  it('delivers every frame once and in the order of its lane, both ways', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const lanes = ['control', 'normal', 'bulk'] as const;
      const sent = Array.from(
        { length: 3_000 },
        (_, index) => [lanes[index % 3] ?? 'normal', index] as const,
      );
      for (const [lane, index] of sent) {
        expect(a.link.send(lane, bytes(`${index}`))).toBe(true);
        expect(b.link.send(lane, bytes(`${index}`))).toBe(true);
        if (index % 100 === 0) await new Promise(setImmediate);
      }
      for (const [side, peer] of [
        [a, 'n2'],
        [b, 'n1'],
      ] as const) {
        await vi.waitFor(() => expect(framesOf(side.told)).toHaveLength(3_000), 5_000);
        for (const lane of lanes) {
          const expected = sent
            .filter(([of]) => of === lane)
            .map(([, index]) => `${lane} ${peer} ${index}`);
          expect(side.told.filter((line) => line.startsWith(lane))).toStrictEqual(expected);
        }
      }
      expect(a.transport.counters()).toMatchObject({ framesOut: 3_000, framesIn: 3_000 });
      expect(a.transport.counters().bytesIn).toBeGreaterThan(3_000);
    }));

  it('lets control overtake normal, and normal overtake bulk, within a turn', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      for (const lane of ['bulk', 'normal', 'control'] as const) a.link.send(lane, bytes(lane));
      expect(framesOf(await b.toldUntil('bulk n1 bulk'))).toStrictEqual([
        'control n1 control',
        'normal n1 normal',
        'bulk n1 bulk',
      ]);
    }));

  it('keeps the order of what goes to one receiver, large or small, normal or bulk', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const sent = Array.from({ length: 60 }, (_, index) => {
        const isLarge = (index * 7) % 10 < 3;
        return { to: index % 3, bytes: isLarge ? 70_000 + 4_000 * index : 101 + index, isLarge };
      });
      for (const [index, { to, bytes: length, isLarge }] of sent.entries()) {
        expect(a.link.send(isLarge ? 'bulk' : 'normal', new Uint8Array(length), to)).toBe(true);
        if (index % 11 === 10) await new Promise(setImmediate);
      }
      await vi.waitFor(() => expect(framesOf(b.told)).toHaveLength(60), 5_000);
      const arrived = framesOf(b.told).map((line) => Number(line.split(' ')[2]));
      const receiverOf = new Map(sent.map(({ bytes: length, to }) => [length, to]));
      for (const receiver of [0, 1, 2]) {
        const expected = sent.filter(({ to }) => to === receiver).map((each) => each.bytes);
        expect(arrived.filter((length) => receiverOf.get(length) === receiver)).toStrictEqual(
          expected,
        );
      }
    }));

  it('does not mind when the sender uses its bytes again at once', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const reused = new Uint8Array(100);
      const large = new Uint8Array(70_000);
      for (const digit of ['1', '2', '3']) {
        a.link.send('bulk', large.fill(Number(digit)));
        a.link.send('normal', reused.fill(digit.charCodeAt(0)));
      }
      const told = framesOf(await b.toldUntil(`normal n1 ${'3'.repeat(100)}`));
      const small = told.filter((line) => line.startsWith('normal'));
      expect(small).toStrictEqual(['1', '2', '3'].map((digit) => `normal n1 ${digit.repeat(100)}`));
      await vi.waitFor(() => expect(framesOf(b.told)).toHaveLength(6), 5_000);
    }));

  it('carries empty and large frames', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      a.link.send('normal', new Uint8Array(0));
      a.link.send('normal', new Uint8Array(3 * 2 ** 20));
      expect(framesOf(await b.toldUntil(`normal n1 ${3 * 2 ** 20} bytes`))).toHaveLength(2);
    }));
}

function describeBounds(withNodes: WithNodes): void {
  it('takes no more frames than it may hold, keeps room for control, and delivers all it took', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const frame = new Uint8Array(2 ** 20);
      let taken = 0;
      while (taken < 100 && a.link.send('normal', frame)) taken++;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(10);
      expect(a.link.queuedBytes).toBeGreaterThanOrEqual(taken * frame.length);
      expect(a.link.send('control', bytes('urgent'))).toBe(true);
      await vi.waitFor(() => expect(a.link.send('normal', bytes('later'))).toBe(true), 5_000);
      await b.toldUntil('control n1 urgent');
      expect(framesOf(await b.toldUntil('normal n1 later'))).toHaveLength(taken + 2);
    }));

  it('refuses a frame past the limit where it is sent, and the link goes on', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      expect(() => a.link.send('normal', new Uint8Array(16 * 2 ** 20 + 1))).toThrow(
        expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
      );
      a.link.send('normal', bytes('small'));
      await b.toldUntil('normal n1 small');
    }));
}

function describeEnds(withNodes: WithNodes): void {
  it('delivers what was sent before a link was closed, then says goodbye', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      a.link.send('bulk', bytes('last'));
      a.link.close('done');
      expect(a.told).toStrictEqual(['link n2', 'down n2 local']);
      expect(a.link.send('normal', bytes('late'))).toBe(false);
      expect(await b.toldUntil('down n1 closed')).toStrictEqual([
        'link n1',
        'bulk n1 last',
        'down n1 closed',
      ]);
      expect(b.link.send('normal', bytes('late'))).toBe(false);
    }));

  it('delivers more than may be on its way at a time before a link was closed', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      for (const lane of ['bulk', 'normal'] as const)
        a.link.send(lane, new Uint8Array(3 * 2 ** 20));
      a.link.close('done');
      expect(await b.toldUntil('down n1 closed')).toStrictEqual([
        'link n1',
        `normal n1 ${3 * 2 ** 20} bytes`,
        `bulk n1 ${3 * 2 ** 20} bytes`,
        'down n1 closed',
      ]);
    }));

  it('links anew after a link was closed', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      a.link.close('done');
      await b.toldUntil('down n1 closed');
      await b.transport.dial(a.address);
      b.link.send('normal', bytes('again'));
      await a.toldUntil('normal n2 again');
      expect(a.told).toStrictEqual(['link n2', 'down n2 local', 'link n2', 'normal n2 again']);
    }));

  it('counts what comes in', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      const before = b.link.receivedBytes;
      a.link.send('normal', new Uint8Array(100_000));
      await b.toldUntil('normal n1 100000 bytes');
      expect(b.link.receivedBytes - before).toBeGreaterThanOrEqual(100_000);
    }));

  it('flushes what was sent before it stops, and answers nobody afterwards', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      for (let index = 0; index < 1_000; index++) a.link.send('normal', bytes(`${index}`));
      await a.transport.stop();
      const told = await b.toldUntil('down n1 closed');
      expect(framesOf(told)).toHaveLength(1_000);
      expect(told.at(-1)).toBe('down n1 closed');
      await expect(b.transport.dial(a.address)).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
        details: { isRefused: true },
      });
      await expect(a.transport.dial(b.address)).rejects.toMatchObject({ code: 'NODE_STOPPED' });
      await a.transport.stop();
    }));
}

/** The end of a node's probes, and what has come in there. */
async function openProbes({
  transport,
  self,
}: SeenNode): Promise<{ readonly channel: ProbeChannel; readonly heard: string[] }> {
  const heard: string[] = [];
  let sequence = 0;
  const host: ProbeHost = {
    self,
    nextSequence: () => ++sequence,
    onDatagram: ({ node, incarnation }, given) =>
      heard.push(`${node}.${incarnation} ${new TextDecoder().decode(given)}`),
    refused: (code) => heard.push(code),
  };
  const source = transport.probes();
  if (source.kind === 'here') return { channel: await source.open(host), heard };
  const module = (await import(source.module)) as ProbeModule;
  return { channel: await module.openProbes(host, source.settings), heard };
}

function describeProbes(withNodes: WithNodes): void {
  it('carries probes beside its links, and tells whose they are', () =>
    withNodes(async (start) => {
      const [a, b] = [await start('n1'), await start('n2')];
      const [ofA, ofB] = [await openProbes(a), await openProbes(b)];
      const target = { node: 'n2', incarnation: 1, address: b.address };
      await vi.waitFor(() => {
        ofA.channel.send(
          { ...target, probeAddress: ofB.channel.addressFor(a.self) },
          bytes('hello'),
        );
        expect(ofB.heard).toContain('n1.1 hello');
      }, 5_000);
      expect(new Set(ofB.heard)).toEqual(new Set(['n1.1 hello']));
      expect(ofA.heard).toEqual([]);
      await ofA.channel.close();
      await ofB.channel.close();
    }));

  it('loses a probe that nobody receives, and goes on', () =>
    withNodes(async (start) => {
      const a = await start('n1');
      const { channel } = await openProbes(a);
      const nowhere = { node: 'n9', incarnation: 1, address: a.address };
      for (const probeAddress of [channel.addressFor(a.self), '1', 'nonsense', '']) {
        const send = (): void => channel.send({ ...nowhere, probeAddress }, bytes('lost'));
        expect(send).not.toThrow();
      }
      await channel.close();
    }));
}

function describeRefusals(withNodes: WithNodes): void {
  it('refuses a node of another cluster, and both sides know', () =>
    withNodes(async (start) => {
      const [a, b] = [await start('n1'), await start('n2', { cluster: 'other' })];
      await expect(a.transport.dial(b.address)).rejects.toMatchObject({ code: 'WRONG_CLUSTER' });
      await a.refusedWith('WRONG_CLUSTER');
      await b.refusedWith('WRONG_CLUSTER');
      expect([...a.told, ...b.told]).toStrictEqual([]);
    }));

  it.each(['n1', 'n2'])('lets %s refuse a node whose proof is right, and both sides know', (by) =>
    withNodes(async (start) => {
      const [a, b] = [await start('n1'), await start('n2')];
      const refuser = by === 'n1' ? a : b;
      refuser.refuses = new FoundationError('STALE_INCARNATION', 'too old', {
        hint: 'Start anew.',
      });
      const refusal = await a.transport.dial(b.address).catch((error: unknown) => error);
      expect(isFoundationError(refusal) && refusal.code).toBe('STALE_INCARNATION');
      await a.refusedWith('STALE_INCARNATION');
      await b.refusedWith('STALE_INCARNATION');
      expect([...a.told, ...b.told]).toStrictEqual([]);
      refuser.refuses = undefined;
      await a.transport.dial(b.address);
      await b.toldUntil('link n1');
    }),
  );

  it('does not link a node with itself', () =>
    withNodes(async (start) => {
      const a = await start('n1');
      await expect(a.transport.dial(a.address)).rejects.toMatchObject({ code: 'DUPLICATE_LINK' });
      expect(a.told).toStrictEqual([]);
    }));

  it('says so when nobody answers at an address', () =>
    withNodes(async (start) => {
      const [a, b] = await linked(start);
      await expect(a.transport.dial('127.0.0.1:1')).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
      await expect(a.transport.dial('nonsense')).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
      expect(a.transport.counters().refused).toStrictEqual({});
      a.link.send('normal', bytes('still here'));
      await b.toldUntil('normal n1 still here');
    }));
}

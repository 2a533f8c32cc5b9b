import { eventually } from '@foundation/testing';
import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../clock.ts';
import { systemRandom } from '../../random.ts';
import { detectorProfiles } from './detector-options.ts';
import { DetectorThread } from './detector-thread.ts';
import type { Judgement } from './peers-state.ts';
import type { Sighting } from './sightings-state.ts';
import { stalledAfterMs } from './stall-watch.ts';
import type { Life } from './swim-message.ts';
import { encodeSwim } from './swim-packet.ts';

const udpProbes = new URL('../transports/udp-probes.ts', import.meta.url).href;
const crashingProbes = new URL('../../../test/crashing-probes.ts', import.meta.url).href;
const settings = detectorProfiles.fast;

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

/** A node that is nothing but its detector. */
class TestNode {
  /** What others are told of where this one receives probes. */
  readonly addresses = new Map<string, string[]>();
  readonly judgements: Judgement[] = [];
  readonly sightings: Sighting[] = [];
  readonly carried: Uint8Array[] = [];
  readonly problems: string[] = [];
  readonly detector: DetectorThread;
  readonly name: string;

  constructor(name: string, module: string = udpProbes) {
    this.name = name;
    this.detector = new DetectorThread(
      {
        self: { node: name, incarnation: 1 },
        settings,
        clock: systemClock,
        random: systemRandom,
        handlers: {
          onAddress: ({ node }, address) => {
            this.addresses.set(node, [...(this.addresses.get(node) ?? []), address]);
          },
          onJudgement: (judgement) => this.judgements.push(judgement),
          onSighting: (_, sighting) => this.sightings.push(sighting),
          carry: (_, bytes) => this.carried.push(bytes),
          onProblem: (what, error) => this.problems.push(`${what}: ${String(error)}`),
        },
      },
      {
        kind: 'thread',
        module,
        settings: { cluster: 'test', host: '127.0.0.1', port: 0, told: 0 },
      },
    );
    opened.defer(() => this.detector.stop());
  }

  watch({ name }: TestNode): void {
    this.detector.watch({ ...lifeOf(name), address: '127.0.0.1:1' });
  }

  /** Learns where another one receives its probes: what its link would have told. */
  async locate(other: TestNode): Promise<void> {
    const told = (): string | undefined => other.addresses.get(this.name)?.at(-1);
    await eventually(`${other.name} tells its address`, () => told() !== undefined);
    this.detector.locate(lifeOf(other.name), told() ?? '');
  }
}

const lifeOf = (node: string): Life => ({ node, incarnation: 1 });

async function pair(): Promise<[TestNode, TestNode]> {
  const [a, b] = [new TestNode('a'), new TestNode('b')];
  a.watch(b);
  b.watch(a);
  await Promise.all([a.locate(b), b.locate(a)]);
  await eventually('they see each other', () => a.sightings.length > 0 && b.sightings.length > 0);
  return [a, b];
}

describe('a detector in a thread', () => {
  it('sees how long the other takes, and finds it dead when it is no more', async () => {
    const [a, b] = await pair();
    expect(a.sightings.at(-1)).toMatchObject({ isStalled: false, isDetoured: false });
    await b.detector.stop();
    await eventually('it is dead', () => a.judgements.some(({ kind }) => kind === 'dead'));
    expect(a.judgements.slice(-2).map(({ kind, about }) => `${kind} ${about.node}`)).toEqual([
      'suspect b',
      'dead b',
    ]);
    expect(a.problems).toEqual([]);
  });

  it('answers while its program’s event loop stands still, and says that it does', async () => {
    const [a, b] = await pair();
    // Longer than it takes to find a node dead.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stalledAfterMs + 3_000);
    await eventually('it is seen', () =>
      [a, b].every((each) => each.sightings.some(({ isStalled }) => isStalled)),
    );
    await eventually('it is over', () =>
      [a, b].every((each) => each.sightings.at(-1)?.isStalled === false),
    );
    // Where the machine is so busy that a thread comes late, too, it is suspected and refutes that.
    const judged = [...a.judgements, ...b.judgements].map(({ kind }) => kind);
    expect(judged).not.toContain('dead');
  });

  it('asks for what goes over a link, takes it, and counts what is no message', async () => {
    const [a, b] = [new TestNode('a'), new TestNode('b')];
    a.watch(b);
    b.watch(a);
    const from = { node: 'a', incarnation: 1 };
    await eventually('it wants to be carried', () => a.carried.length > 0);
    b.detector.receive(from, a.carried[0] ?? new Uint8Array());
    b.detector.receive(from, new Uint8Array([1, 2, 3]));
    const ping = { kind: 'ping', serial: 77, about: { node: 'b', incarnation: 1 } } as const;
    b.detector.receive(
      from,
      encodeSwim({ ...ping, refutations: 0, isStalled: false, rumours: [] }),
    );
    await eventually('it is counted', () => b.detector.refused()['MALFORMED'] === 1);
    await eventually('it answers', () => b.carried.length > 0);
  });

  it('begins anew when its thread breaks: with whom it watched, at an address that is told', async () => {
    const [a, b] = [new TestNode('a', crashingProbes), new TestNode('b')];
    a.watch(b);
    b.watch(a);
    await a.locate(b);
    await eventually('it breaks', () => a.problems.length > 0);
    // What the broken one has told, if that was heard at all, is worth nothing.
    a.addresses.clear();
    await eventually('it has begun anew', () => a.addresses.get('b')?.length === 1);
    expect(a.problems).toEqual([expect.stringContaining('the thread of the probes crashes')]);
    await b.locate(a);
    await eventually('it sees b', () => a.sightings.length > 0);
  });

  it('goes on trying when there is no such module, and ends when it is told to', async () => {
    const a = new TestNode('a', 'file:///no/such/module.js');
    await eventually('it has tried twice', () => a.problems.length > 1);
    await a.detector.stop();
    await a.detector.stop();
    expect(a.problems[0]).toContain('module.js');
  });
});

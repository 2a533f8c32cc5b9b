import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { Pid, type Node } from '../../packages/foundation/src/index.ts';
import { packetKinds } from '../../packages/foundation/src/messaging/packet.ts';
import { eventually } from '../../packages/testing/src/eventually.ts';
import type { Attempt, Threat } from './attempt.ts';
import { counted, ignored, ledger, sleep, type Scene } from './scene.ts';

/** What is said in the name of others. */
export function forgeries(scene: Scene): readonly Attempt[] {
  const { here, mallory } = scene;
  const threat = 'T3 spoofed identity';
  const mine = here.registry.lookup('ledger') ?? new Pid('', 0, 0);
  const theirs = here.registry.lookup('other ledger') ?? new Pid('', 0, 0);
  const signals: Readonly<Record<string, unknown>> = {
    'an exit of another node’s process': [
      5,
      mine.serial,
      mine,
      { kind: 'exit', from: theirs, exit: { reason: 'killed' } },
    ],
    'an exit of this node’s own process': [
      5,
      mine.serial,
      mine,
      { kind: 'exit', from: mine, exit: { reason: 'killed' } },
    ],
    'a link of another node’s process': [5, mine.serial, mine, { kind: 'link', from: theirs }],
    'a monitor of another node’s process': [
      5,
      mine.serial,
      mine,
      { kind: 'monitor', id: 1, watcher: theirs },
    ],
    'the end of another node’s process': [
      5,
      mine.serial,
      mine,
      { kind: 'down', id: 1, from: theirs, exit: { reason: 'killed' } },
    ],
    'a signal to be passed on to another node': [
      5,
      mine.serial,
      theirs,
      { kind: 'stop', exit: { reason: 'killed' } },
    ],
  };
  const duringCall = async (packet: (id: number) => unknown): Promise<string> => {
    const call = here.ref(ledger, 'other ledger').slowly(300);
    // The numbers of calls are easily guessed.
    await mallory.say(...Array.from({ length: 1_000 }, (_, id) => packet(id)));
    return (await call) === 'the true reply' ? ignored : 'a forged reply was taken';
  };
  return [
    ...Object.entries(signals).map(
      ([name, packet]) =>
        ({
          name: `forges ${name}`,
          threat,
          expected: 'MALFORMED',
          run: () => counted(scene, packet),
        }) as const,
    ),
    {
      name: 'forges the reply to a call that another node has been asked',
      threat,
      expected: ignored,
      run: () => duringCall((id) => [packetKinds.reply, id, 'forged']),
    },
    {
      name: 'forges the failure of a call that another node has been asked',
      threat,
      expected: ignored,
      run: () => duringCall((id) => [packetKinds.fail, id, new Error('forged')]),
    },
  ];
}

const stamp = { wallMs: 1, count: 0 };
const registration = {
  serial: 1,
  process: 'p',
  name: 'n',
  capabilities: ['c'],
  metadata: {},
  registeredAt: stamp,
};

const set = (over: object): object => ({ set: { ...registration, ...over } });

const deltas: Readonly<Record<string, object>> = {
  'of another life': { incarnation: 1 },
  'of version 2^60': { version: 2 ** 60 },
  'of version NaN': { version: Number.NaN },
  'of version -1': { version: -1 },
  'of half a version': { version: 0.5 },
  'with a name that is an object': set({ name: {} }),
  'with a name of two lines': set({ name: 'a\nb' }),
  'with a name of 10,000 letters': set({ name: 'n'.repeat(10_000) }),
  'of a process without a definition': set({ process: '' }),
  'with capabilities that are a text': set({ capabilities: 'all' }),
  'with a thousand groups': set({ groups: Array.from({ length: 1_000 }, (_, at) => `g${at}`) }),
  'with metadata that is a text': set({ metadata: 'x' }),
  'of process NaN': set({ serial: Number.NaN }),
  'of process -1': set({ serial: -1 }),
  'at no time': set({ registeredAt: undefined }),
  'at a time that is NaN': set({ registeredAt: { wallMs: Number.NaN, count: 0 } }),
  'at a time before all others': set({ registeredAt: { wallMs: -1, count: 0 } }),
  'at a time past all numbers': set({ registeredAt: { wallMs: 2 ** 60, count: 0 } }),
  'at a count past all numbers': set({ registeredAt: { wallMs: 1, count: 2 ** 60 } }),
  'that removes a text': { removed: 'ledger' },
  'that removes NaN': { removed: Number.NaN },
  'with a singleton without a listing': { setSingleton: { name: 'n', process: 'p' } },
};

const parts: Readonly<Record<string, object>> = {
  'of 501 entries': { registrations: Array.from({ length: 501 }, () => registration) },
  'that is no list': { registrations: 'all' },
  'of part -1': { part: -1 },
  'of parts without end': { parts: Infinity },
};

export function shares(scene: Scene): readonly Attempt[] {
  const { here, mallory } = scene;
  const threat = 'T15 forged registry';
  const incarnation = mallory.incarnation;
  const say = async (topic: string, body: object): Promise<string> => {
    const known = here.cluster.all().find(({ node }) => node === 'mallory')?.incarnation;
    await incarnation;
    return counted(scene, [
      packetKinds.system,
      0,
      topic,
      { incarnation: known, version: 1, ...body },
    ]);
  };
  const share = { registrations: [], singletons: [], part: 0, parts: 1 };
  return [
    ...Object.entries(deltas).map(
      ([name, delta]) =>
        ({
          name: `a change ${name}`,
          threat,
          expected: 'MALFORMED',
          run: () => say('registry.delta', delta),
        }) as const,
    ),
    ...Object.entries(parts).map(
      ([name, part]) =>
        ({
          name: `a share ${name}`,
          threat,
          expected: 'MALFORMED',
          run: () => say('registry.share', { ...share, ...part }),
        }) as const,
    ),
    {
      name: 'a clock a hundred years ahead',
      threat,
      expected: ignored,
      run: async () => {
        const wallMs = Date.now() + 100 * 365 * 86_400_000;
        const ahead = { ...registration, name: 'ahead', registeredAt: { wallMs, count: 0 } };
        await say('registry.share', { ...share, registrations: [ahead] });
        await eventually('it is known', () => here.registry.lookup('ahead'));
        const ref = await here.processes.start(ledger, { name: 'after' });
        const at = here.registry.all().find(({ name }) => name === 'after')?.registeredAt.wallMs;
        await here.processes.stop(ref);
        await say('registry.share', { ...share, version: 2 });
        return Number(at) < Date.now() + 86_400_000 ? ignored : 'the clock was carried along';
      },
    },
  ];
}

function system(topic: unknown, body: unknown): unknown {
  return [packetKinds.system, 0, topic, body];
}

/** What is said about who is there. */
export function rumours(scene: Scene): readonly Attempt[] {
  const { here, good } = scene;
  const threat: Threat = 'T6 code from the wire';
  const verdict = (node: Node): unknown =>
    system('cluster.verdict', { node: node.name, incarnation: node.incarnation, address: '' });
  const contact = { node: 'n9', incarnation: 1, address: '127.0.0.1:9' };
  const said: Readonly<Record<string, unknown>> = {
    'that a living member is dead': verdict(good),
    'that this node is dead': verdict(here),
    'that somebody is dead in all its lives': system('cluster.verdict', {
      node: 'good',
      incarnation: 2 ** 53,
      address: '',
    }),
    'that somebody is dead in life NaN': system('cluster.verdict', {
      node: 'good',
      incarnation: Number.NaN,
      address: '',
    }),
    'a view that is a text': system('cluster.view', 'everybody'),
    'a view of prototypes': system('cluster.view', [{ ...contact, node: '__proto__' }]),
    'a view with paths': system('cluster.view', [{ ...contact, address: '/etc/passwd' }]),
    'a view with a name of two lines': system('cluster.view', [{ ...contact, node: 'a\nb' }]),
    'a view of 20,000': system(
      'cluster.view',
      Array.from({ length: 20_000 }, () => []),
    ),
    'an unknown topic': system('cluster.kill', null),
    'the topic __proto__': system('__proto__', null),
    'the topic constructor': system('constructor', null),
    'that thread NaN is lost': system('thread.lost', Number.NaN),
    'that a thread of prototypes is lost': system('thread.lost', { constructor: 1 }),
  };
  return [
    ...Object.entries(said).map(
      ([name, packet]) =>
        ({
          name: `says ${name}`,
          threat,
          expected: ignored,
          run: () => counted(scene, packet),
        }) as const,
    ),
    {
      name: 'a view of a thousand addresses, to have them dialled',
      threat: 'T8 exhaustion',
      expected: ignored,
      run: () => dialsOf(scene),
    },
  ];
}

/** How many of a thousand contacts are dialled at a time: all are at a listener that says nothing. */
async function dialsOf({ mallory }: Scene): Promise<string> {
  let open = 0;
  const trap = createServer((socket) => {
    open++;
    socket.on('error', () => {}).resume();
  });
  // Every address of the machine's own network leads to it.
  await once(trap.listen(0, '0.0.0.0'), 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = trap.address() as AddressInfo;
  const view = Array.from({ length: 1_000 }, (_, at) => ({
    node: `trap-${at}`,
    incarnation: 1,
    address: `127.0.0.${1 + (at % 250)}:${port}`,
  }));
  await mallory.say([packetKinds.system, 0, 'cluster.view', view]);
  await sleep(300);
  trap.close();
  return open <= 64 ? ignored : `${open} dials at a time`;
}

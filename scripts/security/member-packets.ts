import { Pid } from '../../packages/foundation/src/index.ts';
import type { Attempt } from './attempt.ts';
import { counted, type Scene } from './scene.ts';

export function packets(scene: Scene): readonly Attempt[] {
  const to = scene.here.registry.lookup('ledger')?.serial ?? 0;
  const pid = new Pid('mallory', 1, 1);
  const said: Readonly<Record<string, unknown>> = {
    'a text': 'packet',
    'an object': { 0: 1, 1: 1 },
    'an empty list': [],
    'kind 0': [0, to],
    'kind 99': [99, to, 1],
    'kind __proto__': ['__proto__', to, 1],
    'a call with arguments that are an object': [1, to, 1, 'add', { 0: 1, length: 1 }, 1_000],
    'a call without end': [1, to, 1, 'add', [1], Infinity],
    'a call with a time that is none': [1, to, 1, 'add', [1], Number.NaN],
    'a call of a number': [1, to, 1, 7, [], 1_000],
    'a call from a text': [1, to, '1', 'add', [1], 1_000],
    'a call to a text': [1, String(to), 1, 'add', [1], 1_000],
    'a call with a context that is none': [1, to, 1, 'add', [1], 1_000, ['id', 'values', null, 1]],
    'a call whose request has line ends': [
      1,
      to,
      1,
      'add',
      [1],
      1_000,
      ['a\nb', undefined, undefined, 1],
    ],
    'a call with a context of 1 MiB': [
      1,
      to,
      1,
      'add',
      [1],
      1_000,
      ['id', new Uint8Array(2 ** 20), undefined, 1],
    ],
    'a call for which a thousand wait': [
      1,
      to,
      1,
      'add',
      [1],
      1_000,
      undefined,
      Array.from({ length: 1_000 }, () => ({ pid, turn: 1, who: 'x' })),
    ],
    'a cast with arguments that are a text': [2, to, 'add', '1'],
    'a signal to nobody': [5, to, null, { kind: 'exit', from: pid, exit: { reason: 'killed' } }],
    'a signal of an unknown kind': [5, to, pid, { kind: 'eval', code: 'process.exit()' }],
    'an exit for an unknown reason': [
      5,
      to,
      pid,
      { kind: 'exit', from: pid, exit: { reason: 'evil' } },
    ],
    'a topic that is none': [6, 0, 7, null],
    'a reply with too much': [3, 1, 2, 3],
    'an answer without a value': [8, to, 1],
  };
  return Object.entries(said).map(([name, packet]) => ({
    name: `a packet: ${name}`,
    threat: 'T7 malformed bytes',
    expected: 'MALFORMED',
    run: () => counted(scene, packet),
  }));
}

const methods = [
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  'toJSON',
  'init',
  'terminate',
  '',
  'Add',
  '../add',
  'add\u0000',
  'node:child_process',
  'process.exit',
];

const onNode = ['constructor', '__proto__', 'eval', 'require', 'import', 'exit', 'spawn', 'start'];

/** Names of methods and of processes that lead nowhere. */
export function calls({ here, mallory }: Scene): readonly Attempt[] {
  const threat = 'T6 code from the wire';
  const to = here.registry.lookup('ledger')?.serial ?? 0;
  const system = 1;
  const nowhere: Readonly<Record<string, number>> = {
    'an unknown process': to + 1_000,
    'an unknown thread': 2 ** 36 * 5 + 1,
    'process 0': 0,
    'process -1': -1,
    'process 1.5': 1.5,
    'no number': Number.NaN,
    'the largest of numbers': Number.MAX_VALUE,
  };
  return [
    ...methods.map(
      (method) =>
        ({
          name: `a call of ${JSON.stringify(method)}`,
          threat,
          expected: 'INVALID_MESSAGE',
          run: () => mallory.call(to, method),
        }) as const,
    ),
    ...onNode.map(
      (method) =>
        ({
          name: `a call of ${JSON.stringify(method)} on the node itself`,
          threat,
          expected: 'INVALID_MESSAGE',
          run: () => mallory.call(system, method, 'node:child_process'),
        }) as const,
    ),
    ...Object.entries(nowhere).map(
      ([name, serial]) =>
        ({
          name: `a call to ${name}`,
          threat,
          expected: 'NO_PROCESS',
          run: () => mallory.call(serial, 'add', 1),
        }) as const,
    ),
  ];
}

/** What is asked of the node itself. */
export function requests({ here, mallory }: Scene): readonly Attempt[] {
  const system = 1;
  const listing = { capabilities: [], metadata: {} };
  const self = new Pid('here', here.incarnation, system);
  const record = (process: string) => ({ name: 'x', process, init: undefined, listing });
  const unknown = [
    'constructor',
    '__proto__',
    'node:child_process',
    'file:///etc/passwd',
    'foundation.node',
  ];
  const asked: Readonly<Record<string, readonly [method: string, ...args: readonly unknown[]]>> = {
    'start a script': ['startSingleton', record('data:text/javascript,process.exit()')],
    'start a path': ['startSingleton', record('../x')],
    'start nothing': ['startSingleton'],
    'start a list': ['startSingleton', []],
    'start a process without a name': ['startSingleton', { ...record('ledger'), name: '' }],
    'start a process with a name of two lines': [
      'startSingleton',
      { ...record('ledger'), name: 'a\nb' },
    ],
    'start a process with a name of 10,000 letters': [
      'startSingleton',
      { ...record('ledger'), name: 'x'.repeat(10_000) },
    ],
    'start a process without a listing': [
      'startSingleton',
      { ...record('ledger'), listing: undefined },
    ],
    'start a process with capabilities that are none': [
      'startSingleton',
      { ...record('ledger'), listing: { capabilities: [1] } },
    ],
    'stop a text': ['stopProcess', 'ledger', 'killed'],
    'stop a process for an unknown reason': ['stopProcess', new Pid('here', 1, 2), 'evil'],
    'share the statistics of a text': ['sharedStatistics', '__proto__'],
    'save under a number': ['saveSnapshot', 1, 0, new Uint8Array(1)],
    'save a negative version': ['saveSnapshot', 'x', -1, new Uint8Array(1)],
    'save half a version': ['saveSnapshot', 'x', 0.5, new Uint8Array(1)],
    'save a version past all numbers': ['saveSnapshot', 'x', 2 ** 60, new Uint8Array(1)],
    'save a text': ['saveSnapshot', 'x', 0, 'state'],
    'load under an object': ['loadSnapshot', {}],
    'introspect a text': ['introspect', '__proto__', { kind: 'state' }],
    'introspect with a question that is none': ['introspect', self, null],
    'introspect with an unknown question': ['introspect', self, { kind: 'eval' }],
    'trace to nobody': ['introspect', self, { kind: 'trace', to: 'me' }],
  };
  return [
    ...unknown.map(
      (process) =>
        ({
          name: `asks to start ${JSON.stringify(process)}`,
          threat: 'T6 code from the wire',
          expected: 'UNKNOWN_DEFINITION',
          run: () => mallory.call(system, 'startSingleton', record(process)),
        }) as const,
    ),
    ...Object.entries(asked).map(
      ([name, [method, ...args]]) =>
        ({
          name: `asks to ${name}`,
          threat: 'T6 code from the wire',
          expected: 'INVALID_MESSAGE',
          run: () => mallory.call(system, method, ...args),
        }) as const,
    ),
  ];
}

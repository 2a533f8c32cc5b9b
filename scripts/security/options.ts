import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { goalIssues, parseGoal } from '../../packages/agents/src/index.ts';
import { locateHome } from '../../packages/foundation/src/cluster/home.ts';
import { parseSecrets } from '../../packages/foundation/src/cluster/secret.ts';
import { readConfigFile } from '../../packages/foundation/src/config/config-file.ts';
import {
  defineProcess,
  defineSupervisor,
  startNode,
  type Node,
} from '../../packages/foundation/src/index.ts';
import {
  MemoryStore,
  MeshTransport,
  StaticDiscovery,
} from '../../packages/foundation/src/internal.ts';
import { nodeSettings } from '../../packages/foundation/src/node-options.ts';
import { integer, variables } from '../../packages/ml/src/index.ts';
import type { Area, Attempt } from './attempt.ts';

/** What goes through, and does nothing. */
const harmless = 'HARMLESS';

/** Objects as JSON makes them, that change prototypes where they are copied without care. */
const poisons: readonly (readonly [name: string, json: string])[] = [
  ['__proto__', '{"__proto__":{"polluted":true}}'],
  ['constructor.prototype', '{"constructor":{"prototype":{"polluted":true}}}'],
];

const echo = defineProcess('echo', {
  init: () => ({}),
  calls: { echo: (_, value: unknown) => value },
});

/** A function that is public, and where in its arguments the poison goes. */
interface Entry {
  readonly what: string;
  /** The code; or by poison, where it is not the same. */
  readonly expected: string | Readonly<Record<string, string>>;
  /** Past the types, as somebody without them. */
  readonly take: (poison: unknown) => unknown;
}

/** Options and surroundings that somebody else has written. */
export async function options(): Promise<Area> {
  const folder = mkdtempSync(join(tmpdir(), 'foundation-options-'));
  const node = await startNode({ cluster: 'off', config: false });
  const ref = await node.processes.start(echo);
  const entries = [...ofNodes(), ...ofRunning(node), ...ofOthers(folder)];
  return {
    attempts: [...entries.flatMap(poisoned), ...names(node), ...environments()],
    damage: async () => ((await ref.echo('well')) === 'well' ? undefined : 'the process is ill'),
    [Symbol.asyncDispose]: async () => {
      await node.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function poisoned({ what, expected, take }: Entry): readonly Attempt[] {
  return poisons.map(([name, json]) => ({
    name: `${name} in ${what}`,
    threat: 'T23 prototype pollution',
    expected: typeof expected === 'string' ? expected : (expected[name] ?? ''),
    run: async () => {
      await take(JSON.parse(json));
      return harmless;
    },
  }));
}

const invalid = 'INVALID_OPTION';
/** A key that changes prototypes is no data; one that is only called like a function is. */
const sent = { ['__proto__']: 'NOT_SERIALIZABLE', 'constructor.prototype': harmless };

function startWith(given: object): unknown {
  return Reflect.apply(startNode, undefined, [{ cluster: 'off', config: false, ...given }]);
}

function ofNodes(): readonly Entry[] {
  return [
    {
      what: 'the options of startNode',
      expected: invalid,
      take: (poison) => Reflect.apply(startNode, undefined, [poison]),
    },
    ...['cluster', 'store', 'listen', 'certificates', 'detector', 'processes', 'name'].map(
      (option): Entry => ({
        what: `the option ${option}`,
        expected: invalid,
        take: (poison) => startWith({ [option]: poison }),
      }),
    ),
    {
      what: 'a mesh',
      expected: invalid,
      take: (poison) => Reflect.construct(MeshTransport, [poison]),
    },
    {
      what: 'the certificates of a mesh',
      expected: 'CERTIFICATE_INVALID',
      take: async (poison) => {
        const mesh: MeshTransport = Reflect.construct(MeshTransport, [{ certificates: poison }]);
        const self = { cluster: 'test', node: 'n1', incarnation: 1, meta: {} };
        await Reflect.apply(mesh.start.bind(mesh), undefined, [self, {}]);
      },
    },
    {
      what: 'a list of addresses',
      expected: invalid,
      take: (poison) => Reflect.construct(StaticDiscovery, [{ addresses: poison }]),
    },
  ];
}

function ofRunning(node: Node): readonly Entry[] {
  const start = (given: unknown): unknown =>
    Reflect.apply(node.processes.start.bind(node.processes), undefined, [echo, given]);
  const call = async (value: unknown): Promise<unknown> => {
    const ref = await node.processes.start(echo);
    return ref.echo(value);
  };
  return [
    { what: 'the options of a process', expected: invalid, take: start },
    ...['capabilities', 'restart', 'strategy', 'name'].map((option): Entry => ({
      what: `a process’s option ${option}`,
      expected: invalid,
      take: (poison) => start({ [option]: poison }),
    })),
    {
      what: 'the options of a call',
      expected: invalid,
      take: (poison) => {
        const ref = node.ref(echo, 'x');
        return Reflect.apply(ref.with.bind(ref), undefined, [poison]);
      },
    },
    {
      what: 'the options of a stop',
      expected: invalid,
      take: async (poison) => {
        const ref = await node.processes.start(echo);
        await Reflect.apply(node.processes.stop.bind(node.processes), undefined, [ref, poison]);
      },
    },
    {
      what: 'the options of a context',
      expected: invalid,
      take: (poison) =>
        Reflect.apply(node.context.run.bind(node.context), undefined, [poison, () => {}]),
    },
    {
      what: 'what is listened to',
      expected: invalid,
      take: (poison) =>
        Reflect.apply(node.events.on.bind(node.events), undefined, [poison, () => {}]),
    },
    { what: 'an argument', expected: sent, take: call },
  ];
}

function ofOthers(folder: string): readonly Entry[] {
  const space = variables({ x: integer(0, 3) });
  return [
    {
      what: 'the definition of a process',
      expected: 'INVALID_DEFINITION',
      take: (poison) => Reflect.apply(defineProcess, undefined, ['poisoned', poison]),
    },
    {
      what: 'the definition of a supervisor',
      expected: invalid,
      take: (poison) => Reflect.apply(defineSupervisor, undefined, ['poisoned', poison]),
    },
    {
      what: 'a goal',
      expected: 'AGENTS_INVALID_GOAL',
      take: (poison) => parseGoal(poison),
    },
    {
      what: 'the step of a goal',
      expected: 'AGENTS_INVALID_GOAL',
      take: (poison) => parseGoal({ id: 'g', steps: [poison] }),
    },
    {
      what: 'what is said of a goal',
      expected: harmless,
      take: (poison) => goalIssues(poison),
    },
    {
      what: 'a configuration',
      expected: 'ML_INVALID_CONFIGURATION',
      take: (poison) => space.parse(poison),
    },
    {
      what: 'a file of settings',
      expected: invalid,
      take: async (poison) => {
        const path = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
        writeFileSync(path, `export default JSON.parse(${JSON.stringify(JSON.stringify(poison))})`);
        await readConfigFile(path);
        await nodeSettings({ config: path }, { environment: {}, cwd: folder });
      },
    },
  ];
}

function isNothing(value: unknown): string {
  const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
  return isEmpty ? harmless : 'something was found';
}

/** Names that mean something to objects, as keys. */
function names(node: Node): readonly Attempt[] {
  const store = new MemoryStore();
  const odd = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  return odd.flatMap((name): readonly Attempt[] => {
    const threat = 'T23 prototype pollution';
    const expected = harmless;
    return [
      {
        name: `looking up ${name}`,
        threat,
        expected,
        run: () => isNothing(node.registry.lookup(name)),
      },
      {
        name: `the capability ${name}`,
        threat,
        expected,
        run: () => isNothing(node.registry.withCapability(name)),
      },
      {
        name: `the key ${name}`,
        threat,
        expected,
        run: async () => isNothing(await store.get(name)),
      },
      {
        name: `a process named ${name}`,
        threat,
        expected,
        run: async () => {
          const ref = await node.processes.start(echo, { name });
          const isItself = (await node.ref(echo, name).echo(name)) === name;
          await node.processes.stop(ref);
          return isItself ? isNothing(node.registry.lookup(name)) : 'another process';
        },
      },
    ];
  });
}

/** What the environment may say. */
function environments(): readonly Attempt[] {
  const threat = 'T23 prototype pollution';
  const set: Readonly<Record<string, string>> = {
    FOUNDATION_PROFILE: '__proto__',
    FOUNDATION_CLUSTER: 'constructor',
    FOUNDATION_STORE: '../sqlite',
    FOUNDATION_ROLE: 'admin',
    FOUNDATION_LISTEN_PORT: '70000',
    FOUNDATION_CLUSTER_PORT: '0x50',
    FOUNDATION_LAG_MAX_MS: '-1',
    FOUNDATION_STORE_REPLICAS: '1e9',
    FOUNDATION_SPLIT_POLICY: 'always',
  };
  const clusters = ['../../etc', 'a/b', 'A', '__proto__', 'a\nb', 'x'.repeat(65), '.', ''];
  const secrets: Readonly<Record<string, string>> = {
    'a password': 'hunter2',
    'a short one': 'AAAA',
    'one with quotes': `"${'A'.repeat(43)}"`,
    'one of base64': `${'+/'.repeat(20)}==`,
    'nine of them': Array.from({ length: 9 }, () => 'A'.repeat(43)).join(),
    nothing: ' ',
  };
  return [
    ...Object.entries(set).map(
      ([name, value]) =>
        ({
          name: `${name}=${value}`,
          threat,
          expected: invalid,
          run: () => nodeSettings({ config: false }, { environment: { [name]: value }, cwd: '/' }),
        }) as const,
    ),
    {
      name: 'FOUNDATION_NAME=../n1',
      threat,
      expected: 'INVALID_NODE_NAME',
      run: () =>
        nodeSettings({ config: false }, { environment: { FOUNDATION_NAME: '../n1' }, cwd: '/' }),
    },
    ...clusters.map(
      (cluster) =>
        ({
          name: `the cluster ${JSON.stringify(cluster)}`,
          threat,
          expected: invalid,
          run: () => locateHome({ cluster, env: {}, cwd: '/' }),
        }) as const,
    ),
    ...Object.entries(secrets).map(
      ([name, text]) =>
        ({
          name: `a secret: ${name}`,
          threat: 'T2 guessed or stolen secret',
          expected: 'SECRET_INVALID',
          run: () => parseSecrets(text, 'FOUNDATION_SECRET'),
        }) as const,
    ),
  ];
}

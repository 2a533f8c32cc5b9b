/**
 * The BEAM: Elixir programs in `beam.exs`, with a port mapper (epmd) of their own on a free port.
 *
 * @packageDocumentation
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { startLineProcess, type LineProcess } from '../line-process.ts';
import { parseRound } from '../round.ts';
import { clusterSessions } from './cluster.ts';
import { inBothSuites } from './local.ts';
import { canConnect, freePort } from './port.ts';
import { serveSubject, type Session, type Sessions } from './subject.ts';

/** Debian's command; a peer, not a dependency. */
const elixir = 'elixir';
const program = fileURLToPath(new URL('beam.exs', import.meta.url));
const distribution = '-kernel inet_dist_use_interface {127,0,0,1} -setcookie bench';
/** Twice as many processes as a crowd has. */
const crowdFlags = '+P 2000000';
const readyMs = 30_000;
/** How long a round may take beyond its seconds, in milliseconds. */
const graceMs = 110_000;

const remoteMeasures = [
  'remote-call-1',
  'remote-call-64',
  'remote-oneway-100b',
  'control-p99-under-bulk',
];

const measure = process.argv[2] ?? '';
const alone: Sessions = {
  ...inBothSuites(sessionsOf(['call-1', 'call-100', 'cast'], openLocal)),
  ...sessionsOf(['spawn-stop', 'idle-bytes', 'restart-us'], openLocal),
};
const portMapper = measure in alone ? undefined : await startPortMapper();
const sessions: Sessions = {
  ...alone,
  ...sessionsOf(remoteMeasures, openRemote),
  ...clusterSessions((cluster, index, count) => {
    const names = Array.from({ length: count }, (_, member) => `${cluster}-${member}@localhost`);
    const others = names.filter((_, member) => member !== index);
    return { command: elixir, args: elixirArgs('member', names[index] ?? '', ...others) };
  }),
};
await serveSubject(version(), sessions, portMapper);

/** Listens on a free port for the nodes of this bench alone; ends with this process, by its stdin. */
async function startPortMapper(): Promise<AsyncDisposable> {
  const port = await freePort();
  process.env['ERL_EPMD_PORT'] = String(port);
  process.env['ERL_EPMD_ADDRESS'] = '127.0.0.1';
  const untilStdinEnds = 'epmd & mapper=$!; cat >/dev/null; kill "$mapper"; wait';
  const mapper = startLineProcess('sh', ['-c', untilStdinEnds]);
  while (!(await canConnect(port))) await sleep(10);
  return mapper;
}

function sessionsOf(
  measures: readonly string[],
  open: (measure: string) => Promise<readonly LineProcess[]>,
): Sessions {
  return Object.fromEntries(measures.map((name) => [name, () => sessionOf(name, open)]));
}

/** Passes the runner's requests on to the first of the processes. */
async function sessionOf(
  name: string,
  open: (measure: string) => Promise<readonly LineProcess[]>,
): Promise<Session> {
  const [client, ...others] = await open(name);
  if (client === undefined) throw new Error('no process was opened');
  return {
    async round(seconds) {
      client.send({ measure: name, seconds });
      return parseRound(await client.next(seconds * 1_000 + graceMs));
    },
    async close() {
      for (const child of [client, ...others]) await child[Symbol.asyncDispose]();
    },
  };
}

async function openLocal(name: string): Promise<readonly LineProcess[]> {
  return [await startElixir(name)];
}

async function openRemote(name: string): Promise<readonly LineProcess[]> {
  const server = await startElixir('server', 'server@localhost');
  return [await startElixir(name, 'client@localhost', 'server@localhost'), server];
}

async function startElixir(...args: readonly string[]): Promise<LineProcess> {
  const child = startLineProcess(elixir, elixirArgs(...args));
  await child.next(readyMs);
  return child;
}

function elixirArgs(...args: readonly string[]): readonly string[] {
  const flags = measure === 'idle-bytes' ? [crowdFlags] : [distribution];
  return ['--erl', ...flags, program, ...args];
}

function version(): string {
  const { stdout } = spawnSync(elixir, ['--version'], { encoding: 'utf8' });
  const [, otp] = /Erlang\/OTP (\d+)/u.exec(stdout) ?? [];
  const [, language] = /Elixir (\S+)/u.exec(stdout) ?? [];
  return `OTP ${otp ?? '?'}, Elixir ${language ?? '?'}`;
}

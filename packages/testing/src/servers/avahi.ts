import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { debianProgram } from './debian.ts';
import { startServer } from './server.ts';

/** Where avahi runs. */
export interface AvahiOptions {
  /** Name of the one interface that it uses. */
  readonly interface: string;
  /** A command, with its arguments, that becomes it; that of a host of a lab. @defaultValue none */
  readonly through?: readonly string[];
}

/** The Bonjour of Debian: a daemon with a message bus of its own, apart from the system's. */
export interface Avahi extends AsyncDisposable {
  /** What `avahi-browse` finds and resolves now, a line each with fields that `;` separates. */
  browse(type: string): Promise<readonly string[]>;
}

const programs = [
  { package: 'dbus-daemon', path: 'usr/bin/dbus-daemon', how: 'install' },
  { package: 'avahi-daemon', path: 'usr/sbin/avahi-daemon', how: 'install' },
  { package: 'avahi-utils', path: 'usr/bin/avahi-browse', how: 'install' },
] as const;

const busConfiguration = (socket: string): string => `<!DOCTYPE busconfig PUBLIC
  "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>`;

const configuration = (name: string): string => `[server]
use-ipv6=no
allow-interfaces=${name}
[publish]
disable-publishing=yes
`;

const ownRun = 'mount -t tmpfs run /run && mkdir /run/avahi-daemon && exec "$@"';
/** Its file of the process id has a fixed place, and its own one must not meet the system's. */
const throughOwnRun = ['unshare', '--mount', 'sh', '-c', ownRun, 'sh'];

const browseMs = 5_000;
const runFile = promisify(execFile);

/** Starts avahi. Needs root. */
export async function startAvahi(options: AvahiOptions): Promise<Avahi> {
  const [bus = '', daemon = '', browser = ''] = await Promise.all(programs.map(debianProgram));
  const { through = [] } = options;
  await using opened = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'foundation-avahi-'));
  opened.defer(() => rmSync(directory, { recursive: true }));
  const [busFile, file] = [join(directory, 'bus.conf'), join(directory, 'avahi.conf')];
  const socket = join(directory, 'bus.socket');
  writeFileSync(busFile, busConfiguration(socket));
  writeFileSync(file, configuration(options.interface));
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` };
  const browse = async (type: string): Promise<readonly string[]> => {
    const words = [...through, browser, '--parsable', '--resolve', '--terminate', type];
    const { stdout } = await runFile(words[0] ?? '', words.slice(1), { env, timeout: browseMs });
    return stdout.split('\n').filter((line) => line !== '');
  };
  opened.use(
    await startServer({
      command: bus,
      args: [`--config-file=${busFile}`, '--nofork', '--nopidfile'],
      isReady: async () => (await runFile('test', ['-S', socket])).stderr === '',
    }),
  );
  opened.use(
    await startServer({
      command: daemon,
      args: ['--no-drop-root', '--no-rlimits', '--no-chroot', '--file', file],
      env,
      through: [...through, ...throughOwnRun],
      isReady: async () => (await browse('_foundation._tcp')).length >= 0,
    }),
  );
  const running = opened.move();
  return { browse, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

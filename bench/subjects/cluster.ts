import { createInterface } from 'node:readline';

import { numberOf, startLineProcess, type LineProcess, type Message } from '../line-process.ts';
import type { Round } from '../round.ts';
import { say, type Session, type Sessions } from './subject.ts';

/** How long a cluster may take to form or to notice, in milliseconds. */
const patienceMs = 30_000;
/** How long a formed cluster rests before a member is killed, in milliseconds. */
const restMs = 500;

/**
 * How to start the program of the `index`th of `count` members; the same cluster name is given to the
 * members of one round.
 */
export type MemberCommand = (
  cluster: string,
  index: number,
  count: number,
) => { readonly command: string; readonly args: readonly string[] };

/**
 * The cluster measures, from a way to start a member. Each round has new OS processes.
 *
 * A member says `{"loaded":true}`, waits for a line, starts its node, says `{"startedAtUs":…}` with the
 * moment at which it began to, then `{"members":…,"atUs":…}` whenever the number of nodes it sees
 * changes, itself included. Moments are in µs of the machine's monotonic clock.
 */
export function clusterSessions(command: MemberCommand): Sessions {
  const session = (count: number, measure: ClusterMeasure) => async () =>
    Promise.resolve<Session>({
      round: () => clusterRound(command, count, measure),
      close: async () => {},
    });
  return {
    'cluster-form-3': session(3, formMs),
    'kill-seen': session(3, killSeenMs),
    'form-3': session(3, formMs),
    'form-10': session(10, formMs),
  };
}

type ClusterMeasure = (members: readonly Member[]) => Promise<number>;

async function clusterRound(
  command: MemberCommand,
  count: number,
  measure: ClusterMeasure,
): Promise<Round> {
  const cluster = `bench-${process.pid}-${Math.trunc(nowUs())}`;
  await using stack = new AsyncDisposableStack();
  const members = Array.from({ length: count }, (_, index) => {
    const { command: program, args } = command(cluster, index, count);
    return new Member(stack.use(startLineProcess(program, args)));
  });
  await Promise.all(members.map((member) => member.loaded()));
  const value = await measure(members);
  for (const member of members) member.kill(); // nothing of a round may live on
  return { value, ops: 1, cpuUsPerOp: null };
}

async function formMs(members: readonly Member[]): Promise<number> {
  const started = await Promise.all(members.map((member) => member.start()));
  const agreed = await Promise.all(members.map((member) => member.sees(members.length)));
  return (Math.max(...agreed) - Math.max(...started)) / 1_000;
}

async function killSeenMs(members: readonly Member[]): Promise<number> {
  await formMs(members);
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const [victim, ...survivors] = members;
  const killedAtUs = nowUs();
  victim?.kill();
  const seen = await Promise.all(survivors.map((member) => member.sees(survivors.length)));
  return (Math.max(...seen) - killedAtUs) / 1_000;
}

/** A member's process as the measures see it. */
class Member {
  readonly #child: LineProcess;

  constructor(child: LineProcess) {
    this.#child = child;
  }

  async loaded(): Promise<void> {
    await this.#until((message) => message['loaded'] === true);
  }

  /** Starts the node; the moment at which it began to. */
  async start(): Promise<number> {
    this.#child.send({ start: true });
    return numberOf(await this.#until((message) => 'startedAtUs' in message), 'startedAtUs');
  }

  /** The moment at which this member saw so many nodes. */
  async sees(count: number): Promise<number> {
    return numberOf(await this.#until((message) => message['members'] === count), 'atUs');
  }

  kill(): void {
    this.#child.kill();
  }

  async #until(isIt: (message: Message) => boolean): Promise<Message> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const message = await this.#child.next(Math.max(1, end - performance.now()));
      if (isIt(message)) return message;
    }
  }
}

/**
 * In a member of a TypeScript subject: speaks the protocol above and ends with its parent.
 *
 * @param start - Starts the node and calls `onMembers` with the number of nodes it sees, on each change.
 */
export async function serveMember(
  start: (onMembers: (count: number) => void) => Promise<unknown>,
): Promise<void> {
  const input = createInterface({ input: process.stdin });
  input.on('close', () => process.exit(0));
  const go = new Promise((resolve) => {
    input.once('line', resolve);
  });
  say({ loaded: true });
  await go;
  say({ startedAtUs: nowUs() });
  await start((count) => say({ members: count, atUs: nowUs() }));
}

/** µs of the machine's monotonic clock, which all processes share. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

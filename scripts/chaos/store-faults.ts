import { readFileSync } from 'node:fs';

import type { Random } from '@foundation/core';
import type { Lab, PathConditions, PathTraffic } from '@foundation/testing/lab';

import type { Fault } from './nemesis.ts';
import type { StoreClients } from './store-clients.ts';

/** Makes the next fault of one kind. */
export type FaultMaker = () => Fault;

/** A server of a store that can be made to fail. */
export interface StoreServer {
  /** Of the server that runs, or ran last. */
  readonly osPid: number;
  kill(): Promise<void>;
  /** Starts it again, with the data it had. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Faults of those who use a store. */
export function clientFaults(clients: StoreClients, random: Random): readonly FaultMaker[] {
  return [
    () => {
      const { client, name } = clients.at(random.int(clients.count));
      return {
        kind: 'SIGSTOP of a client',
        silences: name,
        begin: async () => client.freeze(),
        end: async () => client.thaw(),
      };
    },
    () => {
      const index = random.int(clients.count);
      const { client, name } = clients.at(index);
      return {
        kind: 'SIGKILL of a client',
        silences: name,
        begin: () => client.kill(),
        end: () => clients.startOne(index),
      };
    },
  ];
}

/** Faults of the servers of a store. */
export function serverFaults(
  servers: readonly StoreServer[],
  random: Random,
): readonly FaultMaker[] {
  const victim = (): StoreServer => servers[random.int(servers.length)] as StoreServer;
  return [
    () => {
      const server = victim();
      const strike = { begin: async () => server.freeze(), end: async () => server.thaw() };
      return signalled('SIGSTOP of a server', strike, server.osPid);
    },
    () => {
      const server = victim();
      const strike = { begin: () => server.kill(), end: () => server.restart() };
      return signalled('SIGKILL of a server', strike, server.osPid);
    },
  ];
}

/**
 * A fault of a server that has struck when it is not at work: clients need not feel it, as they may all be with
 * another one.
 */
function signalled(kind: string, strike: Pick<Fault, 'begin' | 'end'>, osPid: number): Fault {
  return { kind, ...strike, hits: async () => Number(!isAtWork(osPid)) };
}

/** Whether a process of the operating system is there, and not stopped. */
function isAtWork(osPid: number): boolean {
  try {
    const [, state] = /\) (\w) /.exec(readFileSync(`/proc/${osPid}/stat`, 'utf8')) ?? [];
    return state !== undefined && !'TZX'.includes(state);
  } catch {
    return false;
  }
}

export interface NetworkFaultsOptions {
  readonly lab: Lab;
  /** Names of the hosts of servers; all others are those of clients. */
  readonly servers: readonly string[];
  readonly random: Random;
}

/** Faults of the network between the servers, and between them and their clients. */
export function networkFaults({
  lab,
  servers,
  random,
}: NetworkFaultsOptions): readonly FaultMaker[] {
  const all = lab.hosts.map(({ name }) => name);
  const victim = (): string => servers[random.int(servers.length)] ?? '';
  const others = (name: string, among: readonly string[] = all): readonly string[] =>
    among.filter((each) => each !== name);
  const fault = (kind: string, what: keyof PathTraffic, begin: () => Promise<void>): Fault => {
    let before = 0;
    return {
      kind,
      begin: async () => {
        before = (await lab.traffic())[what];
        await begin();
      },
      end: () => lab.heal(),
      hits: async () => (await lab.traffic())[what] - before,
    };
  };
  const impaired =
    (kind: string, what: keyof PathTraffic, conditions: PathConditions) => (): Fault =>
      fault(kind, what, () => lab.impair(conditions));
  return [
    () => {
      const name = victim();
      return fault('cut of a server', 'cut', () => lab.cut([name], others(name)));
    },
    () => {
      const name = victim();
      return fault('one-way cut of a server', 'cut', () => lab.cutOneWay([name], others(name)));
    },
    () => {
      // All servers but this one are cut off from each other; it sees them all, and so do the clients.
      const [left = '', right = ''] = others(victim(), servers);
      return fault('cut with a bridge', 'cut', () => lab.cut([left], [right]));
    },
    impaired('loss of 20 %', 'lost', { lossRatio: 0.2 }),
    impaired('delay', 'delayed', { delayMs: 10, jitterMs: 20 }),
    impaired('doubles and overtaking', 'reordered', { duplicateRatio: 0.1, reorderRatio: 0.2 }),
  ];
}

import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds in which sockets, threads and timers must have closed. */
const closingMs = 2_000;
const processEvents = ['unhandledRejection', 'uncaughtException', 'warning', 'exit'];

/** What the program holds outside of all processes: resources of the event loop, and listeners, by name. */
export type Surroundings = ReadonlyMap<string, number>;

export function surroundings(): Surroundings {
  const held = new Map<string, number>();
  // The standard streams are opened when they are used first.
  void [process.stdin, process.stdout, process.stderr];
  const add = (name: string, count: number): void =>
    void held.set(name, (held.get(name) ?? 0) + count);
  for (const resource of process.getActiveResourcesInfo()) add(resource, 1);
  for (const event of processEvents) add(`listeners of ${event}`, process.listenerCount(event));
  return held;
}

/** What is held now and was not before, when there was time to close it. */
export async function leftOver(before: Surroundings): Promise<readonly string[]> {
  const deadline = performance.now() + closingMs;
  for (;;) {
    const more = [...surroundings()].filter(([name, count]) => count > (before.get(name) ?? 0));
    if (more.length === 0 || performance.now() > deadline) return more.map(([name]) => name);
    await wait(20);
  }
}

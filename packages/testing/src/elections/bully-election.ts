/** What processes say to each other: I want to lead; not while I am here; I lead. */
export type BullyMessage = 'election' | 'answer' | 'coordinator';

/** One process, which knows the numbers of all others. */
export interface BullyProcess {
  readonly id: number;
  readonly others: readonly number[];
  /** Whether it has asked those above it. */
  readonly hasAsked: boolean;
  /** Whether one of them has answered. */
  readonly isBeaten: boolean;
  readonly leader?: number;
}

/** What a process makes of what happens: what it sends, to whom. */
export interface BullyStep {
  readonly process: BullyProcess;
  readonly send: readonly { readonly to: number; readonly message: BullyMessage }[];
}

/** How an election by the bully went. */
export interface BullyElection {
  /** Absent when nobody is alive that could start it. */
  readonly leader?: number;
  readonly electionMessages: number;
  readonly answerMessages: number;
  readonly coordinatorMessages: number;
}

/** A process asks all with larger numbers, once. */
export function bullyStart(process: BullyProcess): BullyStep {
  if (process.hasAsked) return { process, send: [] };
  const above = process.others.filter((id) => id > process.id);
  return {
    process: { ...process, hasAsked: true },
    send: above.map((to) => ({ to, message: 'election' })),
  };
}

/** A process answers smaller numbers and stands for election itself; who leads tells the others. */
export function bullyReceive(
  process: BullyProcess,
  { from, message }: { readonly from: number; readonly message: BullyMessage },
): BullyStep {
  switch (message) {
    case 'election': {
      const started = bullyStart(process);
      return { ...started, send: [{ to: from, message: 'answer' }, ...started.send] };
    }
    case 'answer':
      return { process: { ...process, isBeaten: true }, send: [] };
    case 'coordinator':
      return { process: { ...process, leader: from }, send: [] };
  }
}

/** The time for answers is over: whoever has asked and got none leads, and tells all smaller numbers. */
export function bullyTimeout(process: BullyProcess): BullyStep {
  if (!process.hasAsked || process.isBeaten || process.leader !== undefined) {
    return { process, send: [] };
  }
  const below = process.others.filter((id) => id < process.id);
  return {
    process: { ...process, leader: process.id },
    send: below.map((to) => ({ to, message: 'coordinator' })),
  };
}

/**
 * Lets processes elect the one with the largest number that is alive, and counts the messages, those to the dead
 * included (Garcia-Molina 1982).
 *
 * @remarks It takes messages to arrive in time: who is slow is taken for dead, and there are two leaders. That is why
 * an election of a node goes by a lease and an epoch.
 */
export function bullyElection(
  ids: readonly number[],
  { starter, dead = [] }: { readonly starter: number; readonly dead?: readonly number[] },
): BullyElection {
  const processes = new Map<number, BullyProcess>(
    ids
      .filter((id) => !dead.includes(id))
      .map((id) => {
        const others = ids.filter((other) => other !== id);
        return [id, { id, others, hasAsked: false, isBeaten: false }];
      }),
  );
  const counts = { election: 0, answer: 0, coordinator: 0 };
  const underWay: { from: number; to: number; message: BullyMessage }[] = [];
  const take = ({ process, send }: BullyStep): void => {
    processes.set(process.id, process);
    for (const { to, message } of send) {
      counts[message]++;
      underWay.push({ from: process.id, to, message });
    }
  };
  const deliver = (): void => {
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) {
      const process = processes.get(next.to);
      if (process !== undefined) take(bullyReceive(process, next));
    }
  };
  const first = processes.get(starter);
  if (first !== undefined) take(bullyStart(first));
  deliver();
  for (const process of processes.values()) take(bullyTimeout(process));
  deliver();
  const leaders = new Set([...processes.values()].map(({ leader }) => leader));
  const [leader] = leaders;
  if (leaders.size > 1) throw new Error(`they do not agree: ${[...leaders].join(', ')}`);
  return {
    ...(leader === undefined ? {} : { leader }),
    electionMessages: counts.election,
    answerMessages: counts.answer,
    coordinatorMessages: counts.coordinator,
  };
}

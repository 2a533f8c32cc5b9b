/** What goes round: a candidate that nobody has beaten yet, or the leader. */
export interface RingMessage {
  readonly kind: 'elect' | 'elected';
  readonly id: number;
}

/** One process of a ring. It knows its own number and who comes next, and nothing else. */
export interface RingProcess {
  readonly id: number;
  /** Whether its own number is on its way, or was. */
  readonly isCandidate: boolean;
  readonly leader?: number;
}

/** What a process makes of a message: what it passes on, if anything. */
export interface RingStep {
  readonly process: RingProcess;
  readonly send?: RingMessage;
}

/** How an election on a ring went. */
export interface RingElection {
  /** Absent when nobody has started one. */
  readonly leader?: number;
  /** Messages with candidates: 2n − 1 at best, n(n + 1)/2 at worst, if all of n start. */
  readonly electMessages: number;
  /** Messages that tell of the leader: one a process. */
  readonly electedMessages: number;
}

/** A process stands for election. */
export function ringStart(process: RingProcess): RingStep {
  return {
    process: { ...process, isCandidate: true },
    send: { kind: 'elect', id: process.id },
  };
}

/**
 * A process lets larger numbers pass, and keeps smaller ones: it stands for election itself then, if it does not yet.
 * Whose own number comes back has beaten all (Chang and Roberts 1979).
 */
export function ringReceive(process: RingProcess, message: RingMessage): RingStep {
  const { kind, id } = message;
  if (kind === 'elected') {
    return id === process.id ? { process } : { process: { ...process, leader: id }, send: message };
  }
  if (id > process.id) return { process, send: message };
  if (id < process.id) return process.isCandidate ? { process } : ringStart(process);
  return { process: { ...process, leader: id }, send: { kind: 'elected', id } };
}

/**
 * Lets processes elect the one with the largest number, on a ring in the given order, and counts the messages.
 *
 * @param ids - Numbers of the processes, each once, in the direction in which messages go.
 * @param starters - Who stands for election by itself. Others do when a smaller number comes by.
 */
export function ringElection(
  ids: readonly number[],
  starters: readonly number[] = ids,
): RingElection {
  const processes: RingProcess[] = ids.map((id) => ({ id, isCandidate: false }));
  const counts = { elect: 0, elected: 0 };
  const underWay: { readonly to: number; readonly message: RingMessage }[] = [];
  const take = (at: number, { process, send }: RingStep): void => {
    processes[at] = process;
    if (send === undefined) return;
    counts[send.kind]++;
    underWay.push({ to: (at + 1) % ids.length, message: send });
  };
  for (const [at, process] of processes.entries()) {
    if (starters.includes(process.id)) take(at, ringStart(process));
  }
  for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) {
    const process = processes[next.to];
    if (process !== undefined) take(next.to, ringReceive(process, next.message));
  }
  const leaders = new Set(processes.map(({ leader }) => leader));
  const [leader] = leaders;
  if (leaders.size > 1) throw new Error(`they do not agree: ${[...leaders].join(', ')}`);
  return {
    ...(leader === undefined ? {} : { leader }),
    electMessages: counts.elect,
    electedMessages: counts.elected,
  };
}

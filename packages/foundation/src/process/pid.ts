/** Threads of a node number their processes in ranges of their own. */
const serialsPerThread = 2 ** 36;

/** Address of one life of one process: never reused. */
export class Pid {
  readonly node: string;
  /** Which start of the node. Grows with each. */
  readonly incarnation: number;
  readonly serial: number;

  constructor(node: string, incarnation: number, serial: number) {
    this.node = node;
    this.incarnation = incarnation;
    this.serial = serial;
  }

  /** Thread of the node that hosts the process; 0 is the main thread. */
  get thread(): number {
    return threadOf(this.serial);
  }

  /** Node and number: the same in every life that its node has begun since the process lives. */
  get place(): string {
    return `${this.node}#${this.serial}`;
  }

  equals(other: Pid): boolean {
    return (
      this.serial === other.serial &&
      this.incarnation === other.incarnation &&
      this.node === other.node
    );
  }

  toString(): string {
    return `<${this.node}.${this.incarnation}.${this.serial}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** First serial number of a thread. */
export function firstSerial(thread: number): number {
  return thread * serialsPerThread + 1;
}

/** Thread that a number of a node belongs to: a process, a call or a monitor. */
export function threadOf(number: number): number {
  return number < serialsPerThread ? 0 : Math.floor(number / serialsPerThread);
}

import { Request } from '../context/request.ts';
import { currentRequest } from '../context/scope.ts';
import { FoundationError } from '../errors.ts';
import type { OutgoingCast } from '../messaging/exchange.ts';
import { invalidOption } from '../options.ts';
import type { Behaviour } from './behaviour.ts';
import { isName, nameRule } from './definition-check.ts';
import { Note } from './envelope.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';
import type { Runtime } from './runtime.ts';

/** Groups that one process may be a member of: all that is registered of it must fit into a message. */
export const groupsMax = 100;

export function tooManyGroups(group: string): FoundationError {
  return new FoundationError(
    'INVALID_OPTION',
    `cannot join "${group}": a process is a member of at most ${groupsMax} groups`,
    { hint: 'Leave one, or use one group for more.', details: { group, groupsMax } },
  );
}

/** @throws FoundationError `INVALID_OPTION` */
export function checkGroup(group: string): void {
  if (!isName(group)) throw invalidOption('a group', { group }, nameRule);
}

/** The inside of a group: its members, and one cast for each message of their definition. */
export class GroupCore {
  readonly name: string;
  readonly cast: Readonly<Record<string, (...args: readonly unknown[]) => number>>;
  readonly #runtime: Runtime;
  readonly #behaviour: Behaviour;

  constructor(runtime: Runtime, behaviour: Behaviour, name: string) {
    checkGroup(name);
    this.name = name;
    this.#runtime = runtime;
    this.#behaviour = behaviour;
    this.cast = Object.fromEntries(
      behaviour.castNames.map((message) => [message, (...args) => this.#castAll(message, args)]),
    );
  }

  members(): readonly unknown[] {
    return this.#pids().map((pid) => this.#runtime.refTo(this.#behaviour, { pid }));
  }

  onChange(listener: (members: readonly unknown[]) => void): Disposable {
    if (typeof listener !== 'function') {
      throw invalidOption('group.onChange', { listener }, 'a function');
    }
    let known = this.#pids().join();
    return this.#runtime.directory.onGroupChange(this.name, () => {
      const now = this.#pids().join();
      if (now === known) return;
      known = now;
      listener(this.members());
    });
  }

  #pids(): readonly Pid[] {
    return this.#runtime.directory.members(this.name, this.#behaviour.name);
  }

  /** Sends a cast to every member; returns how many took it. */
  #castAll(name: string, args: readonly unknown[]): number {
    const { isTraced, exchange } = this.#runtime;
    const outer = currentRequest();
    const request = isTraced ? Request.traced(outer) : outer;
    let taken = 0;
    for (const pid of this.#pids()) {
      const process = this.#runtime.find(pid);
      const isTaken =
        process === undefined
          ? !this.#runtime.isMine(pid) && exchange.cast(pid, { name, args, request })
          : process.deliver(this.#note(process, { name, args, request }));
      if (isTaken) taken++;
    }
    return taken;
  }

  #note(process: Process, { name, args, request }: OutgoingCast): Note {
    // A member may be of another definition of that name.
    const isOurs = process.behaviour === this.#behaviour;
    const entry = isOurs ? this.#behaviour.casts.get(name) : undefined;
    return new Note('cast', name, this.#runtime.copied(args), entry, request);
  }
}

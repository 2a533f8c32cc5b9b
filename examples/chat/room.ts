import {
  defineProcess,
  defineSupervisor,
  type Context,
  type Pid,
  type Ref,
} from '@foundation/core';

import { user } from './user.ts';

/** Lines that a room remembers for those who come later. */
const linesMax = 3;

interface Room {
  readonly name: string;
  readonly lines: string[];
  /** Who is here, by the address of their process. */
  readonly present: Map<string, string>;
}

/** A room remembers its last lines, also when it crashes or closes: they are kept in the store. */
export const room = defineProcess('room', {
  durable: true,
  snapshot: ({ name, lines }) => ({ name, lines }),
  restore: (stored: Pick<Room, 'name' | 'lines'>): Room => ({ ...stored, present: new Map() }),
  // Without a word for so long, a room ends by itself.
  idleMs: 600,

  init: (name: string): Room => ({ name, lines: [], present: new Map() }),
  /** After a crash the users are still in the room's group: they notice nothing. */
  async continue(ctx) {
    for (const guest of usersIn(ctx)) notice(ctx, await guest.name(), guest.pid);
  },
  calls: {
    /** Lets a user in and tells what was said before. */
    async enter(ctx, guest: Ref<typeof user>) {
      const { lines, name } = ctx.state;
      const who = await guest.enter(name);
      notice(ctx, who, guest.pid);
      tellAll(ctx, `${who} comes in`);
      return [...lines];
    },
  },
  casts: {
    say(ctx, who: string, text: string) {
      if (text === '') throw new Error('nobody thought of empty lines');
      const { lines } = ctx.state;
      const line = `${who}: ${text}`;
      lines.push(line);
      if (lines.length > linesMax) lines.shift();
      tellAll(ctx, line);
    },
  },
  info: {
    down(ctx, { pid, reason }) {
      const who = ctx.state.present.get(String(pid));
      ctx.state.present.delete(String(pid));
      tellAll(ctx, `${who} is gone (${reason})`);
    },
  },
  terminate(ctx, reason) {
    if (reason === 'normal') tellAll(ctx, 'the room closes, nobody says anything');
  },
});

/** Rooms come and go. One that crashes is started again; one that closes is not. */
export const rooms = defineSupervisor('rooms', {
  strategy: 'dynamic',
  child: room,
  restart: 'transient',
});

type RoomContext = Pick<Context<Room>, 'state' | 'node' | 'monitor'>;

function usersIn({ node, state }: RoomContext): readonly Ref<typeof user>[] {
  return node.group(user, state.name).members();
}

function tellAll({ node, state }: RoomContext, line: string): void {
  node.group(user, state.name).cast.heard(state.name, line);
}

/** From now on the room is told when the user ends. */
function notice({ state, monitor }: RoomContext, who: string, pid: Pid | undefined): void {
  if (pid === undefined) return;
  state.present.set(String(pid), who);
  monitor(pid);
}

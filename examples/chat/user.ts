import { defineProcess } from '@foundation/core';

/** Somebody in front of a screen. */
export const user = defineProcess('user', {
  init: (name: string) => ({ name }),
  calls: {
    name: ({ state }) => state.name,
    /** Becomes a member of the room's group, until the user ends, for whatever reason. */
    enter({ state, join }, room: string) {
      join(room);
      return state.name;
    },
  },
  casts: {
    heard: ({ state }, room: string, line: string) =>
      console.log(`  ${room.padEnd(7)}${state.name.padEnd(5)}│ ${line}`),
    pullThePlug() {
      throw new Error('no power');
    },
  },
});

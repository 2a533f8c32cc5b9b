import { setTimeout as pause } from 'node:timers/promises';

import { startNode, type Ref } from '@foundation/core';

import { rooms, type room } from './room.ts';
import { user } from './user.ts';

type Room = Ref<typeof room>;
type User = Ref<typeof user>;

/** Milliseconds for everybody to hear what was said. */
const pauseMs = 50;

await using node = await startNode({ cluster: 'off' });
node.events.on('crash', ({ who, error }) => console.log(`! ${who} crashes: ${error}`));
node.events.on('restart', ({ child }) => console.log(`! "${child}" is started again`));

const house = await node.processes.start(rooms);
const ann = await arrive('ann');
const ben = await arrive('ben');
const cem = await arrive('cem');

step('Two rooms open, and people come in');
const lobby = await open('lobby');
const garden = await open('garden');
await enter(lobby, ann);
await enter(lobby, ben);
await enter(garden, ben);
await enter(garden, cem);

step('They talk: a room tells its members, and nobody else');
await say(lobby, 'ann', 'is anybody here?');
await say(garden, 'cem', 'the plums are ripe');
await say(lobby, 'ben', 'I am');

step("A user crashes: both of ben's rooms notice");
ben.cast.pullThePlug();
await pause(pauseMs);

step('A room crashes: it is started again, knows who is there, and goes on');
await say(lobby, 'ann', '');
await say(lobby, 'ann', 'still here?');

step('Who comes later is told what was said, also before the crash');
for (const line of await enter(lobby, cem)) console.log(`    ${line}`);
await say(lobby, 'cem', 'now I am here, too');

step('Nobody says anything: the rooms close');
while ((await house.count()) > 0) await pause(pauseMs);

step('One opens again, with what it knows');
for (const line of await enter(await open('lobby'), ann)) console.log(`    ${line}`);

function step(title: string): void {
  console.log(`\n${title}`);
}

function arrive(name: string): Promise<User> {
  return node.processes.start(user, { name, init: name });
}

/** Opens a room, which finds its last lines in the store if it was open before. */
function open(name: string): Promise<Room> {
  return house.start({ name, init: name });
}

async function enter(where: Room, who: User): Promise<readonly string[]> {
  const lines = await where.enter(who);
  await pause(pauseMs);
  return lines;
}

async function say(where: Room, who: string, text: string): Promise<void> {
  where.cast.say(who, text);
  await pause(pauseMs);
}

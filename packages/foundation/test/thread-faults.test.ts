// What goes wrong in a thread, or is too much for it, and must disturb nobody else.
import { defineProcess } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { groupsMax } from '../src/process/group.ts';
import { Codec } from '../src/wire/codec.ts';
import { alone, failure, listen } from './alone.ts';
import { LateClock } from './late-clock.ts';
import { member, worker } from './thread-processes.ts';

const adder = defineProcess('adder', {
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by) },
});

describe('a process in a thread', () => {
  it('that joins more groups than it may crashes alone, with an error that names the group', async () => {
    await using node = await alone();
    const problems = listen(node, 'problem');
    const [eager, other] = [await node.processes.start(member), await node.processes.start(member)];
    const thread = await other.thread();
    for (let count = 0; count < groupsMax; count++) await eager.join(`g${count}`);
    expect(node.group(member, 'g0').members()).toHaveLength(1);
    const error = await failure(eager.join('one more'));
    expect(error).toMatchObject({
      code: 'PROCESS_DOWN',
      cause: { code: 'INVALID_OPTION', message: expect.stringContaining('"one more"') },
    });
    expect(await other.thread()).toBe(thread);
    expect(node.group(member, 'g0').members()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('that joins a group twice is a member of it once, until it leaves', async () => {
    await using node = await alone();
    const ref = await node.processes.start(member);
    await ref.join('red');
    await ref.join('red');
    expect(node.group(member, 'red').members()).toHaveLength(1);
    await ref.leave('red');
    expect(node.group(member, 'red').members()).toEqual([]);
  });

  it('that is gone with its thread does not exist, and its node is not blamed', async () => {
    await using node = await alone();
    const [gone, asking] = [
      await node.processes.start(worker, { init: 0 }),
      await node.processes.start(worker, { init: 0 }),
    ];
    await failure(gone.die());
    const nobody = { code: 'NO_PROCESS', message: expect.not.stringContaining('connected') };
    expect(await failure(gone.add(1))).toMatchObject(nobody);
    expect((await failure(asking.ask(gone, 1))).cause).toMatchObject(nobody);
    const watching = await node.processes.start(worker, { init: 0 });
    await watching.monitor(gone);
    expect(await watching.downs()).toEqual(['no_process']);
  });
});

describe('what a thread says that is no message', () => {
  it('is counted as malformed, or told as a problem when it cannot even be read', async () => {
    await using node = await alone();
    const problems = listen(node, 'problem');
    const ref = await node.processes.start(worker, { init: 0 });
    const packet = { kind: 'packet', node: node.name, incarnation: node.incarnation };
    await ref.say({ ...packet, bytes: new Codec().encode([99, 1]) });
    expect(node.counters().malformed).toBe(1);
    expect(problems).toEqual([]);
    await ref.say({ ...packet, bytes: Uint8Array.of(0xc1) });
    expect(problems).toMatchObject([{ what: "a thread's message packet" }]);
    expect(await ref.add(1)).toBe(1);
  });
});

describe('a node whose event loop is late', () => {
  it('refuses calls from outside, and none that its own threads make', async () => {
    const clock = new LateClock();
    await using node = await alone({ clock, lagMaxMs: 100 });
    const [here, there] = [
      await node.processes.start(adder),
      await node.processes.start(worker, { init: 0 }),
    ];
    clock.look(150);
    clock.look(150);
    expect(await failure(here.add(1))).toMatchObject({ code: 'OVERLOADED' });
    expect(await there.ask(here, 2)).toBe(2);
    expect(node.counters().shed).toBe(1);
  });
});

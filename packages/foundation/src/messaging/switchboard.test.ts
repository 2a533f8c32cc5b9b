import { expect, it } from 'vitest';

import { alone } from '../../test/alone.ts';
import { defineProcess } from '../index.ts';
import { firstSerial, Pid } from '../process/pid.ts';
import type { Runtime } from '../process/runtime.ts';
import { encodePacket, packetKinds, type Packet } from './packet.ts';
import { Switchboard, type SwitchboardParts } from './switchboard.ts';

const host = defineProcess('host', {
  init: () => ({}),
  calls: { runtime: (ctx): unknown => ctx.node },
});

/** Uses a switchboard all of whose links are the given one; gives what threads were sent. */
async function withSwitchboard(
  link: object | undefined,
  use: (switchboard: Switchboard, runtime: Runtime) => void,
): Promise<readonly unknown[]> {
  await using node = await alone({ profile: 'production' });
  const runtime = (await (await node.processes.start(host)).runtime()) as Runtime;
  const posted: unknown[] = [];
  const parts = {
    runtime,
    threads: {
      post: (_thread: number, _from: unknown, bytes: Uint8Array) => {
        posted.push(runtime.codec.decode(bytes));
        return true;
      },
    },
    registry: node.registry,
    cluster: () => ({ link: () => link }),
  } as unknown as SwitchboardParts;
  use(new Switchboard(parts), runtime);
  return posted;
}

const other = { node: 'other', incarnation: 1 };

/** What a thread is answered whose call meets a link, or none. */
function answerWhen(link: object | undefined): Promise<readonly unknown[]> {
  return withSwitchboard(link, (switchboard, { codec }) => {
    const call: Packet = [packetKinds.call, 7, firstSerial(1) + 5, 'ask', [], 1_000];
    switchboard.fromThread(other, encodePacket(codec, call), call);
  });
}

it('a call of a thread that meets a full link fails as OVERLOADED, without a link as NO_PROCESS', async () => {
  expect(await answerWhen({ send: () => false })).toMatchObject([
    [packetKinds.fail, firstSerial(1) + 5, { code: 'OVERLOADED' }],
  ]);
  expect(await answerWhen(undefined)).toMatchObject([
    [packetKinds.fail, firstSerial(1) + 5, { code: 'NO_PROCESS' }],
  ]);
});

it('what must arrive and finds its link full closes it; of calls, casts and replies somebody is told', async () => {
  const exit = { reason: 'normal' } as const;
  const packets: Readonly<Record<string, Packet>> = {
    failure: [packetKinds.fail, 7, new Error('any')],
    'reply by hand': [packetKinds.answer, 7, 1, 'a reply'],
    signal: [packetKinds.signal, 7, new Pid('other', 1, 7), { kind: 'stop', exit }],
    reply: [packetKinds.reply, 7, 'a reply'],
    call: [packetKinds.call, 7, 1, 'ask', [], 1_000],
    cast: [packetKinds.cast, 7, 'hear', []],
  };
  const closedBy: string[] = [];
  let sent = '';
  const full = { send: () => false, close: () => closedBy.push(sent) };
  await withSwitchboard(full, (switchboard) => {
    for (const [what, packet] of Object.entries(packets)) {
      sent = what;
      expect(switchboard.send(other, packet)).toBe('full');
    }
  });
  expect(closedBy).toEqual(['failure', 'reply by hand', 'signal']);
});

it('a reply of a thread that meets a full link fails its call, and the link goes on', async () => {
  const sent: unknown[] = [];
  let decode: (bytes: Uint8Array) => unknown;
  const link = {
    send: (_lane: string, bytes: Uint8Array) => {
      const [kind, ...rest] = decode(bytes) as unknown[];
      if (kind !== packetKinds.reply) sent.push([kind, ...rest]);
      return kind !== packetKinds.reply;
    },
  };
  await withSwitchboard(link, (switchboard, { codec }) => {
    decode = (bytes) => codec.decode(bytes);
    const reply: Packet = [packetKinds.reply, 7, 'a reply'];
    switchboard.fromThread(other, encodePacket(codec, reply), reply);
  });
  expect(sent).toMatchObject([[packetKinds.fail, 7, { code: 'INVALID_REPLY' }]]);
});

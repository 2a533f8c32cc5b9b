import { expect, it } from 'vitest';

import { alone } from '../../test/alone.ts';
import { defineProcess } from '../index.ts';
import { firstSerial } from '../process/pid.ts';
import type { Runtime } from '../process/runtime.ts';
import { encodePacket, packetKinds, type Packet } from './packet.ts';
import { Switchboard, type SwitchboardParts } from './switchboard.ts';

const host = defineProcess('host', {
  init: () => ({}),
  calls: { runtime: (ctx): unknown => ctx.node },
});

/** What a thread is answered whose call meets a link, or none. */
async function answerWhen(link: object | undefined): Promise<unknown> {
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
  const call: Packet = [packetKinds.call, 7, firstSerial(1) + 5, 'ask', [], 1_000];
  const bytes = encodePacket(runtime.codec, call);
  new Switchboard(parts).fromThread({ node: 'other', incarnation: 1 }, bytes, call);
  return posted;
}

it('a call of a thread that meets a full link fails as OVERLOADED, without a link as NO_PROCESS', async () => {
  expect(await answerWhen({ send: () => false })).toMatchObject([
    [packetKinds.fail, firstSerial(1) + 5, { code: 'OVERLOADED' }],
  ]);
  expect(await answerWhen(undefined)).toMatchObject([
    [packetKinds.fail, firstSerial(1) + 5, { code: 'NO_PROCESS' }],
  ]);
});

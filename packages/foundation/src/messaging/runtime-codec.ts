import { ReplyTo } from '../process/answer.ts';
import { anyBehaviour } from '../process/behaviour.ts';
import { refSymbol } from '../process/client.ts';
import { Pid } from '../process/pid.ts';
import type { RefCore } from '../process/ref.ts';
import { addressOf, FarReply, type ReplyAddress } from '../process/replies.ts';
import type { Runtime } from '../process/runtime.ts';
import { Codec, type CodecHooks, type CodecLimits } from '../wire/codec.ts';

interface WireRef {
  readonly definition: string;
  readonly name: string | undefined;
  readonly pid: Pid | undefined;
}

/** A codec whose refs come alive in a runtime. */
export function codecFor(runtime: Runtime, limits?: Partial<CodecLimits>): Codec {
  const hooks: CodecHooks = {
    encodePid: (pid) => runtime.knownPid(pid),
    encodeRef: (value) => {
      const { how, behaviour } = (value as { [refSymbol]: RefCore })[refSymbol];
      return { definition: behaviour.name, name: how.name, pid: how.pid } satisfies WireRef;
    },
    decodeRef: (data) => {
      if (!isWireRef(data)) return undefined;
      const behaviour = runtime.definition(data.definition) ?? anyBehaviour(data.definition);
      return runtime.refTo(behaviour, { name: data.name, pid: data.pid });
    },
    encodeReplyTo: (value) => addressOf(value),
    decodeReplyTo: (data) => (isReplyAddress(data) ? replyThrough(runtime, data) : undefined),
  };
  return new Codec(hooks, limits);
}

function replyThrough(runtime: Runtime, address: ReplyAddress): ReplyTo<unknown> {
  const send = (value: unknown): boolean => {
    const { pid, id } = address;
    if (!runtime.isMine(pid)) return runtime.exchange.answer(address, value);
    return runtime.find(pid)?.settleAddressed(id, value) ?? false;
  };
  return new ReplyTo(new FarReply(address, send));
}

function isReplyAddress(data: unknown): data is ReplyAddress {
  if (typeof data !== 'object' || data === null) return false;
  const { pid, id } = data as Partial<ReplyAddress>;
  return pid instanceof Pid && typeof id === 'number';
}

function isWireRef(data: unknown): data is WireRef {
  if (typeof data !== 'object' || data === null) return false;
  const { definition, name, pid } = data as Partial<WireRef>;
  return (
    typeof definition === 'string' &&
    (name === undefined || typeof name === 'string') &&
    (pid === undefined || pid instanceof Pid)
  );
}

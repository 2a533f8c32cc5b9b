import { anyBehaviour } from '../process/definition.ts';
import { Pid } from '../process/pid.ts';
import { refSymbol, type RefCore } from '../process/ref.ts';
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
  };
  return new Codec(hooks, limits);
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

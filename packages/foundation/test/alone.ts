import type { FoundationError, Node, NodeEvents, NodeOptions } from '../src/index.ts';
import { startNode } from '../src/index.ts';

/** A node that meets no others and opens nothing. */
export function alone(options: NodeOptions = {}): Promise<Node> {
  return startNode({ cluster: 'off', profile: 'test', name: 'alone', ...options });
}

/** What a node has told about itself under one name, from now on. */
export function listen<Name extends keyof NodeEvents>(
  node: Node,
  name: Name,
): readonly NodeEvents[Name][] {
  const heard: NodeEvents[Name][] = [];
  node.events.on(name, (event) => heard.push(event));
  return heard;
}

/** A promise to be settled from outside: holds a handler where it is. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** The error that something fails with. */
export async function failure(promise: PromiseLike<unknown>): Promise<FoundationError> {
  try {
    await promise;
  } catch (error) {
    return error as FoundationError;
  }
  throw new Error('it did not fail');
}

/** What must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is missing');
  return value;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodeOptions } from '@foundation/core';
import { eventually, spawnNode, type TestProcess } from '@foundation/testing/lab';
import { freePorts } from '@foundation/testing/servers';

import type { PressedNode } from './pressed-node.ts';

export type Pressed = TestProcess<PressedNode>;

const program = new URL('pressed-node.ts', import.meta.url);
const joinMs = 10_000;

/** Nodes of this machine, each a program of its own, of which the first listens where it was told to. */
export class PressedCluster implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'foundation-pressure-'));
  readonly port: number;
  readonly #opened = new AsyncDisposableStack();

  private constructor(port: number) {
    this.port = port;
    this.#opened.defer(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  static async open(): Promise<PressedCluster> {
    const [port = 0] = await freePorts(1);
    return new PressedCluster(port);
  }

  /** How the node of a name is started; `first` is the one that can be reached by strangers. */
  options(name: string): NodeOptions {
    return {
      name,
      clusterName: 'pressure',
      directory: this.directory,
      ...(name === 'first' ? { listen: { host: '127.0.0.1', port: this.port } } : {}),
      profile: 'test',
    };
  }

  /** @param how - What it is started through, and what is added to its environment. */
  async start(name: string, how: Parameters<typeof spawnNode>[1] = {}): Promise<Pressed> {
    const args = [JSON.stringify(this.options(name))];
    return this.#opened.use(await spawnNode<PressedNode>(program, { args, ...how }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Resolves when a node sees as many members as there are, itself one of them. */
export async function seesAll(node: Pressed, count: number): Promise<void> {
  const isComplete = async (): Promise<boolean> => (await node.ask('members')).length === count;
  await eventually(`it sees ${count} nodes`, isComplete, { timeoutMs: joinMs });
}

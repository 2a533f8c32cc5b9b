import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import type { Node } from '@foundation/core';

import { eventually, type EventuallyOptions } from './eventually.ts';
import { spawnNode, type TestProcess } from './spawn-node.ts';
import type { TestCommands } from './test-program.ts';

/** Commands that every node of a test cluster answers. */
export interface NodeCommands extends TestCommands {
  /** What it sees of the cluster, for the message of a failed test. */
  view(): unknown;
  /** The members that it sees. */
  members(): readonly unknown[];
}

/** What makes nodes meet: `startNode({ ...cluster.options('a') })`. */
export interface ClusterNodeOptions {
  readonly name: string;
  readonly clusterName: string;
  readonly directory: string;
}

/**
 * A cluster of real processes on this machine, with a directory of its own. Each node runs the same
 * program, which gets the options for `startNode` as JSON in its first argument.
 *
 * Disposing ends every node and removes the directory.
 */
export class TestCluster<Commands extends NodeCommands> implements AsyncDisposable {
  readonly name: string;
  readonly directory: string;
  readonly #program: URL;
  readonly #nodes = new Map<string, TestProcess>();

  constructor(program: URL) {
    this.#program = program;
    this.directory = mkdtempSync(join(tmpdir(), 'foundation-'));
    this.name = basename(this.directory).toLowerCase();
  }

  options(node: string): ClusterNodeOptions {
    return { name: node, clusterName: this.name, directory: this.directory };
  }

  /** Starts a node; more options of `startNode` may be given. */
  async start(node: string, more: object = {}): Promise<TestProcess<Commands>> {
    const options = JSON.stringify({ ...this.options(node), ...more });
    const started = await spawnNode<Commands>(this.#program, { args: [options] });
    this.#nodes.set(node, started);
    return started;
  }

  /** Starts several nodes at once, and gives them in the same order. */
  startAll<const Names extends readonly string[]>(
    nodes: Names,
    more: object = {},
  ): Promise<{ readonly [Index in keyof Names]: TestProcess<Commands> }> {
    const started = Promise.all(nodes.map((node) => this.start(node, more)));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `map` keeps the length, its type does not
    return started as unknown as ReturnType<typeof this.startAll<Names>>;
  }

  /** Resolves when each running node, and the test's own one, sees exactly that many members. */
  async formed(count: number, own?: Node): Promise<void> {
    await own?.cluster.reached(count);
    await this.eventually(`all see ${count} members`, async () => {
      const running = [...this.#nodes.values()].filter(({ isRunning }) => isRunning);
      const seen = await Promise.all(running.map((node) => node.ask('members')));
      return seen.every((members) => Array.isArray(members) && members.length === count);
    });
  }

  /** As {@link eventually}; a failure shows what each node sees. */
  eventually<T>(
    what: string,
    check: () => T | Promise<T>,
    options: EventuallyOptions = {},
  ): ReturnType<typeof eventually<T>> {
    return eventually(what, check, { view: () => this.#view(), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((each) => each.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #view(): Promise<Record<string, unknown>> {
    const views = [...this.#nodes].map(async ([name, node]) => {
      const silent = new Promise((resolve) => setTimeout(resolve, 1_000, 'no answer'));
      const told = node.ask('view').catch((error: Error) => error.message);
      return [name, await Promise.race([told, silent])] as const;
    });
    return Object.fromEntries(await Promise.all(views));
  }
}

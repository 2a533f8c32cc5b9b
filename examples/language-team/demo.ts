import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeDirectory, type AgentHandle } from '@foundation/agents';
import { sleep, startNode, systemClock, type Node } from '@foundation/core';
import { agentTeamOptimizer, paretoFront, scoreMinusCost } from '@foundation/dspex';

import type { DemoOptions } from './arguments.ts';
import type { DemoResult, Story, TeamResult } from './demo-result.ts';
import type { Done, Work } from './evaluator.ts';
import { Killing } from './killing.ts';
import { languageCodes } from './languages.ts';
import { launch, type Fleet } from './launch.ts';
import { ledger } from './ledger.ts';
import type { Split, Timing } from './member.ts';
import { modelNames, type ModelName } from './models.ts';
import { Placement, type Sale } from './placement.ts';
import type { Progress } from './progress.ts';
import { scoringGoal } from './team-goal.ts';
import { everyone, soloist, teamOf, teamSpace, type TeamConfiguration } from './team-space.ts';
import { untilAnswered } from './until-answered.ts';
import type { Score, Team } from './vote.ts';

export const snippetsPerLanguage = 200;

/** Runs the whole story once. */
export async function runDemo(options: DemoOptions, progress: Progress): Promise<DemoResult> {
  const { seed, nodes } = options;
  const clusterName = 'language-team';
  await using home = await temporaryDirectory();
  const { directory } = home;
  // In production no secret is made by itself.
  const secret = randomBytes(32).toString('base64url');
  const began = performance.now();
  await using fleet = launch({ clusterName, directory, nodes, seed, snippetsPerLanguage }, secret);
  await using node = await startNode({
    name: 'launcher',
    role: 'observer',
    clusterName,
    directory,
    secret,
    profile: 'production',
  });
  const story = async (): Promise<DemoResult> => {
    await node.cluster.reached(nodes, 60_000);
    const formationMs = Math.round(performance.now() - began);
    progress.formed(node.cluster.members(), { formationMs, directory });
    await agentsReady(node, nodes);
    progress.ready(node.registry.all());
    return new Demo(options, { node, fleet, progress }).run(formationMs);
  };
  // Not without `await`: the cluster would be taken down before the run.
  return await Promise.race([story(), fleet.failed]);
}

/** A cluster's home for one run: the ledger of an earlier one would go on counting. */
async function temporaryDirectory(): Promise<{ readonly directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'language-team-'));
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Resolves when every agent of every node is registered. */
async function agentsReady(node: Node, nodes: number): Promise<void> {
  const capabilities = [...modelNames.map((name) => `identify:${name}`), 'combine', 'evaluate'];
  const isReady = (): boolean =>
    capabilities.every((each) => node.registry.withCapability(each).length >= nodes) &&
    node.registry.lookup('ledger') !== undefined;
  if (isReady()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  using _watch = node.registry.onChange(() => {
    if (isReady()) resolve();
  });
  await promise;
}

interface Surroundings {
  readonly node: Node;
  readonly fleet: Fleet;
  readonly progress: Progress;
}

class Demo {
  readonly #options: DemoOptions;
  readonly #node: Node;
  readonly #progress: Progress;
  readonly #placement: Placement;
  readonly #killing: Killing;
  /** Ids of all evaluations asked for, to be compared with the ledger's. */
  readonly #asked: string[] = [];
  readonly #answered = new Set<string>();
  #doneCount = 0;
  #auctions = 0;
  #retries = 0;
  #lastSale: Sale | undefined = undefined;

  constructor(options: DemoOptions, { node, fleet, progress }: Surroundings) {
    this.#options = options;
    this.#node = node;
    this.#progress = progress;
    this.#killing = new Killing(node, fleet);
    this.#placement = new Placement(node, {
      onSale: (sale) => {
        this.#auctions++;
        this.#lastSale = sale;
      },
      onDone: (work, done) => this.#onDone(work, done),
      onLost: (sale, code) => progress.lost(sale, code),
    });
  }

  async run(formationMs: number): Promise<DemoResult> {
    const { seed, candidates } = this.#options;
    const optimizer = agentTeamOptimizer<TeamConfiguration, Work, Done>({
      id: 'language-team',
      space: teamSpace,
      objective: scoreMinusCost('accuracy', 0.01),
      goalFor: (configuration) =>
        this.#work(`search/${this.#asked.length}`, teamOf(configuration), 'validation'),
      execute: (work, { index = 0 }) => this.#execute(work, index),
      measure: ({ score }) => ({ scores: { accuracy: score.accuracy }, cost: score.cost }),
    });
    const began = performance.now();
    const found = await optimizer.optimize({
      seed,
      candidates,
      onRound: ({ candidateCount, best }) =>
        this.#progress.searched({
          candidateCount,
          candidates,
          best: best?.measurement,
          rate: this.#rate(began),
        }),
    });
    const evaluationsPerSecond = Number(this.#rate(began).toFixed(1));
    if (found.best === undefined) throw new Error('no team could be scored');
    const results = await this.#score(
      found.best.configuration,
      found.history.flatMap((outcome) =>
        outcome.kind === 'measured'
          ? [{ configuration: outcome.configuration, ...outcome.measurement }]
          : [],
      ),
    );
    const { lost, doubled, repeated } = await this.#audit();
    return {
      nodes: this.#options.nodes,
      discovery: 'rendezvous',
      formationMs,
      languages: languageCodes.length,
      snippets: languageCodes.length * snippetsPerLanguage,
      candidates: found.history.length,
      ...results,
      killed: this.#killing.report() ?? null,
      lost,
      doubled,
      evaluationsPerSecond,
      auctions: this.#auctions,
      seed,
      story: {
        lastSale: this.#lastSale,
        retries: this.#retries,
        repeated,
        moved: this.#moved(),
        measuredMs: await this.#measuredMs(),
      },
    };
  }

  #moved(): Story['moved'] {
    const ofVictim = (name: string): boolean =>
      name === 'ledger' || name.endsWith(`@${this.#killing.victim}`);
    return this.#node.registry
      .all()
      .flatMap(({ name, node }) =>
        this.#killing.isDone && name !== undefined && ofVictim(name) ? [{ name, node }] : [],
      );
  }

  async #measuredMs(): Promise<Story['measuredMs']> {
    const entries = modelNames.map(async (model): Promise<[ModelName, number]> => {
      const members = nodeDirectory(this.#node).byCapability(`identify:${model}`);
      const timings = (await Promise.all(members.map(askTiming))) as readonly Timing[];
      const total = timings.reduce((sum, { ms, snippets }) => ({
        ms: sum.ms + ms,
        snippets: sum.snippets + snippets,
      }));
      return [model, total.ms / Math.max(1, total.snippets)];
    });
    return Object.fromEntries(await Promise.all(entries)) as Record<ModelName, number>;
  }

  // ── evaluations ────────────────────────────────────────────────────────────

  #work(id: string, team: Team, split: Split): Work {
    this.#asked.push(id);
    return { id, team, goal: scoringGoal(id, team, split) };
  }

  #execute(work: Work, index: number): Promise<Done> {
    const { kill, nodes, candidates } = this.#options;
    // A single node has nobody who could carry on.
    if (index === Math.floor(candidates / 2) && kill && nodes > 1) void this.#killWhenBusy();
    return this.#placement.execute(work);
  }

  async #killWhenBusy(): Promise<void> {
    while (this.#doneCount < this.#options.candidates) {
      if (this.#killing.tryNow(this.#placement, this.#doneCount)) {
        this.#progress.killed(this.#killing.victim);
        return;
      }
      await sleep(systemClock, 1);
    }
  }

  #onDone({ id }: Work, done: Done): void {
    this.#answered.add(id);
    this.#doneCount++;
    this.#retries += done.retries;
    this.#killing.onDone(done);
  }

  #rate(began: number): number {
    return (1_000 * this.#doneCount) / (performance.now() - began);
  }

  // ── result ─────────────────────────────────────────────────────────────────

  async #score(
    best: TeamConfiguration,
    searched: readonly {
      configuration: TeamConfiguration;
      scores: Readonly<Record<string, number>>;
      cost: number;
    }[],
  ): Promise<Pick<DemoResult, 'best' | 'bestSingle' | 'everyoneVotes' | 'cheapest' | 'pareto'>> {
    const solo = await Promise.all(
      modelNames.map(async (model) => ({
        model,
        ...(await this.#both(`single/${model}`, soloist(model))),
      })),
    );
    const bestSingle = solo.toSorted((a, b) => b.validation - a.validation || a.cost - b.cost)[0];
    if (bestSingle === undefined) throw new Error('there is no model');
    const front = paretoFront(searched, ({ scores, cost }) => ({
      cost,
      score: scores['accuracy'] ?? 0,
    }));
    const pareto = await Promise.all(
      front.map(({ configuration }, place) => this.#both(`front/${place}`, teamOf(configuration))),
    );
    const bestResult = await this.#both('best', teamOf(best));
    const nearly = pareto.filter(({ validation }) => validation >= bestResult.validation - 0.01);
    return {
      best: bestResult,
      bestSingle,
      everyoneVotes: await this.#both('everyone', everyone),
      cheapest: nearly.toSorted((a, b) => a.cost - b.cost)[0] ?? bestResult,
      pareto: pareto.map(({ cost, validation, test }) => ({ cost, validation, test })),
    };
  }

  async #both(id: string, team: Team): Promise<TeamResult> {
    const [validation, test] = await Promise.all(
      (['validation', 'test'] as const).map((split): Promise<Score> =>
        this.#scoreOn(`${id}/${split}`, team, split),
      ),
    );
    const { first, threshold, weights } = team;
    return {
      first,
      threshold,
      weights,
      validation: validation?.accuracy ?? 0,
      test: test?.accuracy ?? 0,
      cost: validation?.cost ?? 0,
    };
  }

  async #scoreOn(id: string, team: Team, split: Split): Promise<Score> {
    const { score } = await this.#placement.execute(this.#work(id, team, split));
    return score;
  }

  /** Compares two accounts: what the launcher asked for and was answered, and what the ledger has counted. */
  async #audit(): Promise<{ lost: number; doubled: number; repeated: number }> {
    const book = this.#node.ref(ledger, 'ledger');
    const { count, ids, repeated } = await untilAnswered('the ledger', () => book.summary());
    const entered = new Set(ids);
    const lost = this.#asked.filter((id) => !entered.has(id) || !this.#answered.has(id)).length;
    return { lost, doubled: count - this.#answered.size, repeated };
  }
}

function askTiming(agent: AgentHandle): Promise<unknown> {
  const request = {
    goal: 'report',
    step: 'timing',
    action: 'timing',
    input: null,
    attempt: 1,
    token: 0,
  };
  return agent.executeStep(request, { timeoutMs: 10_000, signal: new AbortController().signal });
}

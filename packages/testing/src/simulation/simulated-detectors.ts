import {
  DetectorBoard,
  SwimDetector,
  type DetectorSettings,
  type Life,
  type ProbeHost,
} from '@foundation/core/internal';

import { SimClock } from './sim-clock.ts';
import { SimHost } from './sim-host.ts';
import { SimNetwork } from './sim-network.ts';
import { Simulation } from './simulation.ts';

/** What is simulated. */
export interface SimulatedDetectorsOptions {
  readonly seed: string | number;
  readonly nodes: number;
  readonly settings: DetectorSettings;
  /** Changes what a detector is given of a datagram or of what comes over a link, to plant a bug. */
  readonly tamper?: (bytes: Uint8Array, receiver: Life) => Uint8Array | undefined;
}

/** What one node found another to be, in virtual milliseconds. */
export interface Finding {
  readonly atMs: number;
  readonly by: string;
  readonly about: string;
  readonly kind: 'suspect' | 'trust' | 'dead';
}

/** Shortest time after which TCP sends a lost segment again, in milliseconds. */
const retransmitMs = 200;

/** Failure detectors of many nodes in a simulated network, each with a link to each other one, without the nodes. */
export class SimulatedDetectors {
  readonly simulation: Simulation;
  readonly network: SimNetwork;
  readonly hosts: readonly SimHost[];
  readonly findings: Finding[] = [];
  /** Messages that each node has sent, over links too. */
  readonly sent = new Map<string, number>();
  readonly detectors = new Map<string, SwimDetector>();
  readonly #options: SimulatedDetectorsOptions;
  #lostShare = 0;

  constructor(options: SimulatedDetectorsOptions) {
    this.#options = options;
    this.simulation = new Simulation(options.seed);
    this.network = new SimNetwork(this.simulation);
    this.hosts = Array.from({ length: options.nodes }, (_, index) => this.#boot(`n${index}`));
    for (const [node, detector] of this.detectors) this.#watchOthers(node, detector);
  }

  /** Loses datagrams, and makes TCP send again what it lost. */
  lose(share: number): void {
    this.#lostShare = share;
    this.network.lose(share);
  }

  /** Who was found dead, by whom. */
  deaths(): readonly Finding[] {
    return this.findings.filter(({ kind }) => kind === 'dead');
  }

  #boot(name: string): SimHost {
    const host = new SimHost(this.simulation, name);
    const self = { node: name, incarnation: 1 };
    const clock = new SimClock(this.simulation, { owner: host });
    const find = (kind: Finding['kind'], about: string): void => {
      this.findings.push({ atMs: this.simulation.nowMs, by: name, about, kind });
    };
    const detector = new SwimDetector(
      {
        self,
        settings: this.#options.settings,
        clock,
        random: this.simulation.random,
        handlers: {
          onAddress: (to, probeAddress) => this.detectors.get(to.node)?.locate(self, probeAddress),
          onJudgement: ({ kind, about }) => find(kind, about.node),
          onSighting: () => {},
          carry: (to, bytes) => this.#carry(self, to, bytes),
          onProblem: () => {},
        },
      },
      { board: new DetectorBoard(), open: async (probes) => this.#open(host, probes) },
    );
    this.detectors.set(name, detector);
    return host;
  }

  #open(host: SimHost, probes: ProbeHost): ReturnType<SimNetwork['openProbes']> {
    const channel = this.network.openProbes(host, {
      ...probes,
      onDatagram: (from, bytes) => {
        const given = this.#tampered(bytes, probes.self);
        if (given !== undefined) probes.onDatagram(from, given);
      },
    });
    return {
      ...channel,
      send: (to, bytes) => {
        this.#count(probes.self);
        channel.send(to, bytes);
      },
    };
  }

  #watchOthers(self: string, detector: SwimDetector): void {
    for (const node of this.detectors.keys()) {
      if (node !== self) detector.watch({ node, incarnation: 1, address: `sim:${node}` });
    }
  }

  #carry(from: Life, to: Life, bytes: Uint8Array): void {
    this.#count(from);
    if (this.network.holdsBack(from.node, to.node)) return;
    const copy = bytes.slice();
    this.simulation.schedule(this.#linkDelayMs(from, to), () => this.#arrive(from, to, copy));
  }

  #arrive(from: Life, to: Life, bytes: Uint8Array): void {
    const host = this.hosts.find(({ node }) => node === to.node);
    if (host?.isAlive !== true) return;
    if (host.standsStillUntilMs > this.simulation.nowMs) {
      const again = (): void => this.#arrive(from, to, bytes);
      this.simulation.scheduleAt(host.standsStillUntilMs, again);
      return;
    }
    const given = this.#tampered(bytes, to);
    if (given !== undefined) this.detectors.get(to.node)?.receive(from, given);
  }

  #linkDelayMs(from: Life, to: Life): number {
    let delayMs = this.network.delayMs(from.node, to.node);
    for (let waitMs = retransmitMs; this.simulation.random.next() < this.#lostShare; waitMs *= 2) {
      delayMs += waitMs;
    }
    return delayMs;
  }

  #tampered(bytes: Uint8Array, receiver: Life): Uint8Array | undefined {
    const { tamper } = this.#options;
    return tamper === undefined ? bytes : tamper(bytes, receiver);
  }

  #count({ node }: Life): void {
    this.sent.set(node, (this.sent.get(node) ?? 0) + 1);
  }
}

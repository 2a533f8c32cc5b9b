import { Worker } from 'node:worker_threads';

import type { Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { moduleBeside } from '../../module-beside.ts';
import { DetectorBoard } from './detector-board.ts';
import type {
  DetectorThreadData,
  FromDetectorThread,
  ToDetectorThread,
} from './detector-thread-message.ts';
import type { DetectorParts, FailureDetector, Watched } from './failure-detector.ts';
import type { ProbeSource } from './probe-channel.ts';
import { beatMs } from './stall-watch.ts';
import type { Life } from './swim-message.ts';

/** Milliseconds after which a thread that broke is started again, each time. */
const restartMs = 1_000;
/** Milliseconds that the thread may take to end by itself. */
const stopMs = 2_000;
/** Heap of the thread. It keeps a few hundred bytes a node, and needs little room for what is new. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 };

/** The main thread's door to a detector in a thread of its own, which no code of users can block. */
export class DetectorThread implements FailureDetector {
  readonly #parts: DetectorParts;
  readonly #source: ProbeSource & { readonly kind: 'thread' };
  readonly #board = new DetectorBoard();
  readonly #peers = new Map<string, Watched>();
  readonly #probeAddresses = new Map<
    string,
    { readonly life: Life; readonly probeAddress: string }
  >();
  readonly #beats: Timer;
  #worker: Worker;
  #exited: Promise<void> = Promise.resolve();
  #restart: Timer | undefined;
  #isStopped = false;

  constructor(parts: DetectorParts, source: ProbeSource & { readonly kind: 'thread' }) {
    this.#parts = parts;
    this.#source = source;
    this.#beats = parts.clock.every(beatMs, () => this.#board.beat());
    this.#worker = this.#start();
  }

  get health(): number {
    return this.#board.health;
  }

  refused(): Readonly<Record<string, number>> {
    return this.#board.refused();
  }

  watch(peer: Watched): void {
    this.#peers.set(peer.node, peer);
    this.#say({ kind: 'watch', peer });
  }

  locate(life: Life, probeAddress: string): void {
    this.#probeAddresses.set(life.node, { life, probeAddress });
    this.#say({ kind: 'locate', life, probeAddress });
  }

  forget(node: string): void {
    this.#peers.delete(node);
    this.#probeAddresses.delete(node);
    this.#say({ kind: 'forget', node });
  }

  look(node: string): void {
    this.#say({ kind: 'look', node });
  }

  receive(from: Life, bytes: Uint8Array): void {
    this.#say({ kind: 'receive', from, bytes });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#beats.cancel();
    this.#restart?.cancel();
    this.#worker.ref();
    this.#worker.postMessage(null);
    const timer = this.#parts.clock.after(stopMs, () => void this.#worker.terminate());
    await this.#exited;
    timer.cancel();
  }

  #say(message: ToDetectorThread): void {
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const { self, settings } = this.#parts;
    const { module, settings: channel } = this.#source;
    const { memory } = this.#board;
    const data: DetectorThreadData = { self, settings, module, channel, memory };
    const worker = new Worker(moduleBeside(import.meta.url, 'detector-worker'), {
      workerData: data,
      name: 'foundation-probes',
      resourceLimits,
    });
    // It answers for a program that has something to do, it is not something to do.
    worker.unref();
    worker.on('message', (message: FromDetectorThread) => this.#hear(message));
    worker.once('error', (error) => this.#onLost(worker, error));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        resolve();
        this.#onLost(worker, ended(code));
      });
    });
    return worker;
  }

  #hear(message: FromDetectorThread): void {
    if (this.#isStopped) return;
    const { handlers } = this.#parts;
    switch (message.kind) {
      case 'address':
        return handlers.onAddress(message.to, message.probeAddress);
      case 'judgement':
        return handlers.onJudgement(message.judgement);
      case 'sighting':
        // It may be of one that was forgotten meanwhile.
        if (this.#peers.get(message.about.node)?.incarnation !== message.about.incarnation) return;
        return handlers.onSighting(message.about, message.sighting);
      case 'carry':
        return handlers.carry(message.to, message.bytes);
      case 'problem':
        return handlers.onProblem(message.what, message.error);
    }
  }

  /** The thread broke: meanwhile nobody gets an answer, so another one must be there soon. */
  #onLost(worker: Worker, error: Error): void {
    if (this.#isStopped || this.#worker !== worker || this.#restart !== undefined) return;
    this.#parts.handlers.onProblem('the thread of the failure detector', error);
    const restart = (): void => {
      this.#restart = undefined;
      this.#worker = this.#start();
      for (const peer of this.#peers.values()) this.#say({ kind: 'watch', peer });
      for (const each of this.#probeAddresses.values()) this.#say({ kind: 'locate', ...each });
    };
    this.#restart = this.#parts.clock.after(restartMs, restart, 'background');
  }
}

function ended(code: number): FoundationError {
  return new FoundationError('INTERNAL', `it ended with code ${code}`);
}

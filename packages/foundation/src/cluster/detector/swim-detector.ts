import type { Timer } from '../../clock.ts';
import type { DetectorBoard } from './detector-board.ts';
import type { DetectorParts, FailureDetector, Watched } from './failure-detector.ts';
import type { ProbeChannel, ProbeHost } from './probe-channel.ts';
import type { Route, SwimAction } from './swim-action.ts';
import type { Life } from './swim-message.ts';
import { decodeSwim, encodeSwim } from './swim-packet.ts';
import { SwimState } from './swim-state.ts';

/** What a detector needs of the thread it is in. */
export interface SwimSurroundings {
  readonly board: DetectorBoard;
  readonly open: (host: ProbeHost) => Promise<ProbeChannel>;
}

/** Milliseconds after which a channel that could not be opened is tried again. */
const reopenEveryMs = 2_000;

/** {@link SwimState} with a clock and a channel, in whatever thread it is. */
export class SwimDetector implements FailureDetector {
  readonly #parts: DetectorParts;
  readonly #board: DetectorBoard;
  readonly #state: SwimState;
  readonly #peers = new Map<string, Watched & { readonly probeAddress?: string }>();
  #opening: Promise<void>;
  #reopen: Timer | undefined;
  #channel: ProbeChannel | undefined;
  #timer: Timer | undefined;
  #timerMs = Infinity;
  #isStopped = false;

  constructor(parts: DetectorParts, { board, open }: SwimSurroundings) {
    const { self, settings, random, clock } = parts;
    this.#parts = parts;
    this.#board = board;
    this.#state = new SwimState({ self, settings, random, nowMs: clock.now() });
    this.#opening = this.#open(open);
    this.#schedule();
  }

  get health(): number {
    return this.#board.health;
  }

  refused(): Readonly<Record<string, number>> {
    return this.#board.refused();
  }

  watch(peer: Watched): void {
    const known = this.#peers.get(peer.node);
    const isKnown = known?.incarnation === peer.incarnation;
    this.#peers.set(peer.node, { ...(isKnown ? known : {}), ...peer });
    this.#carryOut(this.#state.watch(lifeOf(peer), this.#now()));
    this.#invite(peer);
  }

  locate({ node, incarnation }: Life, probeAddress: string): void {
    const peer = this.#peers.get(node);
    if (peer?.incarnation === incarnation) this.#peers.set(node, { ...peer, probeAddress });
  }

  forget(node: string): void {
    this.#peers.delete(node);
    this.#state.forget(node);
  }

  look(node: string): void {
    this.#carryOut(this.#state.look(node, this.#now()));
  }

  receive(from: Life, bytes: Uint8Array): void {
    this.#receive(from, bytes, 'link');
  }

  /** This node's event loop stands still, or comes round again. */
  stalled(isStalled: boolean): void {
    this.#carryOut(this.#state.stalled(isStalled, this.#now()));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#reopen?.cancel();
    await this.#opening;
    await this.#channel?.close();
  }

  /** Without a channel all goes over the links. */
  async #open(open: SwimSurroundings['open']): Promise<void> {
    const { self, clock, handlers } = this.#parts;
    try {
      this.#channel = await open({
        self,
        nextSequence: () => this.#board.nextSequence(),
        onDatagram: (from, bytes) => this.#receive(from, bytes, 'datagram'),
        refused: (code) => this.#board.refuse(code),
      });
      for (const peer of this.#peers.values()) this.#invite(peer);
    } catch (error) {
      if (this.#isStopped) return;
      handlers.onProblem('opening the channel of the failure detector', error);
      const again = (): void => void (this.#opening = this.#open(open));
      this.#reopen = clock.after(reopenEveryMs, again, 'background');
    }
  }

  #invite(peer: Life): void {
    if (this.#channel === undefined || this.#isStopped) return;
    this.#parts.handlers.onAddress(lifeOf(peer), this.#channel.addressFor(peer));
  }

  #receive(from: Life, bytes: Uint8Array, by: Route): void {
    if (this.#isStopped) return;
    const message = decodeSwim(bytes);
    if (message === undefined) return this.#board.refuse('MALFORMED');
    this.#carryOut(this.#state.receive(message, { from, by, nowMs: this.#now() }));
  }

  #carryOut(actions: readonly SwimAction[]): void {
    if (this.#isStopped) return;
    const { handlers } = this.#parts;
    for (const action of actions) {
      if (action.kind === 'send') this.#send(action);
      else if (action.kind === 'seen') handlers.onSighting(action.about, action.sighting);
      else handlers.onJudgement(action);
    }
    this.#board.health = this.#state.health;
    this.#schedule();
  }

  #send({ to, message, by }: SwimAction & { readonly kind: 'send' }): void {
    const bytes = encodeSwim(message);
    const [peer, channel] = [this.#peers.get(to.node), this.#channel];
    if (by === 'link' || channel === undefined || peer?.probeAddress === undefined) {
      this.#parts.handlers.carry(to, bytes);
    } else channel.send({ ...peer, probeAddress: peer.probeAddress }, bytes);
  }

  /** One timer for all: it rings when the first is due, or earlier. */
  #schedule(): void {
    const { dueMs } = this.#state;
    if (this.#timer !== undefined && this.#timerMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerMs = dueMs;
    const ring = (): void => {
      this.#timer = undefined;
      this.#carryOut(this.#state.pass(this.#now()));
    };
    this.#timer = this.#parts.clock.after(Math.max(0, dueMs - this.#now()), ring, 'background');
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

function lifeOf({ node, incarnation }: Life): Life {
  return { node, incarnation };
}

import { DetectorBoard } from './detector-board.ts';
import { DetectorThread } from './detector-thread.ts';
import type { DetectorParts, FailureDetector } from './failure-detector.ts';
import type { ProbeSource } from './probe-channel.ts';
import { SwimDetector } from './swim-detector.ts';

/** A detector where the transport's probes want it: in a thread, or here. */
export function openDetector(source: ProbeSource, parts: DetectorParts): FailureDetector {
  if (source.kind === 'thread') return new DetectorThread(parts, source);
  return new SwimDetector(parts, { board: new DetectorBoard(), open: (host) => source.open(host) });
}

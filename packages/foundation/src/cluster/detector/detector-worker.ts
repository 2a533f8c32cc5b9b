import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../../clock.ts';
import { systemRandom } from '../../random.ts';
import { DetectorBoard } from './detector-board.ts';
import type {
  DetectorThreadData,
  FromDetectorThread,
  ToDetectorThread,
} from './detector-thread-message.ts';
import type { ProbeModule } from './probe-channel.ts';
import { StallWatch } from './stall-watch.ts';
import { SwimDetector } from './swim-detector.ts';

// The thread of the probes: no code of users runs here, so nothing that they do keeps it from answering.
const data: DetectorThreadData = workerData;
const tell = (message: FromDetectorThread): void => parentPort?.postMessage(message);
const board = new DetectorBoard(data.memory);
const probes: ProbeModule = await import(data.module);

const { self, settings, channel } = data;
const detector = new SwimDetector(
  {
    self,
    settings,
    clock: systemClock,
    random: systemRandom,
    handlers: {
      onAddress: (to, probeAddress) => tell({ kind: 'address', to, probeAddress }),
      onJudgement: (judgement) => tell({ kind: 'judgement', judgement }),
      onSighting: (about, sighting) => tell({ kind: 'sighting', about, sighting }),
      carry: (to, bytes) => tell({ kind: 'carry', to, bytes }),
      onProblem: (what, error) => tell({ kind: 'problem', what, error }),
    },
  },
  { board, open: (host) => probes.openProbes(host, channel) },
);
const watch = new StallWatch(board, systemClock, (isStalled) => detector.stalled(isStalled));

parentPort?.on('message', (message: ToDetectorThread) => {
  if (message === null) return void stop();
  switch (message.kind) {
    case 'watch':
      return detector.watch(message.peer);
    case 'locate':
      return detector.locate(message.life, message.probeAddress);
    case 'forget':
      return detector.forget(message.node);
    case 'look':
      return detector.look(message.node);
    case 'receive':
      return detector.receive(message.from, message.bytes);
  }
});

async function stop(): Promise<void> {
  watch.stop();
  await detector.stop();
  parentPort?.close();
}

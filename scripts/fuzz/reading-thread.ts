// Reads bad inputs in a thread of its own: told with what and how many, says what came of it.
import { parentPort } from 'node:worker_threads';

import { decoders } from './decoders.ts';
import { readMany, type ReadingOrder } from './reading.ts';

// Thousands of errors a second are made here, and nobody reads where.
Error.stackTraceLimit = 0;

parentPort?.on('message', (order: ReadingOrder) => {
  const decoder = decoders.find(({ name }) => name === order.decoder);
  if (decoder !== undefined) parentPort?.postMessage(readMany(decoder, order));
});

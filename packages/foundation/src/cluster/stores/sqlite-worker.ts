import { parentPort, workerData } from 'node:worker_threads';

import { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteRequest, SqliteSettings } from './sqlite-protocol.ts';

// The thread of a SqliteDatabase: batches come in, answers go out, `null` ends it.
const settings: SqliteSettings = workerData;
const connection = new SqliteConnection(settings);

parentPort?.on('message', (batch: readonly SqliteRequest[] | null) => {
  if (batch !== null) {
    parentPort?.postMessage(connection.run(batch));
    return;
  }
  connection.close();
  parentPort?.close();
});

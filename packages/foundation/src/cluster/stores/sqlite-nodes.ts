import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

import type { Freshness, Holding, NodeRow, SqliteHandlers } from './sqlite-protocol.ts';

/** `incarnations` keeps the highest one that was ever handed out, whatever rows are gone. */
export const nodesSchema = `
  CREATE TABLE nodes (
    node TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, address TEXT NOT NULL,
    os_pid INTEGER NOT NULL, boot_id TEXT NOT NULL, heartbeat INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE incarnations (last INTEGER NOT NULL) STRICT;
  INSERT INTO incarnations VALUES (0);
`;

type NodeHandlers = Pick<SqliteHandlers, 'reserve' | 'hold' | 'look' | 'withdraw'>;

/** Answers the requests of the rendezvous. */
export function nodeHandlers(database: DatabaseSync): NodeHandlers {
  const selectAll = database.prepare('SELECT * FROM nodes ORDER BY node');
  const selectOne = database.prepare('SELECT * FROM nodes WHERE node = ?');
  const replace = database.prepare('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM nodes WHERE node = ? AND incarnation = ?');
  const nextIncarnation = database.prepare(
    'UPDATE incarnations SET last = max(last + 1, ?) RETURNING last',
  );
  const rows = (): NodeRow[] => selectAll.all().map(parseRow);

  function hold(row: NodeRow, limit: Freshness): Holding {
    const found = selectOne.get(row.node);
    const holder = found && parseRow(found);
    if (holder !== undefined && !isSame(holder, row) && isLive(holder, limit)) {
      return { outcome: 'taken', osPid: holder.osPid };
    }
    replace.run(row.node, row.incarnation, row.address, row.osPid, row.bootId, row.heartbeat);
    return { outcome: 'held', incarnation: row.incarnation };
  }

  return {
    reserve({ row, atLeast, limit }): Holding {
      const incarnation = Number(nextIncarnation.get(atLeast)?.['last']);
      return hold({ ...row, incarnation }, limit);
    },
    hold({ row, limit }): Holding {
      for (const other of rows()) {
        if (!isLive(other, limit)) remove.run(other.node, other.incarnation);
      }
      return hold(row, limit);
    },
    look(limit) {
      return rows()
        .filter((row) => row.address !== '' && isLive(row, limit))
        .map(({ node, incarnation, address }) => ({ node, incarnation, address }));
    },
    withdraw({ node, incarnation }) {
      remove.run(node, incarnation);
      return null;
    },
  };
}

/** Whether the process behind a row is still there, as far as this machine can tell. */
export function isLive(row: NodeRow, limit: Freshness): boolean {
  const ageMs = limit.now - row.heartbeat;
  return (
    row.bootId === limit.bootId && Math.abs(ageMs) <= limit.staleMs && isProcessRunning(row.osPid)
  );
}

function isSame(one: NodeRow, other: NodeRow): boolean {
  return one.osPid === other.osPid && one.incarnation === other.incarnation;
}

function isProcessRunning(osPid: number): boolean {
  try {
    return process.kill(osPid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function parseRow(row: Record<string, SQLOutputValue>): NodeRow {
  return {
    node: String(row['node']),
    incarnation: Number(row['incarnation']),
    address: String(row['address']),
    osPid: Number(row['os_pid']),
    bootId: String(row['boot_id']),
    heartbeat: Number(row['heartbeat']),
  };
}

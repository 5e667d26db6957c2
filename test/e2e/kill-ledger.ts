import assert from 'node:assert/strict';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Memory } from '../../src/state/memory.ts';

/** What a daemon that was killed has left. */
export interface KilledLedger {
  readonly live: string | null;
  readonly proven: string | null;
  readonly candidate: Memory['rollout']['candidate'];
  readonly outcomes: ReadonlyMap<string, string | null>;
  /** Versions of which it was ever said that they are proven. */
  readonly everProven: readonly string[];
}

/** Opens a copy, so that it is the daemon that mends what the kill left. Throws when it is damaged. */
export async function readLedger(state: string, copy: string): Promise<KilledLedger> {
  const names = await readdir(state);
  await mkdir(copy);
  for (const name of names.filter((each) => /^ledger\.sqlite(-wal)?$/.test(each)))
    await cp(join(state, name), join(copy, name));
  using database = new DatabaseSync(join(copy, 'ledger.sqlite'));
  const all = (sql: string) => database.prepare(sql).all() as Record<string, string | null>[];
  assert.deepEqual(Object.values(all('PRAGMA integrity_check')[0]!), ['ok']);
  const [row] = all('SELECT json FROM state');
  const { live, candidate } = row ? (JSON.parse(row.json!) as Memory).rollout : { live: null, candidate: null };
  return {
    candidate,
    live: live?.version ?? null,
    proven: live && (live.proven ? live.version : live.fallback),
    outcomes: new Map(all('SELECT version, outcome FROM revisions').map((row) => [row.version!, row.outcome ?? null])),
    everProven: all("SELECT version FROM events WHERE type = 'live' AND detail LIKE '%\"proven\":true%'").map(
      (row) => row.version!,
    ),
  };
}

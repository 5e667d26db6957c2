import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { LedgerEntry } from '../../src/ledger/entry.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { Ledger, LedgerOptions } from '../../src/ledger/types.ts';

/** 2026-01-01T00:00:00Z */
export const epoch = Date.UTC(2026, 0, 1);

export const refusal = { node: 'envoy-1', code: 13, message: 'Invalid runtime entry value for a.b' };

/** A full SHA whose first digits are `n`. */
export function sha(n: number): string {
  return n.toString(16).padStart(8, '0').padEnd(40, '0');
}

export function revision(n: number): LedgerEntry {
  return {
    type: 'revision',
    version: sha(n),
    subject: `Change ${n}`,
    author: 'Ada <ada@example.org>',
    committedAt: '2026-01-01T00:00:00Z',
  };
}

/** `customers`: id to shard size. */
export function release(n: number, customers: Record<string, number> = {}): LedgerEntry {
  const fields = new Map<string, string | number>([['shuffle_sharding.version', sha(n)]]);
  for (const [id, size] of Object.entries(customers)) fields.set(`shuffle_sharding.customer.${id}.shard_size`, size);
  return { type: 'release', release: { version: sha(n), subject: `Change ${n}`, fields }, resource: resource(n) };
}

export function resource(n: number): Buffer {
  return Buffer.from(`bytes of ${n}`);
}

export function live(n: number, proven = true): LedgerEntry {
  return { type: 'live', live: { version: sha(n), since: epoch + n, proven } };
}

/** All that happens when a commit goes live on two nodes. */
export function success(n: number): LedgerEntry[] {
  return [
    revision(n),
    release(n),
    { type: 'push_started', version: sha(n), seq: n, connected: 2 },
    { type: 'push_settled', version: sha(n), seq: n, connected: 2, acked: 2, refused: 0, unanswered: 0 },
    { type: 'outcome', version: sha(n), outcome: 'live' },
    live(n),
  ];
}

/** All that happens when a commit is refused. */
export function failure(n: number): LedgerEntry[] {
  return [
    revision(n),
    release(n),
    { type: 'push_started', version: sha(n), seq: n, connected: 2 },
    { type: 'refused', version: sha(n), refusal, place: { key: 'a.b', file: 'shard-config.yaml', line: 7, column: 3 } },
    { type: 'pinned', version: sha(n), refusal },
    { type: 'outcome', version: sha(n), outcome: 'rolled_back', reason: refusal.message },
    { type: 'push_settled', version: sha(n), seq: n, connected: 2, acked: 1, refused: 1, unanswered: 0 },
  ];
}

/** A directory that is gone after the test. */
export function temporary(context: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'shardplane-ledger-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A ledger that is closed after the test. */
export function open(context: TestContext, options: LedgerOptions): Ledger {
  const ledger = openLedger(options);
  context.after(() => ledger.close());
  return ledger;
}

/** A clock that stands still until it is told otherwise. */
export function manualClock(): { now: number; read: () => number } {
  const clock = { now: epoch, read: () => clock.now };
  return clock;
}

import type { Diagnostic } from '../config/diagnostic.ts';
import type { Outcome } from '../rollout/types.ts';
import type { PushCounts } from './entry.ts';
import type { Row, Statements } from './statements.ts';

/** One revision as `shardplane history --json` prints it: a contract. Times are RFC 3339, UTC. */
export interface HistoryEntry {
  /** Its place in the order of first sight: give it as `before` to get the next page. */
  readonly id: number;
  readonly version: string;
  readonly subject: string;
  readonly author: string;
  readonly committedAt: string;
  readonly seenAt: string;
  /** Null: not decided yet. */
  readonly outcome: Outcome | null;
  readonly outcomeAt: string | null;
  readonly reason: string | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Its newest push, or null when it was never pushed. `settledAt` is null while answers are awaited. */
  readonly push: (PushCounts & { readonly startedAt: string; readonly settledAt: string | null }) | null;
  /** It is what the fleet runs. */
  readonly live: boolean;
  /** Refused once: not pushed again before a `retry`. */
  readonly pinned: boolean;
  /** Waits for `accept`. */
  readonly held: boolean;
}

/** Which revisions, newest first. */
export interface HistoryQuery {
  /** 1 to 1000. */
  readonly limit: number;
  /** Only what was seen before the entry with this id. */
  readonly before?: number | undefined;
  readonly outcome?: Outcome | undefined;
  /** Milliseconds since the epoch: only what was seen at or after it. */
  readonly since?: number | undefined;
  /** Only what changes this customer's shard size. */
  readonly customer?: string | undefined;
}

/** One thing that happened to a revision. `detail` depends on `type` (docs/ledger.md). */
export interface StoryEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly type: string;
  readonly by: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** All that is known of one commit, in the order in which it happened. */
export interface Story {
  readonly revision: HistoryEntry;
  readonly events: readonly StoryEvent[];
}

/** The most nodes that one of the newest pushes was offered to. */
export function readMembers({ all }: Statements): number {
  const [row] = all(
    'SELECT max(connected) AS members FROM (SELECT connected FROM revisions WHERE connected IS NOT NULL ORDER BY id DESC LIMIT 20)',
  );
  return Number(row?.members ?? 0);
}

const columns = `revisions.*, version IS (SELECT live FROM fleet) AS live,
  EXISTS (SELECT 1 FROM marks WHERE marks.version = revisions.version AND kind = 'pinned') AS pinned,
  EXISTS (SELECT 1 FROM marks WHERE marks.version = revisions.version AND kind = 'held') AS held`;

/** Throws SQLite's errors. */
export function readHistory({ all }: Statements, query: HistoryQuery): HistoryEntry[] {
  const { before = null, outcome = null, since = null, customer = null } = query;
  const limit = Math.min(Math.max(1, Math.trunc(query.limit)), 1000);
  const rows = all(
    `SELECT ${columns} FROM revisions
     WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR outcome = ?2) AND (?3 IS NULL OR seen_at >= ?3)
       AND (?4 IS NULL OR every_customer = 1
         OR EXISTS (SELECT 1 FROM changes WHERE customer = ?4 AND changes.version = revisions.version))
     ORDER BY id DESC LIMIT ?5`,
    ...[before, outcome, since, customer, limit],
  );
  return rows.map(toHistoryEntry);
}

/** The revision that has this version or begins with it (at least 4 hex digits); null: none, `ambiguous`: several. */
export function readStory(statements: Statements, prefix: string): Story | null | 'ambiguous' {
  const version = prefix.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(version)) return null;
  const rows = statements.all(
    `SELECT ${columns} FROM revisions WHERE version >= ?1 AND version < ?1 || 'g' ORDER BY version LIMIT 2`,
    version,
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (rows.length > 1 && row.version !== version) return 'ambiguous';
  return { revision: toHistoryEntry(row), events: readEvents(statements, String(row.version)) };
}

/** One revision, or null. */
export function readRevision({ all }: Statements, version: string): HistoryEntry | null {
  const [row] = all(`SELECT ${columns} FROM revisions WHERE version = ?`, version);
  return row === undefined ? null : toHistoryEntry(row);
}

/** Which of these have their final outcome. */
export function readDecided({ all }: Statements, versions: readonly string[]): Set<string> {
  const rows = all(
    `SELECT version FROM revisions WHERE outcome IS NOT NULL AND outcome != 'held'
       AND version IN (SELECT value FROM json_each(?))`,
    JSON.stringify(versions),
  );
  return new Set(rows.map(({ version }) => String(version)));
}

/** Revisions without a final outcome, oldest first; `before`: the one that a held one had before. */
export function readOpen({ all }: Statements): { version: string; before: Outcome | null }[] {
  const rows = all(
    `SELECT version, (SELECT json_extract(detail, '$.outcome') FROM events
       WHERE events.version = revisions.version AND type = 'outcome' AND json_extract(detail, '$.outcome') != 'held'
       ORDER BY events.id DESC LIMIT 1) AS before
     FROM revisions WHERE (outcome IS NULL OR outcome = 'held')
       AND NOT EXISTS (SELECT 1 FROM fleet WHERE revisions.version IN (live, proven)) ORDER BY id LIMIT 1000`,
  );
  return rows.map(({ version, before }) => ({ version: String(version), before: before as Outcome | null }));
}

function readEvents({ all }: Statements, version: string): StoryEvent[] {
  return all('SELECT at, type, by, detail FROM events WHERE version = ? ORDER BY id', version).map((row) => ({
    at: time(row.at),
    type: String(row.type),
    by: row.by === null ? null : String(row.by),
    detail: JSON.parse(String(row.detail)) as Record<string, unknown>,
  }));
}

function toHistoryEntry(row: Row): HistoryEntry {
  return {
    id: Number(row.id),
    version: String(row.version),
    subject: String(row.subject),
    author: String(row.author),
    committedAt: String(row.committed_at),
    seenAt: time(row.seen_at),
    outcome: row.outcome as Outcome | null,
    outcomeAt: timeOrNull(row.outcome_at),
    reason: row.reason === null ? null : String(row.reason),
    diagnostics: JSON.parse(String(row.diagnostics)) as Diagnostic[],
    push: toPush(row),
    live: row.live === 1,
    pinned: row.pinned === 1,
    held: row.held === 1,
  };
}

function toPush(row: Row): HistoryEntry['push'] {
  if (row.pushed_at == null) return null;
  const count = (column: string): number => Number(row[column] ?? 0);
  return {
    startedAt: time(row.pushed_at),
    settledAt: timeOrNull(row.settled_at),
    connected: count('connected'),
    acked: count('acked'),
    refused: count('refused'),
    unanswered: count('unanswered'),
  };
}

/** A column that a row of this query may not have. */
type Value = Row[string] | undefined;

function time(value: Value): string {
  return new Date(Number(value)).toISOString();
}

function timeOrNull(value: Value): string | null {
  return value == null ? null : time(value);
}

import type { Diagnostic } from '../../config/diagnostic.ts';
import type { Candidate } from '../../rollout/candidate.ts';
import type { Outcome } from '../../rollout/types.ts';
import type { HistoryEntry, HistoryQuery, LiveEntry, LivesQuery, Story, StoryEvent } from '../store.ts';
import { parseMemory, readState } from './saved-state.ts';
import type { Row, Statements } from './statements.ts';

/** `?1` is the head's version. A hold is over once it is accepted. */
const columns = `revisions.*, iif(outcome = 'held' OR version = ?1, (
    SELECT type FROM events WHERE events.version = revisions.version AND type IN ('held', 'accepted') ORDER BY id DESC LIMIT 1
  ), NULL) AS hold`;

/** What the state says about revisions. */
interface Flags {
  readonly live: string | null;
  readonly pinned: ReadonlySet<string>;
  readonly head: { readonly version: string; readonly outcome: Outcome | null } | null;
  readonly candidate: Candidate | null;
}

/** Throws SQLite's errors. */
export function readHistory(statements: Statements, query: HistoryQuery): HistoryEntry[] {
  const { before = null, outcome = null, since = null, customer = null } = query;
  const flags = readFlags(statements);
  const rows = statements.all(
    `SELECT ${columns} FROM revisions
     WHERE (?2 IS NULL OR id < ?2) AND (?3 IS NULL OR outcome = ?3) AND (?4 IS NULL OR seen_at >= ?4)
       AND (?5 IS NULL OR every_customer = 1
         OR EXISTS (SELECT 1 FROM changes WHERE customer = ?5 AND changes.version = revisions.version))
     ORDER BY id DESC LIMIT ?6`,
    ...[flags.head?.version ?? null, before, outcome, since, customer, toLimit(query.limit)],
  );
  return rows.map((row) => toHistoryEntry(row, flags));
}

/** An unproven release that is proven later has two events: the first counts. Throws SQLite's errors. */
export function readLives(statements: Statements, query: LivesQuery): LiveEntry[] {
  const { before = null, until = null } = query;
  const flags = readFlags(statements);
  const rows = statements.all(
    `WITH lives AS (
       SELECT id AS live_id, at AS live_at, version AS live_version, lag(version) OVER (ORDER BY id) AS earlier
       FROM events WHERE type = 'live')
     SELECT ${columns}, live_id, live_at FROM lives JOIN revisions ON version = live_version
     WHERE earlier IS NOT live_version AND (?2 IS NULL OR live_id < ?2) AND (?3 IS NULL OR live_at <= ?3)
     ORDER BY live_id DESC LIMIT ?4`,
    ...[flags.head?.version ?? null, before, until, toLimit(query.limit)],
  );
  return rows.map((row) => ({
    ...toHistoryEntry(row, flags),
    liveId: Number(row.live_id),
    liveAt: time(row.live_at),
  }));
}

function toLimit(limit: number): number {
  return Math.min(Math.max(1, Math.trunc(limit)), 1000);
}

/** The revision whose version has this prefix (at least 4 hex digits); null: none, `ambiguous`: several. */
export function readStory(statements: Statements, prefix: string): Story | null | 'ambiguous' {
  const version = prefix.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(version)) return null;
  const flags = readFlags(statements);
  const rows = statements.all(
    `SELECT ${columns} FROM revisions WHERE version >= ?2 AND version < ?2 || 'g' ORDER BY version LIMIT 2`,
    ...[flags.head?.version ?? null, version],
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (rows.length > 1 && row.version !== version) return 'ambiguous';
  return { revision: toHistoryEntry(row, flags), events: readEvents(statements, String(row.version)) };
}

function readEvents({ all }: Statements, version: string): StoryEvent[] {
  return all('SELECT at, type, by, detail FROM events WHERE version = ? ORDER BY id', version).map((row) => ({
    at: time(row.at),
    type: String(row.type),
    by: row.by === null ? null : String(row.by),
    detail: JSON.parse(String(row.detail)) as Record<string, unknown>,
  }));
}

function readFlags(statements: Statements): Flags {
  const memory = parseMemory(readState(statements));
  if (memory === null) return { live: null, pinned: new Set(), head: null, candidate: null };
  const { live, pins, candidate } = memory.rollout;
  const pinned = new Set(pins.map(({ version }) => version));
  return { live: live?.version ?? null, pinned, head: memory.revisions.head, candidate };
}

function toHistoryEntry(row: Row, { live, pinned, head, candidate }: Flags): HistoryEntry {
  const version = String(row.version);
  const outcome = row.outcome as Outcome | null;
  const current = version === head?.version ? head.outcome : outcome;
  return {
    id: Number(row.id),
    version,
    subject: String(row.subject),
    author: String(row.author),
    committedAt: String(row.committed_at),
    seenAt: time(row.seen_at),
    outcome,
    outcomeAt: timeOrNull(row.outcome_at),
    reason: row.reason === null ? null : String(row.reason),
    diagnostics: JSON.parse(String(row.diagnostics)) as Diagnostic[],
    push: toPush(row),
    live: version === live,
    pinned: pinned.has(version),
    held: current === 'held' && row.hold !== 'accepted',
    rollout: candidate?.version === version ? toRollout(candidate) : null,
  };
}

function toRollout({ wave, plan, paused }: Candidate): HistoryEntry['rollout'] {
  return { wave: wave + 1, waves: plan.waves.length, paused: paused !== null };
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

type Value = Row[string] | undefined;

function time(value: Value): string {
  return new Date(Number(value)).toISOString();
}

function timeOrNull(value: Value): string | null {
  return value == null ? null : time(value);
}

import type { Refusal } from '../rollout/types.ts';
import { contentsKept } from './content.ts';
import type { LedgerEntry, Stamped, StoredRelease } from './entry.ts';
import { fieldsToJson } from './json.ts';
import type { Statements } from './statements.ts';

type EntryOf<T extends LedgerEntry['type']> = Extract<LedgerEntry, { type: T }>;
type Run = Statements['run'];

/** What is said of a revision beside its outcome; each kind at most once. */
export interface Mark {
  readonly kind: 'pinned' | 'held' | 'accepted';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by?: string | undefined;
  readonly reason?: string;
  readonly refusal?: Refusal;
}

/** A row to refer to, for entries about a revision that was lost, pruned or never recorded. */
export function ensureRevision(run: Run, version: string, at: number): void {
  const columns = 'version, subject, author, committed_at, seen_at, diagnostics';
  run(`INSERT OR IGNORE INTO revisions (${columns}) VALUES (?, '', '', '', ?, '[]')`, version, at);
}

/** Returns whether it is new; seen again, it only becomes the head. */
export function writeRevision(run: Run, entry: EntryOf<'revision'>, at: number): boolean {
  const { version, subject, author, committedAt, diagnostics = [] } = entry;
  const added = run(
    `INSERT INTO revisions (version, subject, author, committed_at, seen_at, diagnostics) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (version) DO UPDATE SET subject = excluded.subject, author = excluded.author, committed_at = excluded.committed_at
     WHERE revisions.committed_at = ''`,
    ...[version, subject, author, committedAt, at, JSON.stringify(diagnostics)],
  );
  if (!entry.isPast) run('UPDATE fleet SET head = ?', version);
  return added;
}

/** Returns whether it is news. */
export function writeOutcome(run: Run, entry: EntryOf<'outcome'>, at: number): boolean {
  const { version, outcome, reason = null, diagnostics } = entry;
  if (diagnostics) run('UPDATE revisions SET diagnostics = ? WHERE version = ?', JSON.stringify(diagnostics), version);
  return run(
    `UPDATE revisions SET outcome = ?1, outcome_at = ?2, reason = ?3
     WHERE version = ?4 AND (outcome IS NOT ?1 OR reason IS NOT ?3)`,
    ...[outcome, at, reason, version],
  );
}

/** `id`: its place in the order of stored releases. */
export function storeRelease(run: Run, { release, resource }: StoredRelease, id: number): void {
  run(
    `INSERT INTO releases (version, stored_id, subject, fields, resource) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (version) DO UPDATE SET stored_id = excluded.stored_id, subject = excluded.subject,
       fields = excluded.fields, resource = excluded.resource`,
    ...[release.version, id, release.subject, fieldsToJson(release.fields), resource],
  );
}

/** Forgets the bytes of all but the newest `kept` releases, the live and the proven one. */
export function dropOldReleases(run: Run, kept: number): void {
  run(
    `DELETE FROM releases WHERE version NOT IN (SELECT version FROM releases ORDER BY stored_id DESC LIMIT ?)
     AND NOT EXISTS (SELECT 1 FROM fleet WHERE releases.version IN (live, proven))`,
    kept,
  );
}

/** Notes which customers a release changes. */
export function writeChanges(run: Run, version: string, customers: Stamped['customers']): void {
  if (customers === 'every') return void run('UPDATE revisions SET every_customer = 1 WHERE version = ?', version);
  for (const customer of customers)
    run('INSERT OR IGNORE INTO changes (customer, version) VALUES (?, ?)', customer, version);
}

/** Returns whether it is news. A live release without bytes can't be served again: it is written as none. */
export function writeLive(run: Run, live: EntryOf<'live'>['live']): boolean {
  const changed = run(
    `UPDATE fleet SET live = (SELECT version FROM releases WHERE version = ?1), live_since = ?2, live_proven = ?3
     WHERE live IS NOT ?1 OR live_since IS NOT ?2 OR live_proven IS NOT ?3`,
    ...[live?.version ?? null, live?.since ?? null, live ? Number(live.proven) : null],
  );
  if (live?.proven) run('UPDATE fleet SET proven = ifnull(live, proven)');
  return changed;
}

/** Remembers that a content was live; the oldest beyond the bound are forgotten. */
export function writeContent(run: Run, digest: string): void {
  run('DELETE FROM contents WHERE digest = ?', digest);
  run('INSERT INTO contents (digest) VALUES (?)', digest);
  run('DELETE FROM contents WHERE id <= (SELECT id FROM contents ORDER BY id DESC LIMIT 1 OFFSET ?)', contentsKept);
}

export function writePushStarted(run: Run, entry: EntryOf<'push_started'>, at: number): void {
  run(
    `UPDATE revisions SET pushed_at = ?, settled_at = NULL, connected = ?, acked = 0, refused = 0, unanswered = 0
     WHERE version = ?`,
    ...[at, entry.connected, entry.version],
  );
  run('UPDATE fleet SET seq = max(seq, ?)', entry.seq);
}

export function writePushSettled(run: Run, entry: EntryOf<'push_settled'>, at: number): void {
  run(
    'UPDATE revisions SET settled_at = ?, connected = ?, acked = ?, refused = ?, unanswered = ? WHERE version = ?',
    ...[at, entry.connected, entry.acked, entry.refused, entry.unanswered, entry.version],
  );
  run('UPDATE fleet SET seq = max(seq, ?)', entry.seq);
}

/** Returns whether it is new. */
export function addMark(run: Run, version: string, mark: Mark): boolean {
  const { kind, at, by = null, reason = null, refusal } = mark;
  return run(
    'INSERT OR IGNORE INTO marks (version, kind, at, by, reason, refusal) VALUES (?, ?, ?, ?, ?, ?)',
    ...[version, kind, at, by, reason, refusal ? JSON.stringify(refusal) : null],
  );
}

type Mute = Extract<LedgerEntry, { node: string }>;

/** Returns whether it is news. */
export function writeMute(run: Run, entry: Mute, at: number): boolean {
  const { type, node, by } = entry;
  if (type === 'unmuted') return run('DELETE FROM muted WHERE node = ?', node);
  return run('INSERT OR IGNORE INTO muted (node, at, by) VALUES (?, ?, ?)', node, at, by ?? null);
}

/** Returns whether it was there. */
export function removeMark(run: Run, version: string, kind: string): boolean {
  return run('DELETE FROM marks WHERE version = ? AND kind = ?', version, kind);
}

import type { LedgerEntry, Stamped } from './entry.ts';
import type { Statements } from './statements.ts';
import * as tables from './tables.ts';

/** A flapping node refuses without end, and its first words are enough. The rest of a story is bounded as well. */
const refusalsPerVersion = 100;
const eventsPerVersion = 1000;

/**
 * Writes one entry, inside a transaction of the caller's; errors of SQLite are thrown. Writing an entry twice does no harm.
 * @param releasesKept newest releases whose bytes are kept, beside the live and the proven one.
 */
export function writeEntry(run: Statements['run'], stamped: Stamped, releasesKept: number): void {
  const version = versionOf(stamped.entry);
  if (version !== null && stamped.entry.type !== 'revision') tables.ensureRevision(run, version, stamped.at);
  const isNews = takeEntry(run, stamped, releasesKept);
  if (isNews && version !== null) logEvent(run, version, stamped);
}

/** Takes an entry into the tables; false when it changed nothing, and so has no place in the story. */
function takeEntry(run: Statements['run'], stamped: Stamped, releasesKept: number): boolean {
  const { entry, at } = stamped;
  switch (entry.type) {
    case 'revision':
      return tables.writeRevision(run, entry, at);
    case 'outcome':
      // Overtaken, it no longer waits.
      if (entry.outcome !== 'held') tables.removeMark(run, entry.version, 'held');
      return tables.writeOutcome(run, entry, at);
    case 'release':
      tables.storeRelease(run, entry, stamped.id);
      tables.writeChanges(run, entry.release.version, stamped.customers);
      tables.dropOldReleases(run, releasesKept);
      return true;
    case 'live':
      if (stamped.content !== null) tables.writeContent(run, stamped.content);
      return tables.writeLive(run, entry.live);
    case 'push_started':
      tables.writePushStarted(run, entry, at);
      return true;
    case 'push_settled':
      tables.writePushSettled(run, entry, at);
      return true;
    case 'refused':
      return true;
    case 'pinned':
      return tables.addMark(run, entry.version, { kind: 'pinned', at, by: entry.by, refusal: entry.refusal });
    case 'unpinned':
      return tables.removeMark(run, entry.version, 'pinned');
    case 'held':
      return tables.addMark(run, entry.version, { kind: 'held', at, reason: entry.reason });
    case 'accepted':
      tables.removeMark(run, entry.version, 'held');
      return tables.addMark(run, entry.version, { kind: 'accepted', at, by: entry.by });
    case 'muted':
    case 'unmuted':
      return tables.writeMute(run, entry, at);
    case 'tip':
      return run('UPDATE fleet SET tip = ?', entry.commit);
  }
}

function logEvent(run: Statements['run'], version: string, { id, at, entry }: Stamped): void {
  const by = 'by' in entry ? (entry.by ?? null) : null;
  const counted = entry.type === 'refused' ? entry.type : null;
  run(
    `INSERT OR IGNORE INTO events (id, version, at, type, by, detail) SELECT ?1, ?2, ?3, ?4, ?5, ?6
     WHERE (SELECT count(*) FROM events WHERE version = ?2 AND (?7 IS NULL OR type = ?7)) < ?8`,
    ...[id, version, at, entry.type, by, JSON.stringify(detailOf(entry))],
    ...[counted, counted === null ? eventsPerVersion : refusalsPerVersion],
  );
}

/** What an event adds to its type, time, version and operator. */
function detailOf(entry: LedgerEntry): object {
  switch (entry.type) {
    case 'outcome':
      return { outcome: entry.outcome, reason: entry.reason ?? null };
    case 'live':
      return { proven: entry.live?.proven ?? false };
    case 'push_started':
      return { seq: entry.seq, connected: entry.connected };
    case 'push_settled': {
      const { seq, connected, acked, refused, unanswered } = entry;
      return { seq, connected, acked, refused, unanswered };
    }
    case 'refused':
      return { ...entry.refusal, place: entry.place ?? null };
    case 'pinned':
      return { refusal: entry.refusal };
    case 'held':
      return { reason: entry.reason };
    case 'revision':
    case 'release':
    case 'unpinned':
    case 'accepted':
    case 'muted':
    case 'unmuted':
    case 'tip':
      return {};
  }
}

/** The revision that an entry is about, if it is about one. */
export function versionOf(entry: LedgerEntry): string | null {
  if (entry.type === 'tip' || 'node' in entry) return null;
  if (entry.type === 'release') return entry.release.version;
  return entry.type === 'live' ? (entry.live?.version ?? null) : entry.version;
}

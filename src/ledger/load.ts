import type { Refusal } from '../rollout/types.ts';
import type { StoredRelease } from './entry.ts';
import { CorruptLedger } from './error.ts';
import { fieldsFromJson } from './json.ts';
import type { Row, Statements } from './statements.ts';
import type { View } from './view.ts';
import { emptyView } from './view.ts';

/** The view that a database holds. Throws SQLite's errors, and CorruptLedger or SyntaxError on what no ledger of ours says. */
export function loadView(statements: Statements): View {
  const view = emptyView();
  const [fleet] = statements.all(
    'SELECT *, max((SELECT ifnull(max(id), 0) FROM events), (SELECT ifnull(max(stored_id), 0) FROM releases)) AS last FROM fleet',
  );
  if (fleet === undefined) throw new CorruptLedger('its table "fleet" is empty');
  loadFleet(view, fleet);
  loadMarks(view, statements);
  for (const { node } of statements.all('SELECT node FROM muted')) view.muted.add(String(node));
  loadReleases(view, statements);
  for (const { digest } of statements.all('SELECT digest FROM contents ORDER BY id')) view.contents.add(String(digest));
  return view;
}

function loadFleet(view: View, fleet: Row): void {
  const { live, live_since: since, live_proven: proven } = fleet;
  view.live = live === null ? null : { version: String(live), since: Number(since), proven: proven === 1 };
  view.proven = textOrNull(fleet.proven);
  view.head = textOrNull(fleet.head);
  view.tip = textOrNull(fleet.tip);
  view.seq = Number(fleet.seq);
  view.nextId = Number(fleet.last) + 1;
}

function loadMarks(view: View, { all }: Statements): void {
  for (const { version, kind, at, reason, refusal } of all('SELECT * FROM marks')) {
    const marked = String(version);
    if (kind === 'pinned') view.pins.set(marked, JSON.parse(String(refusal)) as Refusal);
    if (kind === 'held') view.holds.set(marked, { reason: String(reason), at: Number(at) });
    if (kind === 'accepted') view.accepted.add(marked);
  }
}

/** The live, the proven and the newest one. */
function loadReleases(view: View, { all }: Statements): void {
  const rows = all(
    `SELECT * FROM releases WHERE version IN (SELECT live FROM fleet UNION SELECT proven FROM fleet)
       OR stored_id = (SELECT max(stored_id) FROM releases) ORDER BY stored_id`,
  );
  for (const row of rows) view.releases.set(String(row.version), toRelease(row));
}

function toRelease(row: Row): StoredRelease {
  if (!(row.resource instanceof Uint8Array)) throw new CorruptLedger('a release has no bytes');
  const release = {
    version: String(row.version),
    subject: String(row.subject),
    fields: fieldsFromJson(String(row.fields)),
  };
  return { release, resource: row.resource };
}

function textOrNull(value: Row[string] | undefined): string | null {
  return value == null ? null : String(value);
}

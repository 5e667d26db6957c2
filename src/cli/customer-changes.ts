import type { LiveEntry } from '../ledger/store.ts';
import { changeOf, describeShard, type ShardChange } from '../shard/shard-change.ts';
import { viewOf, type ShardView } from '../shard/shard-of.ts';
import type { Link } from './client.ts';
import type { Configs } from './configs.ts';
import { readLives } from './lives.ts';
import type { SettingsFlags } from './options.ts';
import { Progress } from './progress.ts';

/** Which of the changes. */
export interface CustomerFlags extends SettingsFlags {
  readonly limit: number;
  /** A `liveId`. */
  readonly before?: number;
  readonly outcome?: string;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
}

/** A commit that changed a customer's hosts when it went live. */
export interface CustomerEntry extends LiveEntry {
  /** The version that was live before, when this is an older commit than that one: a rollback, or a branch that was reset. */
  readonly backFrom: string | null;
  readonly shard: ShardChange;
}

/** The changes, newest first, and how complete they are. */
export interface CustomerHistory {
  readonly entries: readonly CustomerEntry[];
  /** Commits that were live, and that git has no valid config of any more. */
  readonly missing: number;
  /** There may be older changes, before the entry with this `liveId`; null: these are all. */
  readonly more: number | null;
}

/** So many of the commits that were live are read at most, so many at once, and none is begun after a minute. */
const [maxLooked, pageSize, maxMs] = [2_000, 100, 60_000];

export interface Sources {
  readonly link: Link | null;
  readonly flags: CustomerFlags;
  readonly configs: Configs;
}

/** A commit that was live, and its config. */
interface Seen {
  readonly entry: LiveEntry;
  readonly view: ShardView;
}

/** What changed the customer's hosts. Throws CliError, GitError, LedgerError. */
export async function readChanges(customer: string, sources: Sources): Promise<CustomerHistory> {
  const { limit, outcome, since = -Infinity, before } = sources.flags;
  const entries: CustomerEntry[] = [];
  let newer: Seen | null = null;
  let [missing, more] = [0, null as number | null];
  const end = (seen: Seen, shard: ShardChange | null, backFrom: string | null): void => {
    if (shard !== null && (outcome === undefined || seen.entry.outcome === outcome))
      entries.push({ ...seen.entry, backFrom, shard });
  };
  for await (const older of walk(sources, before)) {
    if (older === 'missing') {
      missing += 1;
      continue;
    }
    if (older === 'too-many') return { entries, missing, more };
    if (newer !== null) {
      const isBack = newer.entry.id < older.entry.id;
      end(newer, changeOf(older.view, newer.view, customer), isBack ? older.entry.version : null);
      if (entries.length >= limit) return { entries, missing, more: older.entry.liveId + 1 };
    }
    if (Date.parse(older.entry.liveAt) < since) return { entries, missing, more: null };
    [newer, more] = [older, older.entry.liveId + 1];
  }
  if (newer !== null) end(newer, { before: null, after: describeShard(newer.view, customer), causes: [] }, null);
  return { entries, missing, more: null };
}

/** What was live, newest first, each with its config. */
async function* walk(
  { link, flags, configs }: Sources,
  start: number | undefined,
): AsyncGenerator<Seen | 'missing' | 'too-many'> {
  const progress = new Progress('reading commits');
  const end = performance.now() + maxMs;
  let before = start;
  try {
    for (let looked = 0; looked < maxLooked && performance.now() < end;) {
      const page = await readLives(link, flags, { limit: pageSize, before });
      if (page.length === 0) return;
      before = page.at(-1)?.liveId;
      const found = configs.each(page.map(({ version }) => version));
      for (const entry of page) {
        if (performance.now() > end) break;
        const next = await found.next();
        const config = next.done === true ? null : next.value;
        looked += 1;
        progress.show(`${looked} that were live`);
        yield config === null ? 'missing' : { entry, view: viewOf(config.config) };
      }
    }
    yield 'too-many';
  } finally {
    progress.end();
  }
}

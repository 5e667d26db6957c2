import type { LiveEntry, LivesQuery } from '../ledger/store.ts';
import type { Link } from './client.ts';
import { CliError } from './exit.ts';
import { readLedger } from './from-ledger.ts';
import type { SettingsFlags } from './options.ts';

/** What was live, newest first: from the daemon, or from its ledger where none answers. Throws CliError, LedgerError. */
export async function readLives(link: Link | null, flags: SettingsFlags, query: LivesQuery): Promise<LiveEntry[]> {
  if (link !== null) return await askLives(link, query);
  return await readLedger(flags, (ledger) => ledger.lives(query));
}

async function askLives(link: Link, { limit, before, until }: LivesQuery): Promise<LiveEntry[]> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before !== undefined) query.set('before', String(before));
  if (until !== undefined) query.set('until', new Date(until).toISOString());
  const lives = await link.ask(`/api/v1/lives?${query.toString()}`);
  if (lives !== null) return lives as LiveEntry[];
  throw new CliError('the daemon is older than this command, and does not tell what was live', {
    hint: 'restart it with this shardplane',
  });
}

import { Option } from 'commander';
import type { Command } from 'commander';
import type { HistoryEntry, Story } from '../ledger/store.ts';
import { formatHistory, formatStory } from './history-table.ts';
import type { LedgerReader } from '../ledger/ledger.ts';
import { toHistoryQuery } from '../http/history-query.ts';
import { showCustomer } from './customer-history.ts';
import { CliError } from './exit.ts';
import { findDaemonOrNone, printSource, readLedger } from './from-ledger.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, toCount, toSha, useColor, withJson, withSettings } from './options.ts';

interface HistoryFlags extends SettingsFlags {
  readonly limit: number;
  readonly before?: number;
  readonly outcome?: string;
  readonly since?: string;
  readonly customer?: string;
  readonly json?: boolean;
}

/** `shardplane history [SHA]`. */
export function defineHistory(program: Command): void {
  withJson(withSettings(program.command('history')))
    .description('what became of each commit, newest first; with a SHA, the whole story of one')
    .argument('[sha]', 'a commit: its first digits, or HEAD', toSha)
    .addOption(new Option('--limit <n>', 'how many').argParser(toCount).default(20))
    .addOption(
      new Option('--before <id>', 'the page after the entry with this id (--json shows ids)').argParser(toCount),
    )
    .addOption(
      new Option('--outcome <outcome>', 'only these').choices(['invalid', 'live', 'rolled_back', 'superseded', 'held']),
    )
    .option('--since <time>', 'only what was seen since: 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--customer <id>', 'what changed this customer’s hosts, from what to what, and why')
    .action(async (sha: string | undefined, flags: HistoryFlags) => {
      const { customer } = flags;
      if (sha !== undefined) await showStory(sha, flags);
      else if (customer === undefined) await showList(flags);
      else await showCustomer(customer, { ...flags, since: toSince(flags.since) });
    });
}

async function showList(flags: HistoryFlags): Promise<void> {
  const { limit, before, outcome, since } = flags;
  toSince(since);
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [key, value] of Object.entries({ before, outcome, since }))
    if (value !== undefined) query.set(key, String(value));
  const path = `/api/v1/history?${query.toString()}`;
  const link = await findDaemonOrNone(flags);
  const entries = link
    ? ((await link.ask(path)) as HistoryEntry[])
    : await readLedger(flags, (ledger) => ledger.history(toHistoryQuery(query)));
  if (flags.json) {
    printJson(entries);
    return;
  }
  printSource(link, flags);
  process.stdout.write(
    entries.length === 0 ? 'no such commit\n' : formatHistory(entries, { color: useColor(), now: Date.now() }),
  );
}

/** Milliseconds since the epoch. Throws CliError. */
function toSince(since: string | undefined): number | undefined {
  if (since === undefined) return undefined;
  const at = Date.parse(since);
  if (!Number.isNaN(at)) return at;
  throw new CliError(`--since ${since} is not a time`, {
    exitCode: 2,
    hint: 'as in 2026-01-31 or 2026-01-31T12:00:00Z',
  });
}

type StoryFound = Story | null | 'ambiguous';

async function showStory(sha: string, flags: HistoryFlags): Promise<void> {
  const path = `/api/v1/history/${encodeURIComponent(sha)}`;
  const link = await findDaemonOrNone(flags);
  const story = link
    ? ((await link.ask(path)) as StoryFound)
    : await readLedger(flags, (ledger) => readStory(ledger, sha));
  if (story === 'ambiguous')
    throw new CliError(`${sha} is the beginning of several commits`, { hint: 'give more digits' });
  if (story === null)
    throw new CliError(`the ledger knows no commit ${sha}`, { hint: 'shardplane history lists those it knows' });
  if (flags.json) {
    printJson(story);
    return;
  }
  printSource(link, flags);
  process.stdout.write(formatStory(story, { color: useColor() }));
}

/** The ledger alone can't say which commit the ref is at now. */
async function readStory(ledger: LedgerReader, sha: string): Promise<StoryFound> {
  if (sha !== 'HEAD') return await ledger.story(sha);
  throw new CliError('no daemon answers, and only a running one knows HEAD', {
    hint: 'shardplane history lists the commits; name one by its first digits',
  });
}

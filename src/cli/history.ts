import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { HistoryEntry, Story } from '../ledger/history.ts';
import { formatHistory, formatStory } from '../ledger/format.ts';
import { openLedgerReadOnly } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger.ts';
import { toHistoryQuery } from '../ledger/query.ts';
import { askDaemon, NoDaemon } from './client.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, useColor, withJson, withSettings } from './options.ts';

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
    .argument('[sha]', 'a commit, or its first 4 digits or more')
    .addOption(new Option('--limit <n>', 'how many').argParser(toCount).default(20))
    .addOption(
      new Option('--before <id>', 'the page after the entry with this id (--json shows ids)').argParser(toCount),
    )
    .addOption(
      new Option('--outcome <outcome>', 'only these').choices(['invalid', 'live', 'rolled_back', 'superseded', 'held']),
    )
    .option('--since <time>', 'only what was seen since: 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--customer <id>', 'only what changes this customer’s shard size')
    .action((sha: string | undefined, flags: HistoryFlags) => (sha === undefined ? list(flags) : tell(sha, flags)));
}

async function list(flags: HistoryFlags): Promise<void> {
  const { limit, before, outcome, since, customer } = flags;
  if (since !== undefined && Number.isNaN(Date.parse(since)))
    throw new CliError(`--since ${since} is not a time`, {
      exitCode: 2,
      hint: 'as in 2026-01-31 or 2026-01-31T12:00:00Z',
    });
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [key, value] of Object.entries({ before, outcome, since, customer }))
    if (value !== undefined) query.set(key, String(value));
  const path = `/api/v1/history?${query.toString()}`;
  const entries = (await ask(flags, path, (ledger) => ledger.history(toHistoryQuery(query)))) as HistoryEntry[];
  if (flags.json) printJson(entries);
  else
    process.stdout.write(
      entries.length === 0 ? 'nothing\n' : formatHistory(entries, { color: useColor(), now: Date.now() }),
    );
}

async function tell(sha: string, flags: HistoryFlags): Promise<void> {
  const path = `/api/v1/history/${encodeURIComponent(sha)}`;
  const story = (await ask(flags, path, (ledger) => ledger.story(sha))) as Story | null | 'ambiguous';
  if (story === 'ambiguous')
    throw new CliError(`${sha} is the beginning of several commits`, { hint: 'give more digits' });
  if (story === null)
    throw new CliError(`the ledger knows no commit ${sha}`, { hint: 'shardplane history lists those it knows' });
  if (flags.json) printJson(story);
  else process.stdout.write(formatStory(story, { color: useColor() }));
}

/** The running daemon's answer; without one, what its ledger holds. */
async function ask(flags: SettingsFlags, path: string, read: (ledger: LedgerReader) => unknown): Promise<unknown> {
  const settings = settingsOf(flags);
  try {
    return await askDaemon(settings, path);
  } catch (error) {
    if (!(error instanceof NoDaemon)) throw error;
    return readLedger(settings.state.directory, read);
  }
}

function readLedger(directory: string, read: (ledger: LedgerReader) => unknown): unknown {
  const ledger = openLedgerReadOnly(directory);
  try {
    return read(ledger);
  } finally {
    ledger.close();
  }
}

function toCount(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a number from 1 up.');
}

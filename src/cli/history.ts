import { Option } from 'commander';
import type { Command } from 'commander';
import type { HistoryEntry, Story } from '../ledger/store.ts';
import { formatHistory, formatStory } from './history-table.ts';
import { openLedgerReadOnly } from '../ledger/ledger.ts';
import type { LedgerReader } from '../ledger/ledger.ts';
import { toHistoryQuery } from '../http/history-query.ts';
import { showCustomer } from './customer-history.ts';
import { findDaemon, NoDaemon } from './client.ts';
import { printable } from '../config/words.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, toCount, toSha, useColor, withJson, withSettings } from './options.ts';
import { follows } from './same-daemon.ts';

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
  const { answer, from } = await ask(flags, path, (ledger) => ledger.history(toHistoryQuery(query)));
  const entries = answer as HistoryEntry[];
  if (flags.json) {
    printJson(entries);
    return;
  }
  if (from !== null) process.stdout.write(`${from}\n`);
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

async function showStory(sha: string, flags: HistoryFlags): Promise<void> {
  const path = `/api/v1/history/${encodeURIComponent(sha)}`;
  const { answer, from } = await ask(flags, path, (ledger) => readStory(ledger, sha));
  const story = answer as Story | null | 'ambiguous';
  if (story === 'ambiguous')
    throw new CliError(`${sha} is the beginning of several commits`, { hint: 'give more digits' });
  if (story === null)
    throw new CliError(`the ledger knows no commit ${sha}`, { hint: 'shardplane history lists those it knows' });
  if (flags.json) {
    printJson(story);
    return;
  }
  if (from !== null) process.stdout.write(`${from}\n`);
  process.stdout.write(formatStory(story, { color: useColor() }));
}

/** The ledger alone can't say which commit the ref is at now. */
async function readStory(ledger: LedgerReader, sha: string): Promise<unknown> {
  if (sha !== 'HEAD') return await ledger.story(sha);
  throw new CliError('no daemon answers, and only a running one knows HEAD', {
    hint: 'shardplane history lists the commits; name one by its first digits',
  });
}

interface Found {
  readonly answer: unknown;
  /** Where the answer is from, to be printed above it. */
  readonly from: string | null;
}

/** Asks the running daemon, or reads its ledger when there is none. */
async function ask(
  flags: SettingsFlags,
  path: string,
  read: (ledger: LedgerReader) => Promise<unknown>,
): Promise<Found> {
  try {
    const link = await findDaemon(flags, 'question');
    return { answer: await link.ask(path), from: link.daemon && `repo   ${printable(follows(link.daemon))}` };
  } catch (error) {
    if (!(error instanceof NoDaemon)) throw error;
    const { directory } = settingsOf(flags).state;
    return {
      answer: await readLedger(directory, read),
      from: `no daemon answers: this is from the ledger in ${directory}`,
    };
  }
}

async function readLedger(directory: string, read: (ledger: LedgerReader) => Promise<unknown>): Promise<unknown> {
  const ledger = openLedgerReadOnly(directory);
  try {
    return await read(ledger);
  } finally {
    await ledger.close();
  }
}

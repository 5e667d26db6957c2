import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { count, printable } from '../config/words.ts';
import { readCommitted } from '../git/read/committed.ts';
import { dealAnew, maxPairs, type Dealing } from '../shard/deal.ts';
import type { Settings } from '../settings/settings.ts';
import { editConfig, judge, readConfigFile, replaceFile, type ConfigFile } from './config-file.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, withJson, withSettings } from './options.ts';

interface DealFlags extends SettingsFlags {
  readonly overlap?: number;
  readonly write?: boolean;
  readonly json?: boolean;
}

/** `shardplane deal [FILE]`: deals customers anew that share too many hosts. */
export function defineDeal(program: Command): void {
  withJson(withSettings(program.command('deal')))
    .description('find the fewest customers to deal anew, so that no two named ones share too many hosts')
    .argument('[file]', 'the config; default: the repository’s, as it is saved')
    .addOption(
      new Option('--overlap <hosts>', 'the most hosts that two may share; default: not all of them').argParser(
        toOverlap,
      ),
    )
    .option('--write', 'write the deals into the file: comments and order stay, nothing is committed')
    .addHelpText(
      'after',
      '\nExit codes: 0; 1 invalid, or the bound can’t be reached; 2 usage, or the file can’t be read',
    )
    .action(deal);
}

async function deal(file: string | undefined, flags: DealFlags): Promise<void> {
  const { overlap = null, write = false, json = false } = flags;
  const settings = settingsOf(flags);
  const read = await readConfigFile(file, settings);
  const found = dealAnew(read.config, { overlap, before: await committedConfig(read, settings) });
  const isWritten = write && found.pairsLeft === 0 && found.deals.size > 0;
  if (isWritten) await writeDeals(read, found, settings);
  if (json) printJson(toJson(found, { overlap, file: read.path, written: isWritten }));
  else console.log(formatDealing(found, { overlap, isWritten, isAsked: write, file: read.path }));
  if (found.pairsLeft > 0) throw new CliError(whyLeft(found, overlap), { hint: hintFor(overlap) });
}

async function committedConfig({ path, bytes }: ConfigFile, settings: Settings) {
  const committed = await readCommitted(path);
  if (committed === null || committed.equals(bytes)) return null;
  const read = await judge(committed, path, settings);
  return 'config' in read ? read.config : null;
}

async function writeDeals(read: ConfigFile, { deals }: Dealing, settings: Settings): Promise<void> {
  const meant = new Map([...(read.config.deals ?? []), ...deals]);
  const edited = await editConfig(read, new Map([...deals].map(([id, number]) => [id, { deal: number }])), {
    settings,
    isAsMeant: ({ deals: written = new Map<string, number>() }) =>
      written.size === meant.size && [...meant].every(([id, number]) => written.get(id) === number),
  });
  await replaceFile(read, edited.bytes);
}

interface Shown {
  readonly overlap: number | null;
  readonly file: string;
  readonly isWritten: boolean;
  /** Whether `--write` was given. */
  readonly isAsked: boolean;
}

const dealsListed = 15;

/** What was found and done, as text. */
function formatDealing(found: Dealing, { overlap, file, isWritten, isAsked }: Shown): string {
  const { customers, pairs, deals, pairsLeft, left } = found;
  const share =
    overlap === null ? (pairs === 1 ? 'all its hosts' : 'all their hosts') : `more than ${count(overlap, 'host')}`;
  const some = pairs >= maxPairs ? 'at least ' : '';
  const lines = [
    `of ${count(customers, 'named customer')}, ${some}${count(pairs, 'pair')} ${pairs === 1 ? 'shares' : 'share'} ${share}`,
  ];
  if (pairsLeft > 0) {
    const more = pairsLeft > left.length ? [`  and ${count(pairsLeft - left.length, 'more pair')}`] : [];
    const toLine = ({ customers: [a, b], shared }: Dealing['left'][number]) =>
      `  ${printable(a)} and ${printable(b)}: ${count(shared, 'host')}`;
    return [...lines, 'of these would be left:', ...left.map(toLine), ...more].join('\n');
  }
  if (deals.size === 0) return [...lines, 'nothing to deal anew'].join('\n');
  const listed = [...deals].slice(0, dealsListed).map(([id, deal]) => `  ${printable(id)}: deal ${deal}`);
  const more = deals.size > dealsListed ? [`  and ${deals.size - dealsListed} more`] : [];
  const done = isWritten ? `written to ${file}: check it, and commit it` : 'nothing is written: --write does it';
  const whose = `${count(deals.size, 'customer')} dealt anew ${isWritten || isAsked ? 'leave' : 'would leave'} none:`;
  return [...lines, whose, ...listed, ...more, done].join('\n');
}

/** The documented JSON: docs/operating.md. */
function toJson(found: Dealing, shown: { overlap: number | null; file: string; written: boolean }): object {
  const deals = [...found.deals].map(([customer, number]) => ({ customer, deal: number }));
  return { ...shown, ...found, deals };
}

function whyLeft({ impossible, pairsLeft }: Dealing, overlap: number | null): string {
  const bound = overlap === null ? 'that no two share all their hosts' : `an overlap of ${overlap}`;
  if (impossible !== null) return `no deals can reach ${bound}: ${impossible}`;
  return `no draws were found that reach ${bound}: ${count(pairsLeft, 'pair')} would be left`;
}

function hintFor(overlap: number | null): string {
  const looser = overlap === null ? '' : 'allow a larger overlap, or ';
  return `nothing was written: ${looser}give them smaller shards, or add hosts`;
}

function toOverlap(text: string): number {
  if (/^(?:0|[1-9][0-9]{0,3})$/.test(text) && Number(text) < 1024) return Number(text);
  throw new InvalidArgumentError('It must be a number of hosts, from 0 to 1023.');
}

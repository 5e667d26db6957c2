import { createColors } from 'picocolors';
import { count, printable } from '../config/words.ts';
import type { Outcome } from '../rollout/types.ts';
import type { Place } from '../ledger/entry.ts';
import type { HistoryEntry, Story, StoryEvent } from '../ledger/history.ts';
import { short } from '../release/short.ts';

export interface FormatOptions {
  readonly color: boolean;
  /** Milliseconds since the epoch: ages are counted from here. */
  readonly now: number;
}

type Colors = ReturnType<typeof createColors>;

const header = ['COMMIT', 'OUTCOME', 'SEEN', 'ACKED', 'SUBJECT'];

/** A table with a header, newest first, one line for each revision: short SHA, outcome, age, ACKs, subject. */
export function formatHistory(entries: readonly HistoryEntry[], { color, now }: FormatOptions): string {
  if (entries.length === 0) return '';
  const colors = createColors(color);
  const rows = entries.map((entry) => cells(entry, now));
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (row: readonly string[]): string[] => row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  const lines = rows.map((row, index) => {
    const [sha = '', outcome = '', ...rest] = pad(row);
    return [colors.yellow(sha), paint(colors, entries[index]?.outcome ?? null)(outcome), ...rest].join('  ').trimEnd();
  });
  return [colors.dim(pad(header).join('  ').trimEnd()), ...lines].map((line) => `${line}\n`).join('');
}

/** One commit's story: its head, what is wrong with it, and what happened, one line each, in order. */
export function formatStory({ revision, events }: Story, { color }: Pick<FormatOptions, 'color'>): string {
  const colors = createColors(color);
  const lines = [
    `${colors.yellow(revision.version)} ${printable(revision.subject)}`,
    `${printable(revision.author)}, ${revision.committedAt}`,
    ...marks(revision).map((mark) => colors.red(mark)),
    ...revision.diagnostics.map(({ file, line, column, code, message }) =>
      colors.red(`${printable(file)}:${line}:${column}: ${printable(message)} [${code}]`),
    ),
    '',
    ...inReadingOrder(events).map((event) => `${colors.dim(event.at)}  ${printable(describe(event))}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What the fleet runs is marked, whatever became of its last rollout. */
function toOutcome({ outcome, live }: HistoryEntry): string {
  const words = printable(outcome ?? 'pending');
  if (!live) return words;
  return outcome === 'live' ? 'live now' : `${words}, live now`;
}

/** Of what one moment has written: first what it is, then what was done, then what came of it. */
const ranks: Readonly<Record<string, number>> = { revision: 0, push_settled: 3, release: 4, live: 5, outcome: 6 };

/** Only within one moment: the ledger's order, which is that in which the daemon carried it out, counts otherwise. */
function inReadingOrder(events: readonly StoryEvent[]): StoryEvent[] {
  const moments: StoryEvent[][] = [];
  for (const event of events) {
    const last = moments.at(-1);
    if (last?.[0]?.at === event.at) last.push(event);
    else moments.push([event]);
  }
  const rank = ({ type }: StoryEvent): number => ranks[type] ?? 2;
  return moments.flatMap((moment) => moment.sort((a, b) => rank(a) - rank(b)));
}

function cells(entry: HistoryEntry, now: number): string[] {
  const { push } = entry;
  return [
    short(entry.version),
    toOutcome(entry),
    age(now - Date.parse(entry.seenAt)),
    push === null ? '-' : `${push.acked} of ${push.connected}`,
    printable(entry.subject),
  ];
}

function paint(colors: Colors, outcome: Outcome | null): (text: string) => string {
  switch (outcome) {
    case 'live':
      return colors.green;
    case 'invalid':
    case 'rolled_back':
      return colors.red;
    case 'held':
    case null:
      return colors.yellow;
    case 'superseded':
      return colors.dim;
  }
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** An age in its largest whole unit; nothing is younger than 0 s. */
function age(ms: number): string {
  if (ms < minute) return `${Math.max(0, Math.floor(ms / second))}s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)}m ago`;
  if (ms < day) return `${Math.floor(ms / hour)}h ago`;
  return `${Math.floor(ms / day)}d ago`;
}

function marks({ pinned, held, live }: HistoryEntry): string[] {
  return [
    ...(live ? ['this is what the fleet runs'] : []),
    ...(pinned ? ['pinned: it was refused, and is not pushed again before `shardplane retry`'] : []),
    ...(held ? ['held: it waits for `shardplane accept`'] : []),
  ];
}

/** An event in words. */
function describe({ type, by, detail }: StoryEvent): string {
  const who = by === null ? '' : ` by ${by}`;
  const say = (key: string): string => String(detail[key]);
  switch (type) {
    case 'revision':
      return 'seen';
    case 'release':
      return 'kept, to be served again';
    case 'outcome':
      return `outcome: ${say('outcome')}${detail.reason == null ? '' : ` (${say('reason')})`}`;
    case 'live':
      return detail.proven === true ? 'live, proven' : 'live, unproven';
    case 'push_started':
      return `pushed to ${count(Number(detail.connected), 'node')}`;
    case 'push_settled':
      return `acknowledged by ${say('acked')} of ${say('connected')}, ${say('refused')} refused, ${say('unanswered')} unanswered`;
    case 'refused':
      return `refused by ${say('node')}${where(detail.place as Place | null)}: ${say('message')}`;
    case 'pinned':
      return `pinned${who}: not pushed again before a retry`;
    case 'unpinned':
      return `retry${who}: the pin is taken back`;
    case 'held':
      return `held: ${say('reason')}`;
    case 'accepted':
      return `accepted${who}`;
    default:
      return `${type}${who}`;
  }
}

/** Where in the file a refusal points, if it was found. */
function where(place: Place | null): string {
  if (place === null) return '';
  return ` at ${place.file}:${place.line}:${place.column}${place.key === null ? '' : ` (${place.key})`}`;
}

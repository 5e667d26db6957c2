import { createColors } from 'picocolors';
import { prefixOf } from '../config/diagnostic.ts';
import { count, printable } from '../config/words.ts';
import { short } from '../release/short.ts';
import { describePin, describeRollout, describeStart } from './story-waves.ts';
import type { Outcome, Place } from '../rollout/types.ts';
import type { HistoryEntry, Story, StoryEvent } from '../ledger/store.ts';

export interface FormatOptions {
  readonly color: boolean;
  /** Milliseconds since the epoch: ages are counted from here. */
  readonly now: number;
}

type Colors = ReturnType<typeof createColors>;

const header = ['COMMIT', 'OUTCOME', 'SEEN', 'ACKED', 'SUBJECT'];

/** A table with a header and one line per revision, newest first. */
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

/** One commit: who made it, its diagnostics, and one line per event, in order. */
export function formatStory({ revision, events }: Story, { color }: Pick<FormatOptions, 'color'>): string {
  const colors = createColors(color);
  const lines = [
    `${colors.yellow(revision.version)} ${printable(revision.subject)}`,
    `${printable(revision.author)}, ${revision.committedAt}`,
    ...marks(revision).map((mark) => colors.red(mark)),
    ...revision.diagnostics.map((each) =>
      colors.red(`${printable(prefixOf(each))}${printable(each.message)} [${each.code}]`),
    ),
    '',
    ...toLines(inReadingOrder(events)).map(({ at, text }) => `${colors.dim(at)}  ${printable(text)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function toLines(events: readonly StoryEvent[]): { readonly at: string; readonly text: string }[] {
  let isWave = false;
  return events.map((event) => {
    if (event.type === 'push_started') isWave = event.detail.waves !== undefined;
    return { at: event.at, text: describe(event, isWave) };
  });
}

/** Marks what the fleet runs, whatever the outcome of its last rollout. */
function toOutcome(entry: HistoryEntry): string {
  const { outcome, live } = entry;
  const words = toWaves(entry) ?? printable(outcome ?? 'pending');
  if (!live) return words;
  return outcome === 'live' ? 'live now' : `${words}, live now`;
}

/** Where its gradual rollout is; null: it has none, or the daemon is older. */
function toWaves({ rollout = null }: Partial<HistoryEntry>): string | null {
  if (rollout === null || rollout.waves === 1) return null;
  return `${rollout.paused ? 'paused, ' : ''}wave ${rollout.wave} of ${rollout.waves}`;
}

/** The order of events with the same time: what it is, what was done, what came of it. */
const ranks: Readonly<Record<string, number>> = { revision: 0, push_settled: 3, release: 4, live: 5, outcome: 6 };

/** Sorts only events with the same time: otherwise the ledger's order is the one in which things happened. */
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
    // Nodes outside a wave have acknowledged the release that they keep: it is no count of this one.
    push === null || toWaves(entry) !== null ? '-' : `${push.acked} of ${push.connected}`,
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

/** An age in its largest whole unit; 0 s for a time in the future. */
function age(ms: number): string {
  if (ms < minute) return `${Math.max(0, Math.floor(ms / second))}s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)}m ago`;
  if (ms < day) return `${Math.floor(ms / hour)}h ago`;
  return `${Math.floor(ms / day)}d ago`;
}

function marks({ pinned, held, live }: HistoryEntry): string[] {
  return [
    ...(live ? ['this is what the fleet runs'] : []),
    ...(pinned ? ['pinned: it was rolled back, and is not pushed again before `shardplane retry`'] : []),
    ...(held ? ['held: it waits for `shardplane accept`'] : []),
  ];
}

/** An event as text. `isWave`: the latest push before it was that of a wave. */
function describe(event: StoryEvent, isWave: boolean): string {
  const { type, by, detail } = event;
  const who = by === null ? '' : ` by ${by}`;
  const text = (key: string): string => String(detail[key]);
  switch (type) {
    case 'revision':
      return 'seen';
    case 'release':
      return 'kept, to be served again';
    case 'outcome':
      return `outcome: ${text('outcome')}${detail.reason == null ? '' : ` (${text('reason')})`}`;
    case 'live':
      return detail.proven === true ? 'live, proven' : 'live, unproven';
    case 'push_started':
      return isWave ? describeStart(detail) : `pushed to ${count(Number(detail.connected), 'node')}`;
    case 'push_settled':
      // Nodes outside the wave have acknowledged the release that they keep.
      if (isWave) return `all have answered, ${text('refused')} refused, ${text('unanswered')} unanswered`;
      return `acknowledged by ${text('acked')} of ${text('connected')}, ${text('refused')} refused, ${text('unanswered')} unanswered`;
    case 'refused':
      return `refused by ${text('node')}${where(detail.place as Place | null)}: ${text('message')}`;
    case 'pinned':
      return `pinned${who}${describePin(detail)}: not pushed again before a retry`;
    case 'unpinned':
      return `retry${who}: the pin is taken back`;
    case 'held':
      return `held: ${text('reason')}`;
    case 'accepted':
      return `accepted${who}`;
    default:
      return describeRollout(event);
  }
}

/** The place in the file that a refusal points to, if it was found. */
function where(place: Place | null): string {
  if (place === null) return '';
  return ` at ${place.file}:${place.line}:${place.column}${place.key === null ? '' : ` (${place.key})`}`;
}

import { createColors } from 'picocolors';
import { count, cut, printable, toTime } from '../config/words.ts';
import { namedLost, othersLost, type Impact, type ImpactHost, type Left } from '../plan/impact.ts';
import { short } from '../release/short.ts';
import { countOf, maxColumns, namedWords, number, percent, wrap, type TableRow } from './figures.ts';

/** Where the config is from. */
export interface ImpactSource {
  /** `live`: it is, or was then; `ref`: the ref has it; `commit`: a commit that was named. */
  readonly kind: 'live' | 'ref' | 'commit';
  /** When it went live (RFC 3339); null: not asked. */
  readonly since: string | null;
  /** The time that was asked about; null: now. */
  readonly at: string | null;
  /** What else to know, in words. */
  readonly note: string | null;
}

/** What is shown. */
export interface ShownImpact {
  readonly impact: Impact;
  readonly version: string;
  readonly subject: string;
  readonly source: ImpactSource;
  /** Whose hosts are down; null: they were named. */
  readonly customer: string | null;
}

/** The first screen. */
const maxLines = 25;
/** Rows of the table for customers that are hit; the others are one row. */
const maxRows = 6;

/** The impact as text: a sentence for the incident channel, the table, and whom it hits most (all of those with `full`). */
export function formatImpact(shown: ShownImpact, { full, color }: { full: boolean; color: boolean }): string {
  const colors = createColors(color);
  const { impact, customer } = shown;
  const isLost = namedLost(impact).count > 0 || othersLost(impact) > 0;
  const lines = [
    (isLost ? colors.red : colors.green)(verdictOf(shown)),
    ...sourceLines(shown),
    ...unusedLines(impact.down),
    '',
    ...tableOf(impact),
    ...(customer === null ? [] : sharedLines(impact)),
  ];
  const room = full ? Infinity : maxLines - lines.length;
  return [...lines, ...nameLines(impact, room)].join('\n');
}

/** Up to 80 columns, to be pasted into a chat. */
function verdictOf({ impact, customer }: ShownImpact): string {
  const { down, totalHosts } = impact;
  const rest = lossWords(impact);
  const what =
    customer === null
      ? `${number(down.length)} of ${number(totalHosts)} hosts down`
      : `${cut(printable(customer), 24)} takes ${count(down.length, 'host')}`;
  const list = numbersOf(down, maxColumns - what.length - rest.length - ' (): '.length);
  return cut(`${what}${list === '' ? '' : ` (${list})`}: ${rest}`, maxColumns);
}

function lossWords(impact: Impact): string {
  const { named } = impact;
  const [lost, part] = [namedLost(impact).count, othersLost(impact)];
  const [hit, others] = [named.looked - named.untouched, percent(1 - untouchedPart(impact))];
  if (lost === 0 && part === 0)
    return named.of === 0
      ? `everybody has a host left, ${others} lack one`
      : `everybody has a host left, ${number(hit)} of ${number(named.of)} named lack one`;
  if (named.of === 0) return `nothing left for ${percent(part)} of the customers`;
  return `nothing left for ${number(lost)} of ${number(named.looked)} named, ${percent(part)} of others`;
}

/** `3,7`, or its beginning; '' where there is no room. */
function numbersOf(down: readonly ImpactHost[], room: number): string {
  const all = down.map(({ number: of }) => String(of)).join(',');
  if (all.length <= room) return all;
  return room < 8 ? '' : `${all.slice(0, all.lastIndexOf(',', room - 2) + 1)}…`;
}

function sourceLines({ version, subject, source }: ShownImpact): string[] {
  const { kind, since, at, note } = source;
  const begun = since === null ? '' : ` since ${toTime(Date.parse(since))}`;
  const words = {
    live: at === null ? `live${begun}` : `live at ${toTime(Date.parse(at))},${begun}`,
    ref: 'not known to be live',
    commit: 'as named',
  };
  const line = `${short(version)}, ${words[kind]}: ${printable(subject)}`;
  return [cut(line, maxColumns), ...(note === null ? [] : wrap(note))];
}

function unusedLines(down: readonly ImpactHost[]): string[] {
  const unused = down.filter((each) => each.unused);
  return unused.length === 0 ? [] : [cut(`drained or vacant already: ${numbersOf(unused, 40)}`, maxColumns)];
}

function tableOf({ named, others, totalHosts }: Impact): string[] {
  const chances = new Map(others.left.map(({ left, part }) => [left, part]));
  const counts = new Map(named.left.map((each) => [each.left, each.count]));
  const hit = others.left.filter(({ left }) => left < others.size).map(({ left }) => left);
  const levels = [...new Set([...counts.keys(), ...hit])].sort((a, b) => a - b);
  const shown = levels.length > maxRows ? levels.slice(0, maxRows - 1) : levels;
  const rest = levels.slice(shown.length);
  const sum = (of: ReadonlyMap<number, number>, isHit: (left: number) => boolean = () => true): number =>
    rest.filter(isHit).reduce((total, left) => total + (of.get(left) ?? 0), 0);
  const isHit = (left: number): boolean => left < others.size;
  const own = (value: number): string => countOf(value, named.looked);
  const rows: TableRow[] = [
    ['hosts left', namedWords(named), `others (${number(others.size)} of ${number(totalHosts)} each)`],
    ...shown.map((left): TableRow => [
      left === 0 ? '  none' : `  ${number(left)}`,
      own(counts.get(left) ?? 0),
      percent(isHit(left) ? (chances.get(left) ?? 0) : 0),
    ]),
    ...(rest.length > 0 ? [['  more, not all', own(sum(counts)), percent(sum(chances, isHit))] as const] : []),
    ['  all of theirs', own(named.untouched), percent(chances.get(others.size) ?? 0)],
  ];
  return rows.map(([label, first, second]) => `${label.padEnd(18)} ${first.padEnd(22)} ${second}`);
}

/** Who shares how many, for a customer's hosts. */
function sharedLines({ named }: Impact): string[] {
  if (named.of === 0) return [];
  const levels = named.shared.slice(0, 8).map(({ shared, count: whom }) => {
    return `${number(whom)} ${whom === 1 ? 'has' : 'have'} ${shared === 0 ? 'none' : count(shared, 'host')}`;
  });
  return ['', ...wrap(`in common with it: ${levels.join(', ')}`).slice(0, 2)];
}

/** Those with nothing left, then those with one, then two, as far as there is room. */
function nameLines({ named }: Impact, room: number): string[] {
  const lines: string[] = [];
  for (const level of named.left.slice(0, 2)) {
    const space = room - lines.length - 1;
    if (space < 1) break;
    lines.push('', ...namesOf(level, space));
  }
  return lines;
}

function namesOf({ left, count: total, some }: Left, room: number): string[] {
  const head = `${left === 0 ? 'nothing' : count(left, 'host')} left (${number(total)}): `;
  const all = wrap(
    head + some.map(printable).join(', ') + (total > some.length ? `, and ${number(total - some.length)} more` : ''),
  );
  if (all.length <= room) return all;
  const last = 'more: --full names them';
  const kept = all.slice(0, room);
  const end = cut(kept.pop() ?? '', maxColumns - last.length - 1).replace(/,?[^,]*$/, '');
  return [...kept, `${end}${end === '' ? '' : ', '}${last}`];
}

function untouchedPart({ others }: Impact): number {
  return others.left.find(({ left }) => left === others.size)?.part ?? 0;
}

import pc from 'picocolors';
import { cut, printable } from '../config/words.ts';
import { short } from '../release/short.ts';
import type { HostLoad, Move, ChangePlan } from '../plan/plan.ts';
import { excessWords } from '../plan/limits.ts';
import { hostNumbers, maxColumns, namedWords, number, wrap, type TableRow } from './figures.ts';
import type { Origin } from './plan-sides.ts';
import * as words from './plan-words.ts';

/** What is shown of a plan. */
export interface ShownPlan {
  readonly plan: ChangePlan;
  readonly file: string;
  /** Null: there was no config before. */
  readonly from: Origin | null;
  readonly to: Origin;
  readonly hosts: words.HostLists;
  /** `moved 30 %, twins 0`, or null. */
  readonly limits: string | null;
}

interface TextOptions {
  readonly full: boolean;
  readonly color: boolean;
}

/** The first screen. */
const maxLines = 25;

/** The plan as text: the verdict, the tables, and who moves; all of those with `full`. */
export function formatPlan(shown: ShownPlan, { full, color }: TextOptions): string {
  if (!shown.plan.changes && !full) return headOf(shown, color).join('\n');
  const lines = densities.map((density) => linesOf(shown, color, density));
  if (full) return [...(lines[0] ?? []), ...allOf(shown)].join('\n');
  const head = lines.find(({ length }) => length <= maxLines) ?? lines.at(-1) ?? [];
  return [...head, ...movesOf(shown, maxLines - head.length)].slice(0, maxLines).join('\n');
}

/** What is left out where the first screen has no room for it. */
interface Density {
  readonly blanks: boolean;
  readonly hints: boolean;
  readonly kinds: boolean;
}

const densities: readonly Density[] = [
  { blanks: true, hints: true, kinds: true },
  { blanks: false, hints: true, kinds: true },
  { blanks: false, hints: false, kinds: true },
  { blanks: false, hints: false, kinds: false },
];

function linesOf(shown: ShownPlan, color: boolean, density: Density): string[] {
  const hints = density.hints ? words.hints(shown.plan).flatMap((hint) => wrapTo(hint, 2)) : [];
  const blank = density.blanks ? [''] : [];
  const tables = tablesOf(shown.plan, density);
  return [...headOf(shown, color), ...hints, ...blank, ...tables, ...blank, ...loadOf(shown.plan), ...tailOf(shown)];
}

export function nameOrigin(origin: Origin | null): string {
  if (origin === null) return 'nothing';
  const name = /^[0-9a-f]{40,64}$/.test(origin.name) ? short(origin.name) : cut(printable(origin.name), 30);
  return origin.version === null || name === short(origin.version) ? name : `${name} ${short(origin.version)}`;
}

function headOf({ plan, file, from, to }: ShownPlan, color: boolean): string[] {
  const colors = pc.createColors(color);
  const paint = plan.excesses.length > 0 ? colors.red : plan.changes ? colors.yellow : colors.green;
  const parts = words.causes(plan);
  return [
    cut(`${printable(file)}: ${nameOrigin(from)} -> ${nameOrigin(to)}`, maxColumns),
    ...wrapTo(words.headline(plan, from === null), 2).map((line) => paint(line)),
    ...(parts.length > 0 && from !== null ? wrapTo(`because: ${parts.join(', ')}`, 2) : []),
    ...(plan.excesses.length > 0
      ? wrapTo(`OVER A LIMIT: ${excessWords(plan.excesses)}`, 4).map((line) => colors.red(line))
      : []),
  ];
}

function tablesOf(plan: ChangePlan, { kinds }: Density): string[] {
  const { named, unnamed } = plan;
  const others = unnamed.formula ? 'others, by formula' : `others, ${number(unnamed.looked)} tried`;
  return [
    row(['', namedWords(named), others]),
    ...words
      .moveRows(plan)
      .filter(([label]) => kinds || !label.startsWith(' '))
      .map(row),
    row(['nothing is left for them when', '', '']),
    ...words.survivalRows(plan).map(row),
  ];
}

function row([label, named, others]: TableRow): string {
  return `${label.padEnd(30)} ${named.padEnd(21)} ${others}`.trimEnd();
}

function loadOf(plan: ChangePlan): string[] {
  const { before, after } = plan.load;
  const top = Math.max(...[before, after].map(({ hosts }) => hosts.reduce((a, b) => Math.max(a, b), 0)));
  const width = Math.min(stripWidth, Math.max(before.hosts.length, after.hosts.length));
  const line = (name: string, load: HostLoad): string =>
    `  ${name.padEnd(7)} ${words.strip(load.hosts, top, stripWidth).padEnd(width)}  ${words.ratioWords(load)}`;
  return [...wrapTo(words.loadWords(plan)), line('before', before), line('after', after)];
}

const stripWidth = 44;

function tailOf({ plan, limits }: ShownPlan): string[] {
  const { named, unnamed } = plan;
  const largest = Math.max(named.union.largest, unnamed.union.largest);
  const moves = named.moved > 0 || unnamed.moved > 0;
  return [
    ...(moves ? [`meanwhile  on up to ${largest} hosts, in a wave of nodes: the old and the new ones`] : []),
    ...wrapTo(`strategy   ${words.strategyWords(plan)}`, 2),
    ...(limits !== null && plan.excesses.length === 0 ? [cut(`limits     kept: ${limits}`, maxColumns)] : []),
  ];
}

/** As many as there is room for, and how many more there are. */
function movesOf({ plan: { named }, hosts }: ShownPlan, room: number): string[] {
  const line = (move: Move): string => moveLine(move, hosts);
  if (named.moved <= room) return named.moves.map(line);
  const shown = named.moves.slice(0, Math.max(0, room - 1));
  const left = named.moved - shown.length;
  const what = shown.length > 0 ? `and ${number(left)} more` : `${number(left)} named customers`;
  const more = `  ${what}: --full lists them`;
  return [...shown.map(line), more].slice(0, Math.max(0, room));
}

function moveLine(move: Move, hosts: words.HostLists): string {
  const name = cut(printable(move.customer), 30);
  const shards = `${hostNumbers(move.before, 8)} -> ${hostNumbers(move.after, 8)}`;
  return cut(`  ${name}  ${shards}  ${words.moveWords(move, hosts)}`, maxColumns);
}

/** Everything that has no place on the first screen. */
function allOf({ plan: { named, twins, load, customers, runtime }, hosts }: ShownPlan): string[] {
  const list = (title: string, { count, some }: ChangePlan['runtime']): string[] =>
    count === 0
      ? []
      : ['', `${title} (${count}): ${some.map(printable).join(', ')}${count > some.length ? ', …' : ''}`];
  return [
    ...(named.moves.length > 0
      ? ['', `customers that change hosts (${named.moved}):`, ...named.moves.map((move) => fullLine(move, hosts))]
      : []),
    ...list('customers added', customers.added),
    ...list('customers removed', customers.removed),
    ...list('other runtime values', runtime),
    ...(twins.after.worst.length > 0 ? ['', `share all hosts, the worst (${twins.after.pairs} pairs in all):`] : []),
    ...twins.after.worst.map(
      ({ hosts: on, size, customers: ids }) => `  ${size} on [${on.join(',')}]: ${ids.map(printable).join(', ')}`,
    ),
    ...['', 'customers of each host, before -> after:'],
    ...load.after.hosts.map((count, i) => `  ${String(i + 1).padStart(5)}  ${load.before.hosts[i] ?? '-'} -> ${count}`),
  ];
}

function fullLine(move: Move, hosts: words.HostLists): string {
  const { customer, before, after } = move;
  return `  ${printable(customer)}  [${before.join(',')}] -> [${after.join(',')}]  ${words.moveWords(move, hosts)}`;
}

/** Lines of 80 columns, `most` of them; what is left over is cut. */
function wrapTo(text: string, most = Infinity): string[] {
  const lines = wrap(text);
  const shown = lines.slice(0, most);
  return lines.length <= most ? shown : [...shown.slice(0, -1), `${cut(shown.at(-1) ?? '', maxColumns - 2)} …`];
}

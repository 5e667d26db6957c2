import type { Change, Outage, HostLoad, Move, MoveKind, Names, ChangePlan, Quarantined } from '../plan/plan.ts';
import { shareMoved } from '../plan/moves.ts';
import { count, cut, printable } from '../config/words.ts';
import { countOf, decimal, number, percent, type TableRow } from './figures.ts';

/** `3 -> 4`, or `3` where it stays. */
export function change({ before, after }: Change<string>): string {
  return before === after ? after : `${before} -> ${after}`;
}

/** Who moves, in a sentence without its end. */
export function headline({ changes, named, unnamed }: ChangePlan, isFirst: boolean): string {
  if (isFirst) return 'the first config: there is nothing to compare with';
  if (!changes) return 'nothing changes';
  const others = unnamed.formula?.moved ?? shareMoved(unnamed);
  if (named.moved === 0 && others === 0) return 'no customer changes hosts';
  if (named.of === 0) return `${percent(others)} of the customers change hosts`;
  const all = number(named.of);
  if (named.moved === 0)
    return `${percent(others)} of the customers that are not named change hosts; none of the ${all} named`;
  const isAll = named.moved === named.of;
  const some =
    named.of === 1 ? 'the one named customer' : `${isAll ? 'all' : `${number(named.moved)} of`} ${all} named customers`;
  const words = `${some} ${named.moved === 1 ? 'changes' : 'change'} hosts`;
  return others === 0 ? `${words}; who is not named stays` : `${words}, and ${percent(others)} of the others`;
}

/** What the change consists of. */
export function causes(plan: ChangePlan): string[] {
  const { defaultShardSize: size, customers, quarantined, runtime } = plan;
  const those = (names: Names, what: string): string[] => (names.count > 0 ? [`${named(names)} ${what}`] : []);
  const entered = { count: quarantined.length, some: quarantined.map(({ customer }) => customer) };
  return [
    ...hostCauses(plan),
    ...(size.before === size.after ? [] : [`default size ${size.before} -> ${size.after}`]),
    ...those(entered, 'into quarantine'),
    ...those(customers.unquarantined, 'out of quarantine'),
    ...those(customers.redealt, 'dealt anew'),
    ...those(customers.resized, 'resized'),
    ...those(customers.added, 'added'),
    ...those(customers.removed, 'removed'),
    ...(runtime.count > 0 ? [count(runtime.count, 'other runtime value')] : []),
  ];
}

function hostCauses({ hosts }: ChangePlan): string[] {
  const { total, added, removed, displaced, quarantine } = hosts;
  const sum = total.before === total.after ? '' : ` (${total.before} -> ${total.after})`;
  const drained = hosts.drained.after - hosts.drained.before;
  const closed = drained > 0 ? 'drained or vacant' : 'in use again';
  const set = quarantine.before === quarantine.after ? [] : [`quarantine_hosts ${change(both(quarantine, String))}`];
  return [
    ...(hosts.isComparable ? [] : ['hosts are listed in one of the two alone']),
    ...(hosts.isComparable && added > 0 ? [`${count(added, 'host')} added${sum}`] : []),
    ...(hosts.isComparable && removed > 0 ? [`${count(removed, 'host')} removed${added > 0 ? '' : sum}`] : []),
    ...(displaced > 0 ? [`${count(displaced, 'host')} at another place of the list`] : []),
    ...(drained === 0 ? [] : [`${count(Math.abs(drained), 'host')} ${closed}`]),
    ...set,
  ];
}

/** The one, by its name. */
function named({ count: total, some: [only = ''] }: Names): string {
  return total === 1 ? cut(printable(only), 40) : count(total, 'customer');
}

/** What an operator wants to know first, or may not have meant. */
export function hints({ hosts, quarantined }: ChangePlan): string[] {
  const place =
    'the place in the list decides who gets a host: add new ones at the end, put a new one where the old one was';
  return [...(hosts.displaced === 0 ? [] : [`hint: ${place}`]), ...quarantined.slice(0, 3).map(freedWords)];
}

function freedWords({ customer, named: known, unnamed }: Quarantined): string {
  const share = (side: 'before' | 'after'): string =>
    known[side] === 0 && unnamed[side] === 0
      ? 'nobody'
      : `${number(known[side])} named and ${percent(unnamed[side])} of the others`;
  return `who shares a host with ${cut(printable(customer), 30)}: ${share('before')} -> ${share('after')}`;
}

/** The strategy, and why. */
export function strategyWords({ strategy: { name, reason } }: ChangePlan): string {
  return `${name} (${reason})`;
}

function outageWords({ what, count: total }: Outage): string {
  if (what === 'customers') return count(total, 'bad customer');
  return `${count(total, 'host')} ${total === 1 ? 'is' : 'are'} down`;
}

const kindWords: Readonly<Record<MoveKind, string>> = {
  grown: 'more hosts',
  shrunk: 'fewer hosts',
  moved: 'other hosts',
  're-dealt': 'dealt anew',
};

/** The lists of both sides; null where they list none. */
export type HostLists = Change<readonly string[] | null>;

/** How a customer moves: the hosts that it gets and loses, where they are known, since a number may be another host now. */
export function moveWords({ kind, kept, before, after }: Move, { before: old, after: now }: HostLists): string {
  if (old === null || now === null) return `${kindWords[kind]}, keeps ${kept}`;
  const [lost, got] = [toHosts(before, old), toHosts(after, now)].map((list) => new Set(list));
  const signed = [
    ...[...(lost ?? [])].filter((host) => !got?.has(host)).map((host) => `-${host}`),
    ...[...(got ?? [])].filter((host) => !lost?.has(host)).map((host) => `+${host}`),
  ];
  return `${kindWords[kind]}: ${signed.slice(0, 8).join(' ')}${signed.length > 8 ? ` and ${signed.length - 8} more` : ''}`;
}

function toHosts(numbers: readonly number[], hosts: readonly string[]): string[] {
  return numbers.map((each) => hosts[each - 1] ?? '');
}

/** Who moves. */
export function moveRows({ named, unnamed, twins, mostShared }: ChangePlan): TableRow[] {
  const { formula } = unnamed;
  const own = (value: number): string => countOf(value, named.looked);
  const sampled = (value: number): string => percent(value / Math.max(1, unnamed.looked));
  const other = (exact: number | null | undefined, value: number): string =>
    exact == null ? `${sampled(value)} (sample)` : percent(exact);
  const kinds = (['grown', 'shrunk', 'moved', 're-dealt'] as const).filter(
    (kind) => named.kinds[kind] > 0 || unnamed.kinds[kind] > 0,
  );
  const by = (kind: (typeof kinds)[number]): number | null =>
    formula === null || kind === 're-dealt'
      ? null
      : kind === 'moved'
        ? formula.moved - formula.grown - formula.shrunk
        : formula[kind];
  return [
    [
      'change hosts',
      own(named.moved),
      `${other(formula?.moved, unnamed.moved)}${formula ? ` (sample: ${sampled(unnamed.moved)})` : ''}`,
    ],
    ...kinds.map((kind): TableRow => [
      `  ${kindWords[kind]}`,
      own(named.kinds[kind]),
      other(by(kind), unnamed.kinds[kind]),
    ]),
    ['keep no old host', own(named.keepNone), other(formula?.keepNone, unnamed.keepNone)],
    ['share all hosts with another', change(both(twins, (each) => number(each.customers))), ''],
    ...mostRow(mostShared),
  ];
}

/** The most hosts that two of them share. */
function mostRow(shared: ChangePlan['mostShared']): TableRow[] {
  if (shared.after === null || shared.after === 0) return [];
  return [['most hosts that two share', change(both(shared, (count) => String(count ?? '?'))), '']];
}

/** What part has nothing left. */
export function survivalRows({ survival }: ChangePlan): TableRow[] {
  const cell = (value: Change<number | null>): string =>
    value.after === null && value.before === null
      ? '-'
      : change(both(value, (part) => (part === null ? '-' : percent(part))));
  return survival.map((each): TableRow => [`  ${outageWords(each)}`, cell(each.named), cell(each.unnamed)]);
}

export function both<A, B>({ before, after }: Change<A>, map: (value: A) => B): Change<B> {
  return { before: map(before), after: map(after) };
}

/** How busy hosts are, in a line. */
export function loadWords({ load: { after } }: ChangePlan): string {
  const whom = `${number(after.customers)} ${after.of === 'named' ? 'named' : 'sampled'}`;
  const { hottest } = after;
  const most = hottest === null ? '' : `, most ${decimal(after.max)} (host ${hottest.number})`;
  return `customers per host, of ${whom}: mean ${decimal(after.mean)}${most}`;
}

/** `1.05 times the mean`. */
export function ratioWords({ ratio }: HostLoad): string {
  return `${decimal(ratio)} x the mean at most`;
}

const blocks = '▁▂▃▄▅▆▇█';

/** A character for each host (for several where there are more than `width`: the highest), on a scale from 0 to `top`. */
export function strip(values: readonly number[], top: number, width: number): string {
  const cells = Math.min(width, values.length);
  return Array.from({ length: cells }, (_, cell) => {
    const [from, to] = [cell, cell + 1].map((at) => Math.floor((at * values.length) / cells));
    const most = values.slice(from, to).reduce((a, b) => Math.max(a, b), 0);
    return most === 0 ? '·' : (blocks[Math.max(0, Math.ceil((most / top) * blocks.length) - 1)] ?? '');
  }).join('');
}

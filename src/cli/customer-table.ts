import { createColors } from 'picocolors';
import { count, cut, printable, toTime } from '../config/words.ts';
import { short } from '../release/short.ts';
import type { CustomerShard, ShardChange } from '../shard/shard-change.ts';
import type { CustomerEntry, CustomerHistory } from './customer-changes.ts';
import { hostNumbers, maxColumns, wrap } from './figures.ts';

/** Three lines for each commit, newest first: when it was live and who made it, from what to what and why, its subject. */
export function formatCustomerHistory(
  customer: string,
  { entries, missing, more }: CustomerHistory,
  { color }: { readonly color: boolean },
): string {
  const name = cut(printable(customer), 40);
  const notes = [
    ...(entries.length === 0 ? [`nothing that was live has changed the hosts of ${name}`] : []),
    ...(missing > 0
      ? [
          `${count(missing, 'commit')} that ${missing === 1 ? 'was' : 'were'} live can’t be read from git any more: what ${missing === 1 ? 'it' : 'they'} changed shows at the next one`,
        ]
      : []),
    ...(more === null ? [] : [`older ones: --before ${more}`]),
  ];
  return [...entries.map((entry) => formatEntry(entry, color)), ...notes.flatMap((note) => wrap(note))]
    .map((line) => `${line}\n`)
    .join('');
}

function formatEntry(
  { version, subject, author, liveAt, live, backFrom, shard }: CustomerEntry,
  color: boolean,
): string {
  const colors = createColors(color);
  const back = backFrom === null ? '' : `, back from ${short(backFrom)}`;
  const head = `${live ? 'live since' : 'live at'} ${toTime(Date.parse(liveAt))}${back}, by ${printable(author.replace(/ <[^>]*>$/, ''))}`;
  return [
    `${colors.yellow(short(version))}  ${cut(head, maxColumns - 14)}`,
    ...wrap(changeWords(shard), maxColumns - 2).map((line) => `  ${line}`),
    cut(`  ${printable(subject)}`, maxColumns),
  ].join('\n');
}

function changeWords({ before, after, causes }: ShardChange): string {
  if (before === null) return `${numbersOf(after)}: the first that is known`;
  return `${numbersOf(before)} -> ${numbersOf(after)}${causes.length > 0 ? `: ${causes.map(printable).join('; ')}` : ''}`;
}

const numbersListed = 12;

function numbersOf({ hosts }: CustomerShard): string {
  const numbers = hosts.map(({ number }) => number);
  return hostNumbers(numbers, numbersListed);
}

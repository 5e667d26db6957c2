import { excessWords } from '../plan/limits.ts';
import { printable } from '../config/words.ts';
import type { Move } from '../plan/plan.ts';
import { decimal, number } from './figures.ts';
import { nameOrigin, type ShownPlan } from './plan-text.ts';
import * as words from './plan-words.ts';

/** GitHub takes 65,536 characters in a comment. */
const maxLength = 60_000;

/** For a pull request: the summary first, who moves last, and cut there when it is too long. */
export function toMarkdown(shown: ShownPlan): string {
  const { plan, file, from, to, limits } = shown;
  const parts = words.causes(plan);
  const head = [
    `### Plan of ${code(file)}: ${escape(words.headline(plan, from === null))}`,
    '',
    `${code(nameOrigin(from))} → ${code(nameOrigin(to))}${parts.length > 0 && from !== null ? `: ${escape(parts.join(', '))}` : ''}`,
    ...(plan.excesses.length > 0 ? ['', `> **Over a limit:** ${escape(excessWords(plan.excesses))}`] : []),
    ...words.hints(plan).flatMap((hint) => ['', `> ${escape(hint)}`]),
    '',
    ...tables(shown),
    '',
    `- Load: ${escape(`${words.loadWords(plan)}; ${words.change(words.both(plan.load, ({ ratio }) => decimal(ratio)))} x the mean`)}`,
    `- Strategy: ${escape(words.strategyWords(plan))}`,
    ...(limits !== null && plan.excesses.length === 0 ? [`- Limits kept: ${escape(limits)}`] : []),
  ].join('\n');
  return `${head}\n${movesOf(shown, maxLength - head.length)}`;
}

function tables({ plan }: ShownPlan): string[] {
  const head = ['', `${number(plan.named.of)} named`, 'others'];
  const survival = words.survivalRows(plan).map(([label, ...rest]) => [`nothing left: ${label.trim()}`, ...rest]);
  const rows = [...words.moveRows(plan).map(([label, ...rest]) => [label.replace(/^ +/, '– '), ...rest]), ...survival];
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  return [line(head), '|---|---|---|', ...rows.map(line)];
}

/** Folded; ends with how many are left out, if any. */
function movesOf({ plan: { named }, hosts }: ShownPlan, room: number): string {
  const { moves, moved: total } = named;
  if (total === 0) return '';
  const head = `\n<details><summary>Named customers that change hosts (${total})</summary>\n\n| customer | before | after | |\n|---|---|---|---|\n`;
  const tail = (left: number): string =>
    `${left > 0 ? `\n${left} more are left out: \`shardplane plan --full\` lists them.\n` : ''}\n</details>\n`;
  let [text, listed, left] = [head, 0, room - head.length - tail(total).length];
  for (const move of moves) {
    const line = moveLine(move, hosts);
    if (line.length > left) break;
    [text, listed, left] = [text + line, listed + 1, left - line.length];
  }
  return text + tail(total - listed);
}

function moveLine(move: Move, hosts: words.HostLists): string {
  const { customer, before, after } = move;
  const cells = [code(customer), numbers(before), numbers(after), escape(words.moveWords(move, hosts))];
  return `| ${cells.join(' | ')} |\n`;
}

function numbers(hosts: readonly number[]): string {
  return `${hosts.slice(0, 20).join(', ')}${hosts.length > 20 ? `, … ${hosts.length} in all` : ''}`;
}

/** Nothing in it is Markdown, HTML, or a mention of somebody. */
function code(text: string): string {
  return `<code>${escape(printable(text))}</code>`;
}

function escape(text: string): string {
  return text.replaceAll('->', '→').replace(/[&<>|`*_[\]\\~#@]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

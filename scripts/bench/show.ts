import type { JoinResult } from './join.ts';
import type { Parts, PathResult } from './path.ts';
import type { PlanResult } from './plan.ts';
import type { Measured, RowResult } from './push.ts';
import type { ReportsResult } from './reports.ts';
import type { StallResult } from './stall.ts';

/** The rows as a Markdown table, with ratios to the others. */
export function showRows(rows: readonly RowResult[]): string {
  const head = [
    'nodes x keys',
    'server',
    'change to last node',
    'CPU of a change',
    'peak memory',
    'time of ours',
    'memory of ours',
  ];
  const lines = rows.flatMap(({ nodes, keys, servers }) => {
    const [ours] = servers;
    return servers.map((server) => [
      `${count(nodes)} x ${count(keys)}`,
      server.server,
      `${ms(server.changeMs)} (${ms(Math.min(...server.runs))} to ${ms(Math.max(...server.runs))})`,
      ms(server.cpuMs),
      mb(server.peakMb),
      ...(ours === undefined || server === ours ? ['', ''] : ratios(ours, server)),
    ]);
  });
  return table(head, lines);
}

/** The ratio of ours to the other. */
function ratios(ours: Measured, other: Measured): string[] {
  return [ours.changeMs / other.changeMs, ours.peakMb / other.peakMb].map((ratio) => ratio.toFixed(2));
}

export function showPath(results: readonly PathResult[]): string {
  const parts = [
    'watch',
    'git',
    'parse',
    'compile',
    'encode',
    'push',
    'total',
    'still',
  ] as const satisfies readonly (keyof Parts)[];
  const lines = results.map(({ nodes, keys, median, peakMb }) => [
    count(nodes),
    count(keys),
    ...parts.map((part) => ms(median[part])),
    mb(peakMb),
  ]);
  return table(['nodes', 'customers', ...parts, 'peak memory'], lines);
}

export function showJoin(join: JoinResult): string {
  return [
    `${count(join.nodes)} nodes connect at once, releases of ${count(join.keys)} keys:`,
    `  all have the release after ${ms(join.firstMs)} of a daemon just started, later after ${ms(join.againMs)}`,
    `  all have the release that was made meanwhile after ${ms(join.changedMs)}`,
    `  memory: ${mb(join.emptyMb)} without nodes, ${mb(join.fullMb)} with all, after they left: ${join.leftMb.map(mb).join(', ')}`,
  ].join('\n');
}

export function showStall(stall: StallResult): string {
  const { nodes, silent, keys, releases, memoryMb, peakMb, changeMs } = stall;
  return [
    `${count(silent)} of ${count(nodes)} nodes do not read, ${releases} releases of ${count(keys)} keys:`,
    `  memory after each release: ${memoryMb.map((value) => value.toFixed(0)).join(' ')} MB, peak ${mb(peakMb)}`,
    `  change to last node that reads: ${ms(changeMs)}`,
  ].join('\n');
}

/** As a Markdown table. */
export function showReports({ nodes, lines }: ReportsResult): string {
  const head = ['nodes', 'node in a report', 'a report each', 'of one core', 'the generator', 'memory', 'late'];
  const cells = lines.map(({ nodeBytes, everyMs, share, loadShare, memoryMb, late }) => [
    count(nodes),
    `${count(nodeBytes)} bytes`,
    everyMs === 0 ? 'never' : `${everyMs / 1_000} s`,
    percent(share),
    percent(loadShare),
    mb(memoryMb),
    count(late),
  ]);
  return table(head, cells);
}

/** As a Markdown table. */
export function showPlan(results: readonly PlanResult[]): string {
  const head = ['customers', 'hosts', '', 'time', 'CPU', 'peak memory'];
  const lines = results.flatMap(({ customers, hosts, plan, bare }) =>
    [plan, bare].map((cost) => {
      const what = cost === plan ? 'shardplane plan' : 'the bare assignment';
      return [count(customers), count(hosts), what, ms(cost.ms), ms(cost.cpuMs), mb(cost.peakMb)];
    }),
  );
  return table(head, lines);
}

/** Markdown. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [row(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.map(row)].join('\n');
}

function ms(value: number): string {
  return `${value >= 10 || value <= -10 ? count(Math.round(value)) : value.toFixed(1)} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function mb(value: number): string {
  return `${count(Math.round(value))} MB`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import pc from 'picocolors';
import { printable } from '../config/words.ts';
import type { ShownDiagnostic, Status } from '../http/api.ts';
import { findDaemon } from './client.ts';
import { drawDiagnostic } from '../terminal.ts';
import { CliError } from './exit.ts';
import { formatNodes, selectNodes } from './nodes.ts';
import type { NodeFilter } from './nodes.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, toCount, useColor, withJson, withSettings } from './options.ts';
import { formatRollout } from './rollout-lines.ts';
import { follows } from './same-daemon.ts';
import { watch } from './watch.ts';
import { short } from '../release/short.ts';

interface StatusFlags extends SettingsFlags, NodeFilter {
  readonly json?: boolean;
  readonly limit?: number;
  readonly exitCode?: boolean;
  /** Seconds; true: one. */
  readonly watch?: number | true;
}

/** `shardplane status`. */
export function defineStatus(program: Command): void {
  withJson(withSettings(program.command('status')))
    .description('what the fleet runs, what became of the newest commit, and what fails')
    .option('--node <glob>', 'only nodes whose id fits, as in edge-*')
    .option('--node-state <state>', 'only nodes in this state: acked, pending, refusing, unanswered ...')
    .option('--limit <n>', `how many nodes to list, what is wrong first (default: ${defaultLimit})`, toCount)
    .option('--exit-code', 'exit 1 unless the newest commit is live and no problem is open')
    .addOption(
      new Option('--watch [seconds]', 'keep showing it, every second or as often as given').argParser(toSeconds),
    )
    .addHelpText('after', '\nExit codes: 0; 1 no daemon, or as --exit-code says; 2 usage')
    .action((flags: StatusFlags) => (flags.watch === undefined ? once(flags) : again(flags)));
}

async function once(flags: StatusFlags): Promise<void> {
  const status = await read(flags);
  if (flags.json) printJson(narrow(status, flags));
  else console.log(formatStatus(status, { ...flags, color: useColor() }));
  if (flags.exitCode && !isWell(status)) process.exitCode = 1;
}

async function again(flags: StatusFlags): Promise<void> {
  if (flags.exitCode) throw new CliError('--watch never ends, so --exit-code has no effect', { exitCode: 2 });
  settingsOf(flags); // report bad settings once and exit, instead of in every frame
  await watch(Number(flags.watch) * 1_000, async () => {
    const status = await read(flags);
    return flags.json ? JSON.stringify(narrow(status, flags)) : fitToScreen(status, flags);
  });
}

async function read(flags: StatusFlags): Promise<Status> {
  const link = await findDaemon(flags, 'question');
  return (await link.ask('/api/v1/status')) as Status;
}

/** On a terminal, lists fewer nodes so that the problems below them stay on the screen. */
function fitToScreen(status: Status, flags: StatusFlags): string {
  const options = { ...flags, color: useColor() };
  const text = formatStatus(status, options);
  const surplus = text.split('\n').length + 1 - (process.stdout.isTTY ? process.stdout.rows : Infinity);
  if (surplus <= 0) return text;
  const listed = Math.min(flags.limit ?? defaultLimit, status.nodes.length);
  return formatStatus(status, { ...options, limit: Math.max(1, listed - surplus - 1) });
}

/** The newest commit is live, and there are no problems. */
function isWell({ live, head, problems }: Status): boolean {
  return head !== null && head.version === live?.version && problems.length === 0;
}

/** JSON has all nodes unless fewer are asked for. */
function narrow(status: Status, { node, nodeState, limit }: StatusFlags): Status {
  if (node === undefined && nodeState === undefined && limit === undefined) return status;
  return { ...status, nodes: selectNodes(status.nodes, { node, nodeState }).slice(0, limit) };
}

const defaultLimit = 20;
const namedMuted = 10;

/** The status as text. */
export function formatStatus(
  status: Status,
  options: NodeFilter & { readonly color: boolean; readonly limit?: number },
): string {
  const { color, limit = defaultLimit } = options;
  const nodes = selectNodes(status.nodes, options);
  const isPart = options.node !== undefined || options.nodeState !== undefined;
  const lines = [
    ...formatHead(status, color),
    ...(isPart ? [`       ${nodes.length} of ${status.nodes.length} match`] : []),
    ...formatNodes(nodes, { limit, color, indent: '       ' }),
  ];
  const faults = formatFaults(status, color);
  return [...lines, ...(faults.length > 0 ? ['', ...faults] : [])].join('\n');
}

/** The first lines: the daemon, the live release, the newest commit, the number of nodes. */
export function formatHead(status: Status, color: boolean): string[] {
  const { daemon, live, head, backlog, counts, nodes, gone, muted } = status;
  const unserved = nodes.filter(({ state }) => state === 'unserved').length;
  const colors = pc.createColors(color);
  return [
    // an older daemon doesn't say
    ...((daemon as Status['daemon'] | undefined)
      ? [`repo   ${printable(follows(daemon))}  (shardplane ${printable(daemon.version)})`]
      : []),
    live
      ? `live   ${colors.bold(short(live.version))}  ${printable(live.subject)}  (since ${live.since}${live.proven ? '' : ', unproven'})`
      : `live   ${colors.yellow('none yet')}`,
    head
      ? `head   ${colors.bold(short(head.version))}  ${printable(head.subject)}  ${paintOutcome(head.outcome, colors)}`
      : 'head   none yet',
    ...formatRollout(status, { color, now: Date.now() }),
    ...(backlog > 0 ? [`older  ${backlog} overtaken by it are still being judged`] : []),
    `nodes  ${counts.connected} connected: ${counts.acked} acked, ${counts.pending} pending, ${counts.refusing} refusing, ${counts.unanswered} unanswered${unserved > 0 ? `; ${unserved} unserved` : ''}${gone.length > 0 ? `; ${gone.length} gone within a day` : ''}`,
    ...(muted.length > 0 ? [`muted  ${list(muted)}`] : []),
  ];
}

function list(ids: readonly string[]): string {
  const more = ids.length > namedMuted ? ` and ${ids.length - namedMuted} more (--json has all)` : '';
  return `${ids.slice(0, namedMuted).map(printable).join(', ')}${more}`;
}

/** What is wrong: the diagnostics of the newest commit and of the saved file, and the open problems. */
export function formatFaults({ head, working, problems }: Status, color: boolean): string[] {
  const colors = pc.createColors(color);
  return [
    ...(head?.diagnostics ?? []).map((each) => draw(each, color)),
    ...(working && !working.valid
      ? working.diagnostics.map((each) => `saved, not committed: ${draw(each, color)}`)
      : []),
    ...(working?.valid ? ['the saved file differs from the commit: valid, not committed'] : []),
    ...problems.map(
      ({ message, hint, since }) =>
        `${colors.red('problem')} since ${since}: ${printable(message)}${hint === null ? '' : `\n  hint: ${printable(hint)}`}`,
    ),
  ];
}

function draw(diagnostic: ShownDiagnostic, color: boolean): string {
  const { excerpt, line } = diagnostic;
  return drawDiagnostic(diagnostic, excerpt === null ? null : '\n'.repeat(line - 1) + excerpt, { color });
}

type Colors = ReturnType<typeof pc.createColors>;

function paintOutcome(outcome: string | null, colors: Colors): string {
  if (outcome === 'live') return colors.green(outcome);
  return outcome === null ? colors.yellow('rolling out') : colors.red(outcome);
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && seconds >= 0.1 && seconds <= 3_600) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds, from 0.1 to 3600.');
}

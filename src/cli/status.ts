import type { Command } from 'commander';
import pc from 'picocolors';
import type { NodeStatus, ShownDiagnostic, Status } from '../http/api.ts';
import { askDaemon } from './client.ts';
import { printable } from '../config/words.ts';
import { drawDiagnostic } from './draw.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, useColor, withJson, withSettings } from './options.ts';

/** `shardplane status`. */
export function defineStatus(program: Command): void {
  withJson(withSettings(program.command('status')))
    .description('what the fleet runs, what became of the newest commit, and what fails')
    .action(async (flags: SettingsFlags & { json?: boolean }) => {
      const status = (await askDaemon(settingsOf(flags), '/api/v1/status')) as Status;
      if (flags.json) printJson(status);
      else console.log(formatStatus(status, { color: useColor() }));
    });
}

const maxNodes = 50;

/** The status as a person reads it. */
export function formatStatus(status: Status, { color }: { color: boolean }): string {
  const colors = pc.createColors(color);
  const { live, head, counts, problems, working } = status;
  const lines = [
    live
      ? `live   ${colors.bold(live.version.slice(0, 12))}  ${printable(live.subject)}  (since ${live.since}${live.proven ? '' : ', unproven'})`
      : `live   ${colors.yellow('none yet')}`,
    head
      ? `head   ${colors.bold(head.version.slice(0, 12))}  ${printable(head.subject)}  ${paintOutcome(head.outcome, colors)}`
      : 'head   none yet',
    `nodes  ${counts.connected} connected: ${counts.acked} acked, ${counts.pending} pending, ${counts.refusing} refusing, ${counts.unanswered} unanswered`,
    ...status.nodes.slice(0, maxNodes).map((node) => toNodeLine(node, colors)),
    ...(status.nodes.length > maxNodes
      ? [`       ... and ${status.nodes.length - maxNodes} more: --json lists all`]
      : []),
  ];
  const faults = [
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
  return [...lines, ...(faults.length > 0 ? ['', ...faults] : [])].join('\n');
}

function draw(diagnostic: ShownDiagnostic, color: boolean): string {
  const { excerpt, line } = diagnostic;
  return drawDiagnostic(diagnostic, excerpt === null ? null : '\n'.repeat(line - 1) + excerpt, { color });
}

type Colors = ReturnType<typeof pc.createColors>;

function paintOutcome(outcome: string | null, colors: Colors): string {
  if (outcome === 'live') return colors.green(outcome);
  return outcome === null ? colors.yellow('being rolled out') : colors.red(outcome);
}

function toNodeLine(node: NodeStatus, colors: Colors): string {
  const state = node.state === 'acked' ? colors.green(node.state) : colors.yellow(node.state);
  const more = [
    node.refusal && `: ${printable(node.refusal.message)}`,
    node.duplicate && colors.red(' (another stream has the same node id)'),
  ];
  return `       ${printable(node.id)}  ${node.version?.slice(0, 12) ?? '-'}  ${state}${more.filter(Boolean).join('')}`;
}

import type { Command } from 'commander';
import { exactPercent } from '../config/words.ts';
import { isUnlimited, noLimits, type PlanLimits } from '../plan/limits.ts';
import { planSteps } from '../plan/plan-change.ts';
import type { ChangePlan } from '../plan/plan.ts';
import type { Settings } from '../settings/settings.ts';
import { CliError } from './exit.ts';
import type { SettingsFlags } from './options.ts';
import { printJson, settingsOf, useColor, withJson, withSettings } from './options.ts';
import { toMarkdown } from './plan-markdown.ts';
import { readSides, type Origin, type Sides } from './plan-sides.ts';
import { formatPlan } from './plan-text.ts';
import { withProgress } from './progress.ts';

interface PlanFlags extends SettingsFlags {
  readonly live?: boolean;
  readonly full?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly detailedExitcode?: boolean;
}

/** `shardplane plan [BASE..HEAD | FILE]`. */
export function definePlan(program: Command): void {
  withJson(withSettings(program.command('plan')))
    .description('what a change would do to customers, before it is made')
    .argument('[file]', 'a config (- reads standard input), or two commits, BASE..HEAD; default: the saved config')
    .option('--live', 'compare with what the daemon runs, in place of HEAD')
    .option('--full', 'list all customers that change hosts, and all hosts')
    .option('--markdown', 'for a pull request')
    .option('--detailed-exitcode', 'exit 2 when something changes')
    .addHelpText(
      'after',
      '\nExit codes: 0; 1 invalid or failed; 2 as --detailed-exitcode says; 3 over a limit of plan.limits',
    )
    .action(run);
}

async function run(argument: string | undefined, flags: PlanFlags): Promise<void> {
  if (flags.json && flags.markdown) throw new CliError('--json or --markdown, not both');
  const settings = settingsOf(flags);
  const sides = await readSides(argument, flags);
  const plan = compute(sides, settings);
  print({ plan, sides, settings }, flags);
  process.exitCode = exitCodeOf(plan, flags);
}

function exitCodeOf({ excesses, changes }: ChangePlan, { detailedExitcode = false }: PlanFlags): number {
  if (excesses.length > 0) return 3;
  return detailedExitcode && changes ? 2 : 0;
}

/** Where nothing was before, everything is compared with itself: nobody moves, and no limit is broken. */
function compute({ from, to }: Sides, { rollout, plan: { limits } }: Settings): ChangePlan {
  const options = { policy: rollout, limits: from === null ? noLimits : limits, trailer: to.trailer };
  const steps = planSteps((from ?? to).config, to.config, options);
  const plan = withProgress('comparing shards', steps);
  return from === null ? { ...plan, changes: true } : plan;
}

function print(
  { plan, sides, settings }: { plan: ChangePlan; sides: Sides; settings: Settings },
  flags: PlanFlags,
): void {
  const { from, to } = sides;
  const { file } = settings.repository;
  const hosts = { before: (from ?? to).config.hosts, after: to.config.hosts };
  const shown = { plan, file, from, to, hosts, limits: limitWords(settings.plan.limits) };
  if (flags.json) printJson(toJson(shown, flags.full ?? false));
  else if (flags.markdown) process.stdout.write(toMarkdown(shown));
  else console.log(formatPlan(shown, { full: flags.full ?? false, color: useColor() }));
}

function limitWords(limits: PlanLimits): string | null {
  if (isUnlimited(limits)) return null;
  const { moved, twins, load } = limits;
  const words = [
    ...(moved === null ? [] : [`moved ${exactPercent(moved)}`]),
    ...(twins === null ? [] : [`twins ${twins}`]),
    ...(load === null ? [] : [`load ${load}`]),
  ];
  return words.join(', ');
}

const movesListed = 1_000;

/** schemas/plan.schema.json. */
function toJson(
  { plan, file, from, to }: { plan: ChangePlan; file: string; from: Origin | null; to: Origin },
  isFull: boolean,
): object {
  const originOf = ({ name, version }: Origin): Origin => ({ name, version });
  const moves = isFull ? plan.named.moves : plan.named.moves.slice(0, movesListed);
  return { file, from: from && originOf(from), to: originOf(to), ...plan, named: { ...plan.named, moves } };
}

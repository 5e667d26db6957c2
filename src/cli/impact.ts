import { toMilliseconds } from '../settings/duration.ts';
import type { Command } from 'commander';
import type { Status } from '../http/api.ts';
import { short } from '../release/short.ts';
import { impactOf, type Failing, type Impact } from '../plan/impact.ts';
import { shardOf } from '../shard/shard-of.ts';
import type { Link } from './client.ts';
import { Configs, type CommittedConfig } from './configs.ts';
import { toSlots } from './down-hosts.ts';
import { CliError } from './exit.ts';
import { findDaemonOrNone } from './from-ledger.ts';
import { formatImpact, type ImpactSource } from './impact-text.ts';
import { readLives } from './lives.ts';
import { printJson, settingsOf, useColor, withJson, withSettings, type SettingsFlags } from './options.ts';
import { withProgress } from './progress.ts';

interface ImpactFlags extends SettingsFlags {
  readonly hosts?: string;
  readonly customer?: string;
  readonly at?: string;
  readonly full?: boolean;
  readonly json?: boolean;
}

/** A config, and how it was found. */
interface Found extends CommittedConfig {
  readonly source: ImpactSource;
}

/** `shardplane impact --hosts LIST | --customer ID`. */
export function defineImpact(program: Command): void {
  withJson(withSettings(program.command('impact')))
    .description('who has how many hosts left when some are down, now or at a time')
    .option('--hosts <list>', 'these are down: numbers from 1 as in x-shard-assignment, ranges, or addresses')
    .option('--customer <id>', 'all hosts of this customer are down')
    .option('--at <when>', 'under what was live then (2026-01-31T12:00:00Z, or 90m: ago), or a commit’s config (SHA)')
    .option('--full', 'name all who have nothing left, or one host (1,000 each at most)')
    .addHelpText('after', '\nExit codes: 0; 1 it can’t be told; 2 usage')
    .action(run);
}

async function run(flags: ImpactFlags): Promise<void> {
  if ((flags.hosts === undefined) === (flags.customer === undefined))
    throw new CliError('name what is down: --hosts 3,7 or --customer ID', { exitCode: 2 });
  const found = await find(flags);
  const failing = toFailing(flags, found);
  const impact = withProgress('looking at the named customers', impactOf(found.config, failing));
  if (flags.json) printJson(toJson({ impact, found, failing }));
  else
    console.log(
      formatImpact({ impact, ...found, customer: failing.customer }, { full: flags.full ?? false, color: useColor() }),
    );
}

function toFailing({ hosts, customer: id }: ImpactFlags, { config }: Found): Failing {
  const customer = id ?? null;
  const slots = customer === null ? toSlots(hosts ?? '', config) : new Set(shardOf(config, customer));
  if (slots.size === 0) throw new CliError('--hosts names no host', { exitCode: 2, hint: 'as in --hosts 3,7' });
  return { slots, customer };
}

/** A contract, as all JSON is (docs/operating.md). */
function toJson({ impact, found, failing }: { impact: Impact; found: Found; failing: Failing }): object {
  const { version, subject, source } = found;
  return { version, subject, source, customer: failing.customer, ...impact };
}

async function find(flags: ImpactFlags): Promise<Found> {
  const when = flags.at === undefined ? null : toWhen(flags.at);
  const link = await findDaemonOrNone(flags);
  await using configs = await Configs.open(settingsOf(flags), link?.daemon ?? null);
  if (when === null) return await findNow(link, configs);
  return 'sha' in when ? await findCommitted(when.sha, configs) : await findPast(when.at, { link, flags, configs });
}

/** What the daemon has live, or what the ref has. */
async function findNow(link: Link | null, configs: Configs): Promise<Found> {
  const status = link && ((await link.ask('/api/v1/status')) as Status);
  if (status !== null && status.live !== null) {
    const { version, since } = status.live;
    return { ...(await configs.at(version)), source: { kind: 'live', since, at: null, note: noteOf(status) } };
  }
  const note = link ? 'nothing is live yet: this is what the ref has' : 'no daemon answers: this is what the ref has';
  return { ...(await configs.atRef()), source: { kind: 'ref', since: null, at: null, note } };
}

/** During a rollout, some have the hosts of another release. */
function noteOf({ rollout }: Status): string | null {
  if (rollout === null || rollout.wave === 0) return null;
  const version = short(rollout.version);
  return `${version} is being rolled out, wave ${rollout.wave} of ${rollout.waves.length}: for those whom it has reached, add --at ${version}`;
}

async function findCommitted(sha: string, configs: Configs): Promise<Found> {
  return { ...(await configs.at(sha)), source: { kind: 'commit', since: null, at: null, note: null } };
}

interface Places {
  readonly link: Link | null;
  readonly flags: ImpactFlags;
  readonly configs: Configs;
}

async function findPast(at: number, { link, flags, configs }: Places): Promise<Found> {
  const [live] = await readLives(link, flags, { limit: 1, until: at });
  if (live === undefined)
    throw new CliError(`nothing was live at ${new Date(at).toISOString()}, as far back as the ledger goes`, {
      hint: 'shardplane history lists what it has; --at SHA needs no ledger',
    });
  const source = { kind: 'live', since: live.liveAt, at: new Date(at).toISOString(), note: null } as const;
  return { ...(await configs.at(live.version)), source };
}

/** A time with a date, so long ago, or a SHA. Throws CliError. */
function toWhen(text: string): { readonly at: number } | { readonly sha: string } {
  const ago = /^[0-9]{1,3}[smhd]$/.test(text) ? Date.now() - toMilliseconds(text) : Number.NaN;
  const at = /^[0-9]{4}-[0-9]{2}-/.test(text) ? Date.parse(text) : ago;
  if (at <= Date.now()) return { at };
  if (Number.isNaN(at) && /^(HEAD|[0-9a-f]{4,64})$/i.test(text)) return { sha: text };
  throw new CliError(
    `--at ${text}: ${at > Date.now() ? 'that is in the future' : 'not a time, and not a commit’s SHA'}`,
    {
      exitCode: 2,
      hint: 'as in 2026-01-31T12:00:00Z, 90m (ago), or the first digits of a SHA',
    },
  );
}

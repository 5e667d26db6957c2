import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardConfig } from '../config/config.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { openRepository, type GitRepository } from '../git/read/repository.ts';
import type { Revision } from '../git/read/revision.ts';
import { findCommit, isRange, resolveRange } from '../git/read/revision-range.ts';
import { newestRevision } from '../git/read/revisions.ts';
import type { Status } from '../http/api.ts';
import { Judge } from '../judge/judge.ts';
import { short } from '../release/short.ts';
import { readSchema } from '../settings/load.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import { findDaemon } from './client.ts';
import { cloneOf } from './clone.ts';
import { CliError } from './exit.ts';
import { settingsOf, type SettingsFlags } from './options.ts';
import { printDiagnostics } from './print-diagnostics.ts';
import { readConfig } from './read-config.ts';

/** Where a config is from. */
export interface Origin {
  /** `HEAD`, `live`, `main`, or a file's path. */
  readonly name: string;
  /** The commit that gave the file this content; null: a file that is saved. */
  readonly version: string | null;
}

/** A valid config, and where it is from. */
export interface PlanSide extends Origin {
  readonly config: ShardConfig;
  /** The strategy that the commit asks for, or null. */
  readonly trailer: string | null;
}

/** What to compare. `from` is null where there is no config yet. */
export interface Sides {
  readonly from: PlanSide | null;
  readonly to: PlanSide;
}

/** What was read for one side. */
interface Found extends Origin {
  readonly content: Revision['content'];
  readonly trailer: string | null;
}

/** Reads both configs as the daemon does. Throws CliError (with the diagnostics drawn, when one is not valid), GitError, SettingsError. */
export async function readSides(
  argument: string | undefined,
  flags: SettingsFlags & { live?: boolean },
): Promise<Sides> {
  const { repository: settings } = settingsOf(flags);
  const repository = await openRepository(cloneOf(settings));
  const { from, to } = await find({ repository, settings, argument }, flags);
  await using judge = new Judge({ file: settings.file, validate: readSchema(settings.schema) });
  return {
    to: await judgeSide(to, judge, null),
    from: from && (await judgeSide(from, judge, hintForBase(from))),
  };
}

interface Question {
  readonly repository: GitRepository;
  readonly settings: RepositorySettings;
  readonly argument: string | undefined;
}

async function find(
  { repository, settings, argument }: Question,
  flags: SettingsFlags & { live?: boolean },
): Promise<{ from: Found | null; to: Found }> {
  const { file } = settings;
  if (argument !== undefined && isRange(argument) && !existsSync(argument)) {
    if (flags.live) throw new CliError('--live compares with what the daemon runs: give no range with it');
    const { base, head } = await resolveRange(repository, argument);
    const [, from = '', to = ''] = /^(.*?)\.{2,3}(.*)$/.exec(argument) ?? [];
    const found = await readCommit(repository, { file, commit: head, name: to || 'HEAD' });
    if (found === null)
      throw new CliError(`no commit of ${to || 'HEAD'} has ${file}`, { hint: 'name it: --file PATH' });
    return { from: await readCommit(repository, { file, commit: base, name: from || 'HEAD' }), to: found };
  }
  const path = argument ?? join(repository.topLevel ?? repository.path, file);
  if (argument === undefined && repository.topLevel === null)
    throw new CliError(`${repository.path} is a bare repository, and has no saved file`, {
      hint: 'name a FILE, or two commits: shardplane plan BASE..HEAD',
    });
  const to = {
    name: argument ?? 'saved',
    version: null,
    trailer: null,
    content: { bytes: readConfig(path, { verb: 'plan', exitCode: 1 }) },
  };
  return { from: flags.live ? await readLive(repository, file, flags) : await readHead(repository, file), to };
}

async function readHead(repository: GitRepository, file: string): Promise<Found | null> {
  const commit = await findCommit(repository, 'HEAD');
  return commit === null ? null : await readCommit(repository, { file, commit, name: 'HEAD' });
}

/** The live commit's content in this repository: what the daemon pushed is that. */
async function readLive(repository: GitRepository, file: string, flags: SettingsFlags): Promise<Found | null> {
  const { live } = (await (await findDaemon(flags, 'question')).ask('/api/v1/status')) as Status;
  if (live === null) return null;
  const commit = await findCommit(repository, live.version);
  if (commit === null)
    throw new CliError(`the daemon runs ${short(live.version)}, a commit that ${repository.path} does not have`, {
      hint: 'git fetch brings it',
    });
  return await readCommit(repository, { file, commit, name: 'live' });
}

/** The newest commit that gave the file its content. Null: none has the file. */
async function readCommit(
  repository: GitRepository,
  { file, commit, name }: { file: string; commit: string; name: string },
): Promise<Found | null> {
  const revision = await newestRevision(repository, { tip: commit, file });
  if (revision === null) return null;
  return { name, version: revision.version, content: revision.content, trailer: revision.rollout };
}

async function judgeSide({ content, ...origin }: Found, judge: Judge, hint: string | null): Promise<PlanSide> {
  if ('fault' in content) throw notValid(origin, { diagnostics: [content.fault], source: null, hint });
  const { release, diagnostics } = await judge.release(content.bytes, { version: origin.version ?? '', subject: '' });
  if (release === null) throw notValid(origin, { diagnostics, source: content.bytes, hint });
  return { ...origin, config: release.config };
}

function hintForBase({ name }: Origin): string {
  return name === 'live'
    ? 'the schema here is not the daemon’s: see repository.schema'
    : 'nothing can be compared with it; --live compares with what the daemon runs, BASE..HEAD with another commit';
}

interface Invalid {
  readonly diagnostics: readonly Diagnostic[];
  readonly source: Uint8Array | null;
  readonly hint: string | null;
}

/** Draws the diagnostics to standard error. */
function notValid({ name, version }: Origin, { diagnostics, source, hint }: Invalid): CliError {
  printDiagnostics(diagnostics, source);
  const where = version === null ? name : `${name} (${short(version)})`;
  return new CliError(`the config of ${where} is not valid`, { hint });
}

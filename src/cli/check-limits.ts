import type { ShardConfig } from '../config/config.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { openRepository } from '../git/read/repository.ts';
import type { Revision } from '../git/read/revision.ts';
import { findCommit } from '../git/read/revision-range.ts';
import { newestRevision } from '../git/read/revisions.ts';
import type { Judge } from '../judge/judge.ts';
import { findExcesses, isUnlimited, type PlanLimits } from '../plan/limits.ts';
import type { Excess } from '../plan/plan.ts';
import { survey } from '../plan/survey.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import { cloneOf } from './clone.ts';
import { withProgress } from './progress.ts';

/** A file that was checked. */
export interface Checked {
  readonly file: string;
  /** Null: there are no bytes. */
  readonly source: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Limits of `plan.limits` that a valid config breaks. */
  readonly excesses: readonly Excess[];
}

interface Checking {
  readonly judge: Judge;
  readonly limits: PlanLimits;
  /** What the change is compared with; asked only where there are limits. Null: nothing. */
  readonly before: () => Promise<Revision['content'] | null>;
}

/** What is wrong with a config, or with the change to it. */
export async function checkBytes(source: Uint8Array, checking: Checking): Promise<Omit<Checked, 'file'>> {
  const diagnostics = await checking.judge.check(source);
  return { source, diagnostics, excesses: diagnostics.length > 0 ? [] : await excessesOf(source, checking) };
}

/** The limits that a valid config breaks. None, where there is no valid config to compare it with. */
async function excessesOf(source: Uint8Array, { judge, limits, before }: Checking): Promise<readonly Excess[]> {
  if (isUnlimited(limits)) return [];
  const content = await before();
  if (content === null || 'fault' in content) return [];
  const [old, now] = [await configOf(content.bytes, judge), await configOf(source, judge)];
  return old === null || now === null
    ? []
    : findExcesses(withProgress('comparing shards', survey(old, now, { maxPairs: 0 })), limits);
}

/** What HEAD of the repository has. Rejects with GitError. */
export async function readHeadContent(settings: RepositorySettings): Promise<Revision['content'] | null> {
  const repository = await openRepository(cloneOf(settings));
  const tip = await findCommit(repository, 'HEAD');
  return tip === null ? null : ((await newestRevision(repository, { tip, file: settings.file }))?.content ?? null);
}

async function configOf(bytes: Uint8Array, judge: Judge): Promise<ShardConfig | null> {
  return (await judge.release(bytes, { version: '', subject: '' })).release?.config ?? null;
}

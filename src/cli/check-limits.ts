import { openRepository } from '../git/read/repository.ts';
import type { Revision } from '../git/read/revision.ts';
import { findCommit } from '../git/read/revision-range.ts';
import { newestRevision } from '../git/read/revisions.ts';
import type { Judge } from '../judge/judge.ts';
import type { ShardConfig } from '../config/config.ts';
import { findExcesses, isUnlimited, type PlanLimits } from '../plan/limits.ts';
import type { Excess } from '../plan/plan.ts';
import { survey, type Survey } from '../plan/survey.ts';
import type { RepositorySettings } from '../settings/settings.ts';
import { cloneOf } from './plan-sides.ts';

interface Limiting {
  readonly judge: Judge;
  readonly limits: PlanLimits;
  /** What the change is compared with; asked only where there are limits. Null: nothing. */
  readonly before: () => Promise<Revision['content'] | null>;
}

/** The limits that a valid config breaks. None, where there is no valid config to compare it with. */
export async function excessesOf(source: Uint8Array, { judge, limits, before }: Limiting): Promise<readonly Excess[]> {
  if (isUnlimited(limits)) return [];
  const content = await before();
  if (content === null || 'fault' in content) return [];
  const [old, now] = [await configOf(content.bytes, judge), await configOf(source, judge)];
  return old === null || now === null ? [] : findExcesses(look(old, now), limits);
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

function look(before: ShardConfig, after: ShardConfig): Survey {
  const steps = survey(before, after, { maxPairs: 0 });
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

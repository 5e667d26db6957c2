import { listVersions } from './commits.ts';
import { classify, decide, type Decision, type Movement, type OnRewrite } from './movement.ts';
import { resolveRef } from './refs.ts';
import { relate } from './relation.ts';
import type { GitRepository } from './repository.ts';
import type { Revision } from './revision.ts';
import { newestRevision } from './revisions.ts';

/** What a look at the ref found. */
export interface Look {
  readonly tip: string | null;
  readonly movement: Movement;
  readonly decision: Decision;
  /** SHAs of the new revisions, oldest first; none are read yet. */
  readonly versions: readonly string[];
  /** The revision that counts when there are no new ones. */
  readonly newest: Revision | null;
}

/** What a look goes by. */
export interface LookOptions {
  readonly ref: string;
  readonly file: string;
  /** The tip taken last, or null. */
  readonly base: string | null;
  readonly last: Look | null;
  readonly onRewrite: OnRewrite;
}

/** More commits than this since the last look are not gone through one by one: only the newest of them. */
const maxVersions = 10_000;

/** Looks where the ref is now; null when it is where the last look found it. Throws GitError. */
export async function lookAtRef(repository: GitRepository, options: LookOptions): Promise<Look | null> {
  const { ref, file, base, last, onRewrite } = options;
  const tip = await resolveRef(repository, ref);
  if (last !== null && last.tip === tip) return null;
  const related = tip !== null && base !== null ? await relate(repository, base, tip) : 'lost';
  const relation = related === 'lost' ? null : related;
  const movement = classify({ base, wasAbsent: last !== null && last.tip === null, tip, relation });
  const decision = decide(movement, onRewrite);
  if (tip === null) return { tip, movement, decision, versions: [], newest: null };
  // without a common past to leave out, only the newest revision is new
  const range = relation === null ? { exclude: null, limit: 1 } : { exclude: base, limit: maxVersions };
  const versions = (await listVersions(repository, { tip, file, ...range })).reverse();
  const newest = versions.length > 0 ? null : await newestRevision(repository, { tip, file });
  return { tip, movement, decision, versions, newest };
}

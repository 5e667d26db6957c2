import type { Version } from '../../ids.ts';
import { listVersions } from './commits.ts';
import {
  classify,
  applyPolicy,
  type Decision,
  type Movement,
  type OnRewrite,
  type Relation,
} from '../../revisions/movement.ts';
import { resolveRef } from './refs.ts';
import { relate } from './relation.ts';
import type { GitRepository } from './repository.ts';
import type { Revision } from './revision.ts';
import { newestRevision, readRevisions } from './revisions.ts';

/** The result of a look at the ref. */
export interface Look {
  readonly tip: string | null;
  readonly movement: Movement;
  readonly decision: Decision;
  /** SHAs of the new revisions, oldest first; none are read yet. */
  readonly versions: readonly Version[];
  /** The revision that counts: the last of these, or the one whose content the file has when there are no new ones. */
  readonly newest: Revision | null;
}

export interface LookOptions {
  readonly ref: string;
  readonly file: string;
  /** The tip taken last, or null. */
  readonly base: string | null;
  readonly last: Look | null;
  readonly onRewrite: OnRewrite;
}

/** Of more commits since the last look, only the newest are considered. */
const maxVersions = 10_000;

/** Looks at the ref; null when it has not moved since the last look. Throws GitError. */
export async function lookAtRef(repository: GitRepository, options: LookOptions): Promise<Look | null> {
  const { ref, file, base, last, onRewrite } = options;
  const tip = await resolveRef(repository, ref);
  if (last !== null && last.tip === tip) return null;
  const related = tip !== null && base !== null ? await relate(repository, base, tip) : 'lost';
  const found = related === 'lost' ? null : related;
  const news = tip === null ? { versions: [], newest: null } : await findNews(repository, { tip, file, base, found });
  const relation = (await goesBack(repository, { file, base, found, ...news })) ? 'ancestor' : found;
  const movement = classify({ base, wasAbsent: last !== null && last.tip === null, tip, relation });
  return { tip, movement, decision: applyPolicy(movement, onRewrite), ...news };
}

type News = Pick<Look, 'versions' | 'newest'>;

async function findNews(
  repository: GitRepository,
  { tip, file, base, found }: { tip: string; file: string; base: string | null; found: Relation | null },
): Promise<News> {
  // without a common ancestor, only the newest revision is new
  const range = found === null ? { exclude: null, limit: 1 } : { exclude: base, limit: maxVersions };
  const versions = (await listVersions(repository, { tip, file, ...range })).reverse();
  const newest = await readNewest(repository, { tip, file, versions });
  return { versions, newest };
}

/**
 * A merge can restore what the file had before (its first parent is older, and its tree is that one's): there is no new
 * revision, and an older one counts again. That is a rewind, whatever the commit graph says.
 */
async function goesBack(
  repository: GitRepository,
  { file, base, found, versions, newest }: News & { file: string; base: string | null; found: Relation | null },
): Promise<boolean> {
  if (found !== 'descendant' || base === null || versions.length > 0 || newest === null) return false;
  const [before] = await listVersions(repository, { tip: base, file, exclude: null, limit: 1 });
  return before !== newest.version;
}

async function readNewest(
  repository: GitRepository,
  { tip, file, versions }: { tip: string; file: string; versions: readonly Version[] },
): Promise<Revision | null> {
  if (versions.length === 0) return await newestRevision(repository, { tip, file });
  for await (const [newest] of readRevisions(repository, file, versions.slice(-1))) return newest ?? null;
  return null;
}

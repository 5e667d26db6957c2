import type { Version } from '../../ids.ts';
import { batches, blobSizes, readBlobs, type Blob } from './blobs.ts';
import { listVersions, readCommits, type Commit, type CommitRange } from './commits.ts';
import { blobOf, toContent } from './tree-entry.ts';
import type { GitRepository } from './repository.ts';
import type { Revision } from './revision.ts';

/**
 * The revisions of a range with their content, newest first: as many as `limit` and 64 MiB of content let through
 * (always one, where there is one). A few git processes, however many revisions.
 * Throws GitError (`object-missing` when commits or trees are missing; a missing blob is a fault of its revision).
 */
export async function listRevisions(repository: GitRepository, range: CommitRange): Promise<Revision[]> {
  const versions = await listVersions(repository, range);
  for await (const page of readRevisions(repository, range.file, versions)) return page;
  return [];
}

/** The revision that gives the file of `tip` its content; null when no commit of its history has it. */
export async function newestRevision(
  repository: GitRepository,
  at: { tip: string; file: string },
): Promise<Revision | null> {
  const [newest = null] = await listRevisions(repository, { ...at, exclude: null, limit: 1 });
  return newest;
}

/** Reads the given commits in the given order, in pages of at most 64 MiB of content and 1,000 revisions. */
export async function* readRevisions(
  repository: GitRepository,
  file: string,
  versions: readonly Version[],
): AsyncGenerator<Revision[]> {
  for (let from = 0; from < versions.length; from += 1000) {
    const commits = await readCommits(repository, file, versions.slice(from, from + 1000));
    const objects = commits.map(({ entry }) => blobOf(entry));
    const sizes = await blobSizes(
      repository,
      objects.filter((object) => object !== ''),
    );
    let at = 0;
    for (const batch of batches(objects, sizes)) {
      const blobs = await readBlobs(
        repository,
        batch.filter((object) => object !== ''),
        sizes,
      );
      yield commits.slice(at, at + batch.length).map((commit) => toRevision(commit, file, blobs));
      at += batch.length;
    }
  }
}

/** The given commits in the given order, without content, 1,000 to a process. */
export async function readSummaries(
  repository: GitRepository,
  file: string,
  versions: readonly Version[],
): Promise<Commit[]> {
  const commits: Commit[] = [];
  for (let from = 0; from < versions.length; from += 1000)
    commits.push(...(await readCommits(repository, file, versions.slice(from, from + 1000))));
  return commits;
}

function toRevision({ entry, ...commit }: Commit, file: string, blobs: ReadonlyMap<string, Blob>): Revision {
  return { ...commit, content: toContent(entry, file, blobs) };
}

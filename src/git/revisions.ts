import type { Diagnostic, DiagnosticCode } from '../config/diagnostic.ts';
import { batches, blobSizes, maxFileBytes, readBlobs, type Blob } from './blobs.ts';
import { listVersions, readCommits, type Commit, type CommitRange } from './commits.ts';
import type { GitRepository } from './repository.ts';
import type { Revision } from './revision.ts';

/**
 * The revisions of a range with their content, newest first: as many as `limit` and 64 MiB of content let through
 * (always one, where there is one). A few git processes, however many revisions.
 * Throws GitError (`object-missing` when commits or trees are not there; a blob that is not is a revision's own fault).
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
  versions: readonly string[],
): AsyncGenerator<Revision[]> {
  for (let from = 0; from < versions.length; from += 1000) {
    const commits = await readCommits(repository, file, versions.slice(from, from + 1000));
    const objects = commits.map(blobOf);
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

/** The object that holds the content, or '' where there is none to read: only a regular file is ever read. */
function blobOf(commit: Commit): string {
  return commit.entry !== null && commit.entry.mode.startsWith('100') ? commit.entry.object : '';
}

function toRevision({ entry, ...commit }: Commit, file: string, blobs: ReadonlyMap<string, Blob>): Revision {
  return { ...commit, content: toContent(entry, file, blobs) };
}

function toContent(entry: Commit['entry'], file: string, blobs: ReadonlyMap<string, Blob>): Revision['content'] {
  if (entry === null) {
    return fault(
      file,
      'file-missing',
      `this commit has no ${file}`,
      'git revert it, or set repository.file when the file has moved',
    );
  }
  const kind = kinds[entry.mode];
  if (kind !== undefined)
    return fault(file, 'file-not-regular', `${file} is ${kind} in this commit`, 'commit the file itself');
  const blob = blobs.get(entry.object) ?? 'missing';
  if (blob === 'missing') {
    return fault(
      file,
      'object-missing',
      `the content of ${file} (blob ${entry.object}) is missing or damaged in the repository`,
      'git fsck says what is damaged; commit the file anew, or restore the object from another clone',
    );
  }
  if ('tooLarge' in blob) {
    return fault(
      file,
      'file-too-large',
      `${file} is ${blob.tooLarge} bytes in this commit; at most ${maxFileBytes} are read`,
      null,
    );
  }
  return blob;
}

// git's modes of what is no regular file: https://git-scm.com/docs/git-fast-import (M command)
const kinds: Readonly<Record<string, string>> = {
  '040000': 'a directory',
  '120000': 'a symbolic link',
  '160000': 'a submodule',
};

function fault(
  file: string,
  code: DiagnosticCode,
  message: string,
  hint: string | null,
): { readonly fault: Diagnostic } {
  return { fault: { code, message, file, line: 1, column: 1, hint } };
}

import type { GitConfig } from '../exec/environment.ts';
import { GitError } from '../exec/git-error.ts';

/**
 * Faults that old tools have left in many a history, and that don't change what is read here: names, dates, and how a mode
 * is written. All others (what is ambiguous, or hides something) are refused anywhere in the history.
 * https://git-scm.com/docs/git-fsck, "FSCK MESSAGES"
 */
const harmless = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'multipleAuthors',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

/** How strictly received objects are checked. `skipList`: a file of SHAs that are accepted as they are, or null. */
export function fsckConfig(skipList: string | null): GitConfig {
  return ['fsck', 'fetch.fsck'].flatMap((section) => [
    ...harmless.map((id) => [`${section}.${id}`, 'ignore'] as const),
    ...(skipList === null ? [] : [[`${section}.skipList`, skipList] as const]),
  ]);
}

/** The error for a fetch that was refused for a malformed object; null when it failed otherwise. */
export function explainMalformed(output: string, display: string): GitError | null {
  const [, object, id = '', words = ''] = /^error: object ([0-9a-f]{40,64}): (\w+): (.*)$/m.exec(output) ?? [];
  if (object === undefined) return null;
  return new GitError(
    'remote-malformed',
    `${display}: the object ${object} in its history is malformed (${id}: ${words})`,
    `git cat-file -p ${object} shows it; if it is harmless, put its SHA on a line of the file repository.remote.fsck_skip_list`,
  );
}

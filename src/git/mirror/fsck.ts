import type { GitConfig } from '../exec/environment.ts';
import { GitError } from '../exec/error.ts';

/**
 * Of what git fsck knows to be wrong with objects, what old tools have left in many a history and what changes nothing of
 * what is read here: who, when, and how a mode is written. Everything else (what could be read in two ways, or hides
 * something) is refused, wherever in the history it is. https://git-scm.com/docs/git-fsck, "FSCK MESSAGES"
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

/** How closely received objects are looked at. `skipList`: a file of SHAs that are let through as they are, or null. */
export function fsckConfig(skipList: string | null): GitConfig {
  return ['fsck', 'fetch.fsck'].flatMap((section) => [
    ...harmless.map((id) => [`${section}.${id}`, 'ignore'] as const),
    ...(skipList === null ? [] : [[`${section}.skipList`, skipList] as const]),
  ]);
}

/** Names the malformed object that a fetch was refused for; null when it failed with something else. */
export function explainMalformed(said: string, display: string): GitError | null {
  const [, object, id = '', words = ''] = /^error: object ([0-9a-f]{40,64}): (\w+): (.*)$/m.exec(said) ?? [];
  if (object === undefined) return null;
  return new GitError(
    'remote-malformed',
    `${display}: the object ${object} in its history is malformed (${id}: ${words})`,
    `git cat-file -p ${object} shows it; if it is harmless, put its SHA on a line of the file repository.remote.fsck_skip_list`,
  );
}

import type { Diagnostic, DiagnosticCode } from '../../config/diagnostic.ts';
import { maxFileBytes } from '../../config/text.ts';
import { blobSizes, readBlobs, type Blob, type ObjectStore } from './blobs.ts';
import type { Revision } from './revision.ts';

/** What git's tree (or index) holds at a path. */
export interface TreeEntry {
  /** As git prints it: `100644`, `120000`, ... */
  readonly mode: string;
  readonly object: string;
}

/** The object with the content, or '' for anything but a regular file. */
export function blobOf(entry: TreeEntry | null): string {
  return entry !== null && entry.mode.startsWith('100') ? entry.object : '';
}

/** Reads one entry. Throws GitError. */
export async function readEntry(
  store: ObjectStore,
  file: string,
  entry: TreeEntry | null,
): Promise<Revision['content']> {
  const objects = [blobOf(entry)].filter((object) => object !== '');
  const sizes = await blobSizes(store, objects);
  return toContent(entry, file, await readBlobs(store, objects, sizes));
}

/** The content of a tree's entry: the blob's bytes, or why there are none. */
export function toContent(
  entry: TreeEntry | null,
  file: string,
  blobs: ReadonlyMap<string, Blob>,
): Revision['content'] {
  if (entry === null) {
    return fileFault(
      file,
      'file-missing',
      `this commit has no ${file}`,
      'git revert it, or set repository.file when the file has moved',
    );
  }
  const kind = kinds[entry.mode];
  if (kind !== undefined)
    return fileFault(file, 'file-not-regular', `${file} is ${kind} in this commit`, 'commit the file itself');
  const blob = blobs.get(entry.object) ?? 'missing';
  if (blob === 'missing') {
    return fileFault(
      file,
      'object-missing',
      `the content of ${file} (blob ${entry.object}) is missing or damaged in the repository`,
      'git fsck says what is damaged; commit the file anew, or restore the object from another clone',
    );
  }
  if ('tooLarge' in blob) {
    return fileFault(
      file,
      'file-too-large',
      `${file} is ${blob.tooLarge} bytes in this commit; at most ${maxFileBytes} are read`,
    );
  }
  return blob;
}

// git's modes of what is not a regular file: https://git-scm.com/docs/git-fast-import (M command)
const kinds: Readonly<Record<string, string>> = {
  '040000': 'a directory',
  '120000': 'a symbolic link',
  '160000': 'a submodule',
};

/** A fault of the file as a whole. */
export function fileFault(
  file: string,
  code: DiagnosticCode,
  message: string,
  hint: string | null = null,
): { readonly fault: Diagnostic } {
  return { fault: { code, message, file, line: 1, column: 1, hint } };
}

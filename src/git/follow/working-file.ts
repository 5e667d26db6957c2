import { join } from 'node:path';
import type { Diagnostic, DiagnosticCode } from '../../config/diagnostic.ts';
import { maxFileBytes } from '../../config/text.ts';
import { checkPath } from '../exec/names.ts';
import { toStored } from './stored.ts';
import { readRegularFile, type RegularFile } from '../read/regular-file.ts';
import type { GitRepository } from '../read/repository.ts';
import type { Revision } from '../read/revision.ts';

/**
 * The saved file beside the committed one: `same`, or what is saved and not committed (to be checked and shown, never
 * pushed). In a bare repository nothing is ever saved.
 */
export type WorkingFile = 'same' | Revision['content'];

/**
 * Compares the saved file with the committed content (null: the commit has no such file), as git would store it. Line
 * ends don't count as a difference: core.autocrlf changes them on checkout. Throws what the disk fails with, and
 * GitError.
 */
export async function workingFileState(
  repository: GitRepository,
  file: string,
  committed: Revision['content'] | null,
): Promise<WorkingFile> {
  if (repository.topLevel === null) return 'same';
  const saved = await readRegularFile(join(repository.topLevel, checkPath(file)), maxFileBytes);
  if (saved === 'missing' && (committed === null || isFault(committed, 'file-missing'))) return 'same';
  const content = toContent(saved, file);
  if ('bytes' in content) return await compareBytes({ repository, file, saved: content.bytes, committed });
  if (committed === null) return content;
  return isFault(committed, content.fault.code) ? 'same' : content;
}

async function compareBytes(files: {
  repository: GitRepository;
  file: string;
  saved: Buffer;
  committed: Revision['content'] | null;
}): Promise<WorkingFile> {
  const { repository, file, saved, committed } = files;
  const isSame = (bytes: Buffer): boolean =>
    committed !== null && 'bytes' in committed && sameText(bytes, committed.bytes);
  if (isSame(saved)) return 'same';
  const bytes = await toStored(repository, file, saved);
  return bytes === null || isSame(bytes) ? 'same' : { bytes };
}

function isFault(content: Revision['content'], code: DiagnosticCode): boolean {
  return 'fault' in content && content.fault.code === code;
}

function sameText(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || a.toString('latin1').replaceAll('\r\n', '\n') === b.toString('latin1').replaceAll('\r\n', '\n');
}

function toContent(saved: RegularFile, file: string): Revision['content'] {
  if (saved === 'missing') return fault(file, 'file-missing', `${file} is committed, but was deleted here`);
  if (saved === 'not-regular') return fault(file, 'file-not-regular', `${file} is not a regular file`);
  if ('tooLarge' in saved)
    return fault(file, 'file-too-large', `${file} is ${saved.tooLarge} bytes; at most ${maxFileBytes} are read`);
  return saved;
}

function fault(file: string, code: DiagnosticCode, message: string): { readonly fault: Diagnostic } {
  return { fault: { code, message, file, line: 1, column: 1, hint: null } };
}

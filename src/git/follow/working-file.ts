import { join } from 'node:path';
import type { DiagnosticCode } from '../../config/diagnostic.ts';
import { maxFileBytes } from '../../config/text.ts';
import { checkPath } from '../exec/names.ts';
import { runGit } from '../exec/run.ts';
import { readRegularFile, type RegularFile } from '../read/regular-file.ts';
import type { GitRepository } from '../read/repository.ts';
import { fileFault } from '../read/tree-entry.ts';
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
  if (saved === 'missing') return fileFault(file, 'file-missing', `${file} is committed, but was deleted here`);
  if (saved === 'not-regular') return fileFault(file, 'file-not-regular', `${file} is not a regular file`);
  if ('tooLarge' in saved)
    return fileFault(file, 'file-too-large', `${file} is ${saved.tooLarge} bytes; at most ${maxFileBytes} are read`);
  return saved;
}

/**
 * What git would store for a saved file, by its attributes (gitattributes(5): working-tree-encoding, ident). Computed
 * here, since git itself might run a filter that the repository names. Line ends are left alone. Null when there is a
 * filter: then the stored bytes are unknown. Throws GitError.
 */
async function toStored(repository: GitRepository, file: string, saved: Buffer): Promise<Buffer | null> {
  const { filter, encoding, ident } = await readAttributes(repository, file);
  if (filter !== null) return null;
  const text = encoding === null ? saved : decode(saved, encoding);
  return ident ? withoutIdent(text) : text;
}

/** Whether git runs a program on the file when it is stored (gitattributes(5): filter). Throws GitError. */
export async function hasFilter(repository: GitRepository, file: string): Promise<boolean> {
  return (await readAttributes(repository, file)).filter !== null;
}

interface Attributes {
  readonly filter: string | null;
  readonly encoding: string | null;
  readonly ident: boolean;
}

async function readAttributes({ gitDir, topLevel }: GitRepository, file: string): Promise<Attributes> {
  const args = ['check-attr', '-z', 'filter', 'working-tree-encoding', 'ident', '--', checkPath(file)];
  const { stdout } = await runGit(args, { gitDir, ...(topLevel !== null && { cwd: topLevel }) });
  const words = stdout.toString('utf8').split('\0'); // path, attribute, value, repeated
  const values = new Map(words.flatMap((_, at) => (at % 3 === 1 ? [[words[at] ?? '', words[at + 1] ?? '']] : [])));
  const valueOf = (name: string): string => values.get(name) ?? 'unspecified';
  const textOf = (name: string): string | null =>
    /^(un)?set$|^unspecified$/.test(valueOf(name)) ? null : valueOf(name);
  return { filter: textOf('filter'), encoding: textOf('working-tree-encoding'), ident: valueOf('ident') === 'set' };
}

/** To UTF-8. What git would refuse, and unknown encodings, are left as they are: the parser reports them. */
function decode(saved: Buffer, encoding: string): Buffer {
  const name = encoding.toLowerCase();
  const mark = { fffe: 'utf-16le', feff: 'utf-16be' }[saved.toString('hex', 0, 2)];
  // git requires a byte order mark in UTF-16, and forbids it in UTF-16LE and UTF-16BE
  if (name === 'utf-8' || (name === 'utf-16') !== (mark !== undefined && name !== 'utf-16le-bom')) return saved;
  const label = name === 'utf-16' ? mark : name === 'utf-16le-bom' ? 'utf-16le' : name;
  try {
    return Buffer.from(new TextDecoder(label, { fatal: true }).decode(saved));
  } catch {
    return saved;
  }
}

/** A checkout expands `$Id$` to `$Id: ... $`. */
function withoutIdent(text: Buffer): Buffer {
  return Buffer.from(text.toString('latin1').replace(/\$Id:[^$\n]*\$/g, '$$Id$$'), 'latin1');
}

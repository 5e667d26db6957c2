import { checkPath } from '../exec/names.ts';
import type { GitRepository } from '../read/repository.ts';
import { runGit } from '../exec/run.ts';

/**
 * What git would store for a saved file, by its attributes (gitattributes(5): working-tree-encoding, ident). Computed
 * here, since git itself might run a filter that the repository names. Line ends are left alone. Null when there is a
 * filter: then the stored bytes are unknown. Throws GitError.
 */
export async function toStored(repository: GitRepository, file: string, saved: Buffer): Promise<Buffer | null> {
  const { filter, encoding, ident } = await readAttributes(repository, file);
  if (filter !== null) return null;
  const text = encoding === null ? saved : decode(saved, encoding);
  return ident ? withoutIdent(text) : text;
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

import { GitError } from '../exec/git-error.ts';
import { checkSha } from '../exec/names.ts';
import type { GitRepository } from '../read/repository.ts';
import { GitExit, runGit } from '../exec/run.ts';
import { short } from '../../release/short.ts';

/** `git log --notes=shardplane` shows them. */
export const notesRef = 'refs/notes/shardplane';

/** Enough for this many concurrent writers. */
const attempts = 20;

/**
 * Writes the notes of some commits, in place of those they had, in one commit of refs/notes/shardplane. Safe with concurrent
 * writers (git updates the ref only from where we found it; else we retry), and without touching the index or the files.
 * Commits that the repository doesn't have are skipped. Throws GitError.
 */
export async function writeNotes(
  repository: Pick<GitRepository, 'gitDir'>,
  notes: ReadonlyMap<string, string>,
): Promise<void> {
  const known = await knownCommits(repository.gitDir, [...notes.keys()]);
  const wanted = [...notes].filter(([version]) => known.has(version));
  if (wanted.length === 0) return;
  for (let attempt = 1; ; attempt += 1) {
    const input = toStream(wanted, await currentTip(repository.gitDir));
    try {
      await runGit(['fast-import', '--quiet', '--done', '--date-format=raw'], { gitDir: repository.gitDir, input });
      return;
    } catch (error) {
      if (!isLostRace(error) || attempt === attempts) throw explain(error);
    }
  }
}

/** git-fast-import(1): `N` stores a note exactly as `git notes` would, fan-out included. */
function toStream(notes: readonly (readonly [string, string])[], tip: string | null): string {
  const message =
    notes.length === 1 ? `${short(notes[0]?.[0] ?? '')}: note its outcome\n` : `note ${notes.length} outcomes\n`;
  const time = Math.floor(Date.now() / 1000);
  const head = `commit ${notesRef}\ncommitter shardplane <shardplane@localhost> ${time} +0000\n${data(message)}`;
  const from = tip === null ? '' : `from ${tip}\n`;
  const changes = notes.map(
    ([version, text]) => `N inline ${version}\n${data(text.endsWith('\n') ? text : `${text}\n`)}`,
  );
  return `${head}${from}${changes.join('')}\ndone\n`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

async function currentTip(gitDir: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', notesRef];
  const { stdout, exitCode } = await runGit(args, { gitDir, answers: [0, 1] });
  return exitCode === 0 ? checkSha(stdout.toString('latin1').trim()) : null;
}

async function knownCommits(gitDir: string, versions: readonly string[]): Promise<Set<string>> {
  const input = versions.map((version) => `${checkSha(version)}\n`).join('');
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { gitDir, input });
  const lines = stdout.toString('latin1').split('\n');
  return new Set(lines.flatMap((line) => (line.endsWith(' commit') ? [line.slice(0, -' commit'.length)] : [])));
}

function isLostRace(error: unknown): boolean {
  return (
    error instanceof GitExit &&
    /Not updating|cannot lock ref|Unable to create .*\.lock|is at .* but expected/i.test(error.stderr)
  );
}

function explain(error: unknown): unknown {
  if (!(error instanceof GitExit)) return error;
  return new GitError(
    'git-failed',
    `notes can't be written: ${error.message}`,
    'can the daemon write to the repository? repository.notes: off turns notes off',
  );
}

import type { Version } from '../../ids.ts';
import type { TreeEntry } from './tree-entry.ts';
import { checkPath, checkSha } from '../exec/names.ts';
import type { GitRepository } from './repository.ts';
import { GitError } from '../exec/git-error.ts';
import { GitExit, runGit } from '../exec/run.ts';

/** A commit that changes the file, and what git's tree holds at the path after it. */
export interface Commit {
  readonly version: Version;
  readonly subject: string;
  readonly author: string;
  readonly committedAt: string;
  readonly trailers: ReadonlyMap<string, string>;
  readonly rollout: string | null;
  /** File mode and object of the path in this commit's tree; null when the commit removes it. */
  readonly entry: TreeEntry | null;
}

/** Which commits to list. */
export interface CommitRange {
  /** Full SHA to start from. */
  readonly tip: string;
  readonly file: string;
  /** What is reachable from this commit is left out; null leaves out nothing. */
  readonly exclude: string | null;
  readonly limit: number;
  /** How many of the newest to skip (for paging); 0 by default. */
  readonly skip?: number;
}

/**
 * SHAs of the commits on the first-parent history of `tip` that change the file (a merge against its first parent),
 * newest first. Throws GitError `object-missing` when the history has a hole, and those of runGit.
 */
export async function listVersions(repository: GitRepository, range: CommitRange): Promise<Version[]> {
  const exclude = range.exclude === null ? [] : [`^${checkSha(range.exclude)}`];
  const bounds = [`--max-count=${range.limit}`, `--skip=${range.skip ?? 0}`];
  const args = ['rev-list', '--first-parent', ...bounds, checkSha(range.tip), ...exclude, '--', checkPath(range.file)];
  const { stdout } = await runGit(args, { gitDir: repository.gitDir }).catch(holeInHistory);
  return stdout.toString('latin1').split('\n').slice(0, -1) as Version[];
}

// One commit: seven fields that each end with NUL (-z adds the last), a newline, then `:modes objects status NUL path NUL` for each path.
const fields = ['%H', '%ct', '%<(200,trunc)%an', '%<(200,trunc)%ae', '%<(200,trunc)%s'];
const trailers = ['Shardplane-Accept', 'Shardplane-Rollout'];
const valueOf = (key: string): string => `%<(64,trunc)%(trailers:key=${key},valueonly,unfold,separator=%x2C)`;
const format = [...fields, ...trailers.map(valueOf)].join('%x00');
const fieldCount = fields.length + trailers.length;

/** Reads the given commits in one process, in the given order. Throws as {@link listVersions}. */
export async function readCommits(
  repository: GitRepository,
  file: string,
  versions: readonly Version[],
): Promise<Commit[]> {
  if (versions.length === 0) return [];
  const shape = ['--root', '-m', '--first-parent', '-r', '-t', '--no-renames', '--raw', '--no-abbrev', '-z'];
  const safe = ['--no-ext-diff', '--no-textconv', '--ignore-submodules=none'];
  const args = [
    'diff-tree',
    '--stdin',
    ...shape,
    ...safe,
    '--encoding=UTF-8',
    `--format=${format}`,
    '--',
    checkPath(file),
  ];
  const input = versions.map((version) => `${checkSha(version)}\n`).join('');
  const { stdout } = await runGit(args, { gitDir: repository.gitDir, input }).catch(holeInHistory);
  return parseCommits(stdout.toString('utf8'), file);
}

/** Parses what `diff-tree --stdin -z` prints in the format above. */
function parseCommits(text: string, file: string): Commit[] {
  const commits: Commit[] = [];
  const tokens = text.split('\0').map((token) => token.replace(/^\n/, ''));
  for (let at = 0; at + fieldCount <= tokens.length;) {
    const head = tokens.slice(at, at + fieldCount);
    const [version = '', seconds = '', name = '', email = '', subject = '', accepted = '', rollout = ''] = head;
    at += fieldCount;
    let entry: Commit['entry'] = null;
    for (; tokens[at]?.startsWith(':') === true; at += 2) {
      // a file that becomes a directory gives two entries with one path: deleted, and added
      if (tokens[at + 1] === file) entry = toEntry(tokens[at] ?? '') ?? entry;
    }
    const trailers = new Map(accepted.trim() === '' ? [] : [['shardplane-accept', clean(accepted)]]);
    const author = `${clean(name)} <${clean(email)}>`;
    commits.push({
      version: version as Version,
      subject: clean(subject),
      author,
      committedAt: toTime(seconds),
      trailers,
      rollout: clean(rollout) || null,
      entry,
    });
  }
  return commits;
}

/** `:100644 120000 <old> <new> T` to the new side, or null when there is none. */
function toEntry(raw: string): Commit['entry'] {
  const [, mode = '', , object = ''] = raw.split(' ');
  return mode === '000000' ? null : { mode, object };
}

/** A commit's text goes to terminals and pages: no control characters, no direction overrides, 200 characters at most. */
function clean(words: string): string {
  return words
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .trim()
    .slice(0, 200);
}

/** RFC 3339, UTC. A commit may claim any time; one that is out of range becomes the epoch. */
function toTime(seconds: string): string {
  const time = new Date(Number(seconds) * 1000);
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString();
}

function holeInHistory(error: unknown): never {
  const missing =
    /bad object|bad tree object|Could not read|unable to read tree|missing|Failed to traverse|corrupt|inflate/i;
  if (error instanceof GitExit && missing.test(error.stderr)) {
    throw new GitError(
      'object-missing',
      `the history of the ref has a hole: ${error.message}`,
      'git fsck says what is damaged; git fetch --refetch or a new clone brings it back',
    );
  }
  throw error;
}

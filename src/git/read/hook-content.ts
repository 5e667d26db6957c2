import { resolve } from 'node:path';
import { maxFileBytes } from '../../config/text.ts';
import type { ObjectStore } from './blobs.ts';
import { readEntry, type TreeEntry } from './tree-entry.ts';
import { checkPath, checkSha } from '../exec/names.ts';
import { openRepository } from './repository.ts';
import type { Revision } from './revision.ts';
import { runGit } from '../exec/run.ts';

// Where git tells a hook to look: the index of this very commit (of `git commit -a`, or of some paths), and
// the quarantine with the pushed objects. Nowhere else does shardplane use GIT_* from its environment.
const passedOn = ['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_QUARANTINE_PATH'];

/**
 * The repository that git runs a hook in: from its environment, or else found from the working directory.
 * Throws GitError as openRepository.
 */
export async function openHookStore(env: NodeJS.ProcessEnv, cwd: string): Promise<ObjectStore> {
  const gitDir = env['GIT_DIR'] === undefined ? (await openRepository(cwd)).gitDir : resolve(cwd, env['GIT_DIR']);
  const given = Object.fromEntries(passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const index = env['GIT_INDEX_FILE'];
  return { gitDir, env: index === undefined ? given : { ...given, GIT_INDEX_FILE: resolve(cwd, index) } };
}

/**
 * What is staged at the path (not what is saved there), for pre-commit. Null: there is nothing to check, since neither
 * the commit to be made nor the one before has it. Throws GitError.
 */
export async function readStaged(store: ObjectStore, file: string): Promise<Revision['content'] | null> {
  const { stdout } = await runGit(['ls-files', '--stage', '-z', '--', checkPath(file)], {
    ...store,
    maxOutputBytes: maxFileBytes,
  });
  const entries = parseEntries(stdout.toString('utf8'), file);
  const entry = entries[0] ?? null;
  if (entry === null && (await entryAt(store, 'HEAD', file)) === null) return null;
  return await readEntry(store, file, entry);
}

/** One line of what pre-receive reads: a ref moves from a commit to another; 40 (or 64) zeros are no commit. */
export interface RefUpdate {
  readonly from: string;
  readonly to: string;
  readonly ref: string;
}

/** Reads the lines that git gives pre-receive. Throws GitError `bad-ref` for anything else. */
export function parseRefUpdates(input: string): RefUpdate[] {
  const lines = input.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [from = '', to = '', ...ref] = line.split(' ');
    return { from: checkSha(from), to: checkSha(to), ref: ref.join(' ') };
  });
}

/**
 * What a push puts at the path, for pre-receive. Null: there is nothing to check, since the push deletes the ref, or
 * leaves the file as it was (or as absent). Throws GitError.
 */
export async function readPushed(
  store: ObjectStore,
  file: string,
  { from, to }: RefUpdate,
): Promise<Revision['content'] | null> {
  if (isZero(to)) return null;
  const before = isZero(from) ? null : await entryAt(store, from, file);
  const after = await entryAt(store, to, file);
  if (before?.mode === after?.mode && before?.object === after?.object) return null;
  return await readEntry(store, file, after);
}

/** What a commit has at the path, to compare with. Null: nothing, or there is no such commit. Throws GitError. */
export async function readAt(store: ObjectStore, file: string, commit: string): Promise<Revision['content'] | null> {
  const entry = await entryAt(store, commit, file);
  return entry === null ? null : await readEntry(store, file, entry);
}

/** Whether the newest commit of a push that changes the file has the trailer `Shardplane-Accept: yes`. Throws GitError. */
export async function isAcceptedPush(store: ObjectStore, file: string, { to }: RefUpdate): Promise<boolean> {
  const format = '--format=%(trailers:key=Shardplane-Accept,valueonly,unfold,separator=%x2C)';
  const args = ['log', '-1', '--first-parent', format, to, '--', checkPath(file)];
  const { stdout } = await runGit(args, { ...store });
  return stdout.toString('utf8').trim().toLowerCase() === 'yes';
}

function isZero(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** Null where the commit has nothing there, or there is no commit (HEAD of a new repository). */
async function entryAt(store: ObjectStore, commit: string, file: string): Promise<TreeEntry | null> {
  const exists = await runGit(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], {
    ...store,
    answers: [0, 1],
  });
  if (exists.exitCode !== 0) return null;
  const { stdout } = await runGit(['ls-tree', '--full-tree', '-z', commit, '--', checkPath(file)], { ...store });
  return parseEntries(stdout.toString('utf8'), file)[0] ?? null;
}

/** `<mode> [<type>] <object>[ <stage>]\t<path>\0` of ls-tree or ls-files. */
function parseEntries(output: string, file: string): TreeEntry[] {
  return output.split('\0').flatMap((line) => {
    const [head = '', path = ''] = line.split('\t', 2);
    const object = head.split(' ').find((word) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(word));
    return path === file && object !== undefined ? [{ mode: head.slice(0, 6), object }] : [];
  });
}

import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGitError } from '../exec/git-error.ts';
import { fsckConfig } from './fsck.ts';
import { GitExit, runGit } from '../exec/run.ts';

const fsckTimeoutMs = 5 * 60_000;

// Overwritten at each start, so that nothing that somebody put into it takes effect.
const configFile = (objectFormat: string): string => `[core]
	repositoryFormatVersion = ${objectFormat === 'sha1' ? 0 : 1}
	bare = true
	logAllRefUpdates = false
[transfer]
	fsckObjects = true
[gc]
	auto = 0
${objectFormat === 'sha1' ? '' : `[extensions]\n\tobjectFormat = ${objectFormat}\n`}`;

/** A file that exists while a fetch runs, and after one that was interrupted; it contains git's process id. */
export function markOf(path: string): string {
  return join(path, 'shardplane-fetching');
}

/** Creates an empty mirror, in place of whatever is at the path. */
export async function makeMirror(path: string, objectFormat: 'sha1' | 'sha256'): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  const args = ['init', '--quiet', '--bare', '--template=', '--initial-branch=main'];
  await runGit([...args, `--object-format=${objectFormat}`, path]);
  await writeFile(join(path, 'config'), configFile(objectFormat));
}

/** What to check: `content` reads every object, `connectivity` only whether all exist. */
export interface Inspection {
  readonly content: boolean;
  readonly connectivity: boolean;
  readonly fsckSkipList: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** What is wrong with a mirror, in one line; null when nothing is. Overwrites its config. */
export async function findDamage(
  path: string,
  { content, connectivity, fsckSkipList, signal }: Inspection,
): Promise<string | null> {
  const options = { gitDir: path, ...(signal && { signal }) };
  try {
    const config = await readFile(join(path, 'config'), 'utf8').catch(() => '');
    await writeFile(join(path, 'config'), configFile(/sha256/.test(config) ? 'sha256' : 'sha1'));
    await runGit(['rev-parse', '--git-dir'], options);
    if (!content && !connectivity) return null;
    const depth = content ? [] : ['--connectivity-only'];
    const args = ['fsck', '--no-dangling', '--no-progress', '--no-reflogs', ...depth];
    await runGit(args, { ...options, config: fsckConfig(fsckSkipList), timeoutMs: fsckTimeoutMs });
    return null;
  } catch (error) {
    if (!isGitError(error) || isGitError(error, 'git-aborted', 'git-missing')) throw error;
    // git could not be started (no memory, no file descriptors): that says nothing about the mirror
    if (error.code === 'git-failed' && !(error instanceof GitExit)) throw error;
    return error.message;
  }
}

/** Kills a fetch that outlived its daemon, and removes the locks and partial packs of one that was killed. */
export async function clearLeftovers(path: string): Promise<void> {
  await endLeftover(markOf(path), path);
  const names = await readdir(path, { recursive: true });
  const stale = names.filter((name) => name.endsWith('.lock') || /(^|\/)(tmp_|incoming-|quarantine-)/.test(name));
  await Promise.all(stale.map((name) => rm(join(path, name), { recursive: true, force: true })));
}

/**
 * Kills the git process group that a killed daemon left running on `gitDir`, after checking by its environment (Linux:
 * /proc) that the process which the mark names is still that one. Elsewhere its time limits end it.
 */
async function endLeftover(mark: string, gitDir: string): Promise<void> {
  const pid = Number(await readFile(mark, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  if (!environment.split('\0').includes(`GIT_DIR=${gitDir}`)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}

/** Removes refs that were followed before a change of settings: they might conflict with ours (a, a/b). */
export async function dropOtherRefs(path: string, ref: string): Promise<void> {
  const { stdout } = await runGit(['for-each-ref', '--format=%(refname)'], { gitDir: path });
  const names = stdout.toString('utf8').split('\n').slice(0, -1);
  const others = names.filter((name) => name !== ref && !name.startsWith('refs/notes/'));
  if (others.length === 0) return;
  await runGit(['update-ref', '--stdin'], { gitDir: path, input: others.map((name) => `delete ${name}\n`).join('') });
}

/** Each fetch leaves a pack; many are joined into one, unreachable objects included (a held rewrite may need them). */
export async function joinPacks(path: string, signal?: AbortSignal): Promise<void> {
  const names = await readdir(join(path, 'objects/pack'));
  if (names.filter((name) => name.endsWith('.pack')).length <= 50) return;
  const args = ['repack', '-a', '-d', '--keep-unreachable', '--quiet'];
  await runGit(args, { gitDir: path, timeoutMs: fsckTimeoutMs, ...(signal && { signal }) });
}

/** Bytes of the packs that are being received. */
export async function incomingBytes(path: string): Promise<number> {
  const folder = join(path, 'objects/pack');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('tmp_'));
  const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)));
  return found.reduce((sum, each) => sum + (each?.size ?? 0), 0);
}

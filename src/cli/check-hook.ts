import { Buffer } from 'node:buffer';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { ObjectStore } from '../git/read/blobs.ts';
import { openHookStore, parseRefUpdates, readPushed, readStaged } from '../git/read/hook-content.ts';
import type { RefUpdate } from '../git/read/hook-content.ts';
import type { Revision } from '../git/read/revision.ts';
import { Judge } from '../judge/judge.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';

/** The git hooks that `check --hook` can run as. */
export const hookNames = ['pre-commit', 'pre-receive'] as const;
export type HookName = (typeof hookNames)[number];

/** The result for one file: the staged content, or that of one pushed ref. */
export interface HookFinding {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly source: Uint8Array | null;
}

/**
 * Checks what is about to be committed or received, never the saved file. Reads the environment that git gives a hook and, for
 * pre-receive, its lines from standard input. Throws GitError and SettingsError.
 */
export async function checkHook(hook: HookName, settings: Settings): Promise<HookFinding[]> {
  const store = await openHookStore(process.env, process.cwd());
  const { file, schema } = settings.repository;
  const contents = hook === 'pre-commit' ? [await readStaged(store, file)] : await readAllPushed(store, settings);
  await using judge = new Judge({ file, validate: readSchema(schema) });
  const findings: HookFinding[] = [];
  for (const content of contents) if (content !== null) findings.push({ file, ...(await find(content, judge)) });
  return findings;
}

async function readAllPushed(store: ObjectStore, { repository }: Settings): Promise<(Revision['content'] | null)[]> {
  const updates = parseRefUpdates(await readStandardInput()).filter(({ ref }) => isWatched(ref, repository.ref));
  const found = [];
  for (const update of updates) found.push(await readPushed(store, repository.file, update));
  return found;
}

/** With HEAD (the default) every branch is checked: HEAD may point to any of them. */
function isWatched(ref: RefUpdate['ref'], watched: string): boolean {
  return watched === 'HEAD' ? ref.startsWith('refs/heads/') : [watched, `refs/heads/${watched}`].includes(ref);
}

async function find(content: Revision['content'], judge: Judge): Promise<Omit<HookFinding, 'file'>> {
  if ('fault' in content) return { diagnostics: [content.fault], source: null };
  return { diagnostics: await judge.check(content.bytes), source: content.bytes };
}

/** A push has a line for each ref. */
const maxInputBytes = 16 * 1024 * 1024;

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxInputBytes) throw new Error('standard input is larger than 16 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

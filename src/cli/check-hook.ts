import { Buffer } from 'node:buffer';
import type { ObjectStore } from '../git/read/blobs.ts';
import {
  isAcceptedPush,
  openHookStore,
  parseRefUpdates,
  readAt,
  readPushed,
  readStaged,
} from '../git/read/hook-content.ts';
import type { RefUpdate } from '../git/read/hook-content.ts';
import type { Revision } from '../git/read/revision.ts';
import { Judge } from '../judge/judge.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { checkBytes, type Checked } from './check-limits.ts';

/** The git hooks that `check --hook` can run as. */
export const hookNames = ['pre-commit', 'pre-receive'] as const;
export type HookName = (typeof hookNames)[number];

/** What is about to be committed or received, and what it takes the place of. */
interface Incoming {
  readonly content: Revision['content'];
  readonly before: () => Promise<Revision['content'] | null>;
}

/**
 * Checks the staged file, or that of each pushed ref, never the saved one. Reads the environment that git gives a hook and, for
 * pre-receive, its lines from standard input. Throws GitError and SettingsError.
 */
export async function checkHook(hook: HookName, settings: Settings): Promise<Checked[]> {
  const store = await openHookStore(process.env, process.cwd());
  const { file, schema } = settings.repository;
  const incoming = hook === 'pre-commit' ? await readIndex(store, file) : await readAllPushed(store, settings);
  await using judge = new Judge({ file, validate: readSchema(schema) });
  const checked: Checked[] = [];
  for (const each of incoming) checked.push({ file, ...(await check(each, judge, settings)) });
  return checked;
}

async function readIndex(store: ObjectStore, file: string): Promise<Incoming[]> {
  const content = await readStaged(store, file);
  return content === null ? [] : [{ content, before: () => readAt(store, file, 'HEAD') }];
}

async function readAllPushed(store: ObjectStore, { repository }: Settings): Promise<Incoming[]> {
  const { file, ref } = repository;
  const updates = parseRefUpdates(await readStandardInput()).filter((update) => isWatched(update.ref, ref));
  const found: Incoming[] = [];
  for (const update of updates) {
    const content = await readPushed(store, file, update);
    // what the daemon lets through by its trailer, too
    const before = async (): Promise<Revision['content'] | null> =>
      (await isAcceptedPush(store, file, update)) ? null : await readAt(store, file, update.from);
    if (content !== null) found.push({ content, before });
  }
  return found;
}

/** With HEAD (the default) every branch is checked: HEAD may point to any of them. */
function isWatched(ref: RefUpdate['ref'], watched: string): boolean {
  return watched === 'HEAD' ? ref.startsWith('refs/heads/') : [watched, `refs/heads/${watched}`].includes(ref);
}

async function check(
  { content, before }: Incoming,
  judge: Judge,
  { plan: { limits } }: Settings,
): Promise<Omit<Checked, 'file'>> {
  if ('fault' in content) return { diagnostics: [content.fault], excesses: [], source: null };
  return await checkBytes(content.bytes, { judge, limits, before });
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

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import { GitError } from '../git/exec/git-error.ts';
import type { Revision } from '../git/read/revision.ts';
import type { WrittenContent } from '../judge/write-content.ts';
import { Judge } from '../judge/judge.ts';
import { ReaderError } from '../judge/reader.ts';
import type { Journal } from '../ledger/journal.ts';
import type { Story } from '../ledger/store.ts';
import type { Release } from '../release/release.ts';
import { readSchema } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { readVersion } from '../version.ts';

/** A revision's release, or why it has none. */
export type Evaluated =
  | (WrittenContent & {
      readonly release: Release;
      /** Its bytes, if encoded already. */
      readonly resource: Uint8Array | null;
      readonly source: Uint8Array;
      readonly diagnostics: readonly [];
    })
  | { readonly release: null; readonly source: Uint8Array | null; readonly diagnostics: readonly Diagnostic[] };

interface Options {
  readonly judge: Judge;
  /** Knows the commits that were too costly to read, so that they are not read again. */
  readonly journal: Pick<Journal, 'story'>;
}

/** Throws SettingsError when the schema can't be used. */
export function createJudge({ repository, xds, release }: Settings): Judge {
  return new Judge({
    file: repository.file,
    validate: readSchema(repository.schema),
    layer: { resource: xds.resource, encoding: release.encoding },
  });
}

/** A digest of all settings that affect how a revision is judged and pushed: when they change, it is judged again. */
export function digestRules({ repository, xds, release, plan }: Settings): string {
  const { path, file, ref, schema, guard, verify, remote } = repository;
  const rules = schema === null ? null : readFileSync(schema, 'utf8');
  const source = [path, file, ref, remote?.url, remote?.ref];
  const of = [readVersion(), source, rules, guard, plan.limits, verify, release, xds.resource];
  return createHash('sha256').update(JSON.stringify(of)).digest('hex');
}

/** Turns a commit's content into a release: parse, validate, compile. Rejects with GitError when that is not possible now. */
export async function evaluate(revision: Revision, { judge, journal }: Options): Promise<Evaluated> {
  const { content, version } = revision;
  if ('fault' in content) return { release: null, source: null, diagnostics: [content.fault] };
  const source = content.bytes;
  const known = judge.isSmall(source) ? null : costOf(await journal.story(version));
  if (known !== null) return { release: null, source, diagnostics: known };
  return { source, ...(await judge.release(source, revision).catch(rethrow)) };
}

/** The recorded diagnostics of a commit that was too costly to read, or null. */
function costOf(story: Story | null | 'ambiguous'): readonly Diagnostic[] | null {
  if (story === null || story === 'ambiguous') return null;
  const { outcome, diagnostics } = story.revision;
  return outcome === 'invalid' && diagnostics.some(({ code }) => code === 'too-costly') ? diagnostics : null;
}

/** As a GitError the revision is judged again later. */
function rethrow(error: unknown): never {
  if (!(error instanceof ReaderError)) throw error;
  throw new GitError('git-aborted', `the config could not be read: ${error.message}`);
}

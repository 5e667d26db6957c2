import type { Diagnostic } from '../config/diagnostic.ts';
import { parseConfig } from '../config/parse.ts';
import type { SchemaValidator } from '../config/schema.ts';
import type { Revision } from '../git/revision.ts';
import { compileRelease } from '../release/compile.ts';
import type { Release } from '../release/release.ts';

/** A revision's release, or why it has none. */
export type Evaluated =
  | { readonly release: Release; readonly source: Uint8Array; readonly diagnostics: readonly [] }
  | { readonly release: null; readonly source: Uint8Array | null; readonly diagnostics: readonly Diagnostic[] };

/** From a commit's content to a release: parse, validate, compile. */
export function evaluate(revision: Revision, options: { file: string; validate: SchemaValidator }): Evaluated {
  const { content } = revision;
  if ('fault' in content) return { release: null, source: null, diagnostics: [content.fault] };
  const { config, diagnostics } = parseConfig(content.bytes, options);
  if (config === null) return { release: null, source: content.bytes, diagnostics };
  return { release: compileRelease(config, revision), source: content.bytes, diagnostics: [] };
}

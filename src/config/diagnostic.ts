/**
 * What is wrong with a config, as data: never thrown, never drawn here (src/terminal.ts draws the caret).
 * Every code is explained in docs/errors.md.
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** The path as the user gave it; '' where it is about no file: a check has failed, say. */
  readonly file: string;
  /** 1-based; 1 when the fault has no place in the file. */
  readonly line: number;
  /** 1-based, in UTF-16 code units, as editors count. */
  readonly column: number;
  /** What to do about it, or null when the message says it all. */
  readonly hint: string | null;
}

/** `file:line:column: `, or '' where it is about no file. */
export function prefixOf({ file, line, column }: Pick<Diagnostic, 'file' | 'line' | 'column'>): string {
  return file === '' ? '' : `${file}:${line}:${column}: `;
}

/** One of {@link diagnosticCodes}. */
export type DiagnosticCode = (typeof diagnosticCodes)[number];

export const diagnosticCodes = [
  // what git holds at the path (src/git)
  'file-missing',
  'file-not-regular',
  'file-too-large',
  'object-missing',
  'signature-missing',
  'signature-bad',
  'signature-expired',
  'signature-unknown-key',
  // bytes to YAML (src/config/text.ts, yaml.ts, tree.ts; too-costly: src/judge)
  'not-utf8',
  'nul-byte',
  'lfs-pointer',
  'empty',
  'yaml-syntax',
  'several-documents',
  'alias',
  'merge-key',
  'tag',
  'duplicate-key',
  'key-not-string',
  'too-deep',
  'ambiguous',
  'too-costly',
  // YAML to a config (src/config/schema.ts, then src/config/rules.ts)
  'schema',
  'unknown-key',
  'bad-host',
  'number-not-exact',
  'shard-too-big',
  'hosts-disagree',
  'duplicate-host',
  'all-drained',
  'quarantine',
  'key-clash',
  'reserved-key',
  // the end of a list that is too long to show
  'more-faults',
  // a valid config that was rolled back, or held by a policy (src/rollout, src/revisions)
  'refused',
  'check-failed',
  'aborted',
  'held',
] as const;

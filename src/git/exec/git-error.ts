/**
 * Why git failed, as codes that status, logs and tests share. `git-failed` is the rest: git's own message
 * is quoted. What is wrong with a commit's *content* is a Diagnostic, not a GitError.
 */
export const gitErrorCodes = [
  'git-missing',
  'git-too-old',
  'git-failed',
  'git-timeout',
  'git-aborted',
  'git-output-too-large',
  'not-a-repository',
  'dubious-ownership',
  'bad-ref',
  'bad-path',
  'bad-url',
  'bad-setting',
  'not-writable',
  'ref-broken',
  'object-missing',
  'remote-unreachable',
  'remote-denied',
  'remote-host-key',
  'remote-redirects',
  'remote-not-found',
  'remote-garbage',
  'remote-malformed',
  'remote-too-large',
  'remote-moved',
  'mirror-unwritable',
] as const;

/** One of {@link gitErrorCodes}. */
export type GitErrorCode = (typeof gitErrorCodes)[number];

/** The message says what failed and on what. Never contains a secret. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: GitErrorCode;
  /** What to do about it, or null when the message says it all. */
  readonly hint: string | null;

  constructor(code: GitErrorCode, message: string, hint: string | null = null) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Narrows an unknown rejection to a GitError, of one of the given codes if there are any. */
export function isGitError<Code extends GitErrorCode>(
  error: unknown,
  ...codes: Code[]
): error is GitError & { readonly code: Code } {
  return error instanceof GitError && (codes.length === 0 || (codes as GitErrorCode[]).includes(error.code));
}

import { GitError } from './git-error.ts';

// git check-ref-format(1), and no leading "-" so that a name is never taken for an option.
// eslint-disable-next-line no-control-regex
const notInRef = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|^[-/.@]$|^[-/.]|[/.]$/;

/** A ref's name as settings give it (`HEAD`, `main`, `refs/heads/main`), or throws GitError `bad-ref`. */
export function checkRef(ref: string): string {
  if (ref === '' || ref.length > 255 || notInRef.test(ref)) {
    throw new GitError(
      'bad-ref',
      `not a ref name: ${JSON.stringify(ref)}`,
      'give HEAD, a branch, or a full name such as refs/heads/main',
    );
  }
  return ref;
}

/** A file's path from the repository's root (`a/b.yaml`), or throws GitError `bad-path`. */
export function checkPath(path: string): string {
  const parts = path.split('/');
  const strange = parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  // eslint-disable-next-line no-control-regex
  if (strange || path.startsWith('-') || path.length > 1024 || /[\u0000-\u001f\u007f]/.test(path)) {
    throw new GitError(
      'bad-path',
      `not a path inside a repository: ${JSON.stringify(path)}`,
      'give it from the repository root, such as config/shard-config.yaml',
    );
  }
  return path;
}

/** The full SHA of a commit, or throws GitError `bad-ref`: git must never get a name that it would look up. */
export function checkSha(sha: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha))
    throw new GitError('bad-ref', `not a full commit SHA: ${JSON.stringify(sha)}`);
  return sha;
}

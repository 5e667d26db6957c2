import { GitError } from '../exec/git-error.ts';
import { GitExit, runGit } from '../exec/run.ts';
import type { Transport } from './transport.ts';
import { blankUsers } from '../../secrets.ts';

/**
 * Redirects are not followed: our password would go along, to a server that the operator has not named. Asks the server once
 * more, with git tracing the headers, so that the message can say where the redirect leads.
 */
export async function explainRedirect(transport: Transport, signal?: AbortSignal): Promise<GitError> {
  const { run, url, display } = transport;
  const env = { ...run.env, GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1', GIT_TRACE_REDACT: '1' };
  const output = await runGit(['ls-remote', '--quiet', '--end-of-options', url, 'HEAD'], {
    ...run,
    env,
    ...(signal && { signal }),
  }).then(
    ({ stderr }) => stderr,
    (error: unknown) => (error instanceof GitExit ? error.stderr : ''),
  );
  const target = /<= Recv header: location: ([\x21-\x7e]+)/i.exec(output)?.[1] ?? null;
  const place = target === null ? 'another address' : cut(blankUsers(target));
  return new GitError('remote-redirects', `${display} redirects to ${place}: it is not followed`, hint(url, target));
}

/** Without the path that git appends to a repository's URL. */
function cut(location: string): string {
  return location
    .replace(/[?#].*$/, '')
    .replace(/\/info\/refs$/, '')
    .slice(0, 200);
}

function hint(url: string, target: string | null): string {
  if (url.startsWith('https:') && target !== null && /^(?!https:)[a-z0-9+.-]+:/i.test(target))
    return 'it leaves TLS: ask whoever runs the server, before anything is fetched from there';
  return 'if the repository has moved, set repository.remote.url to its new address';
}

import { GitError } from '../exec/error.ts';
import { GitExit, runGit } from '../exec/run.ts';
import type { Transport } from './transport.ts';
import { blankUsers } from '../../secrets.ts';

/**
 * No redirect is followed: our password would go along, and what comes from there is not what the operator has named.
 * The server is asked once more, with git telling the headers, where it sends us, so that it can be said.
 */
export async function explainRedirect(transport: Transport, signal?: AbortSignal): Promise<GitError> {
  const { run, url, display } = transport;
  const env = { ...run.env, GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1', GIT_TRACE_REDACT: '1' };
  const said = await runGit(['ls-remote', '--quiet', '--end-of-options', url, 'HEAD'], {
    ...run,
    env,
    ...(signal && { signal }),
  }).then(
    ({ stderr }) => stderr,
    (error: unknown) => (error instanceof GitExit ? error.stderr : ''),
  );
  const target = /<= Recv header: location: ([\x21-\x7e]+)/i.exec(said)?.[1] ?? null;
  const place = target === null ? 'another address' : cut(blankUsers(target));
  return new GitError('remote-redirects', `${display} redirects to ${place}: it is not followed`, hint(url, target));
}

/** Without what git adds to a repository's address. */
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

import type { CommitStatus, StatusState } from './commit-status.ts';

/** A git host with an API for commit statuses. */
export type ProviderName = 'github' | 'gitlab' | 'gitea';

/** A call of a git host's API. */
export interface StatusRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

interface Provider {
  readonly states: Readonly<Record<StatusState, string>>;
  /** The longest description, in characters. */
  readonly length: number;
  /** The field that tells one system's statuses from another's. */
  readonly label: 'context' | 'name';
  /** The host accepts a second `pending` status with another description. */
  readonly repeats: boolean;
  readonly headers: (token: string) => Readonly<Record<string, string>>;
}

/**
 * GitHub: https://docs.github.com/rest/commits/statuses (a longer description is refused with 422).
 * GitLab: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status (`pending` on `pending` is refused with 400).
 * Gitea: its own /api/swagger, `repoCreateStatus`.
 */
const providers: Readonly<Record<ProviderName, Provider>> = {
  github: {
    states: { pending: 'pending', success: 'success', failure: 'failure', canceled: 'error' },
    length: 140,
    label: 'context',
    repeats: true,
    headers: (token) => ({
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    }),
  },
  gitlab: {
    states: { pending: 'pending', success: 'success', failure: 'failed', canceled: 'canceled' },
    length: 255,
    label: 'name',
    repeats: false,
    headers: (token) => ({ 'private-token': token }),
  },
  gitea: {
    states: { pending: 'pending', success: 'success', failure: 'failure', canceled: 'error' },
    length: 255,
    label: 'context',
    repeats: true,
    headers: (token) => ({ authorization: `token ${token}` }),
  },
};

/** Where to send statuses, and under which name. */
export interface StatusTarget {
  readonly provider: ProviderName;
  /** The API's address of the repository. */
  readonly url: string;
  readonly context: string;
}

/** A URL without its secrets (user, password, query). Throws TypeError when it is not a URL. */
export function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}

/** The call that sets a status. Throws TypeError when `url` is not a URL. */
export function toRequest(
  { provider, url, context }: StatusTarget,
  status: CommitStatus,
  token: string,
): StatusRequest {
  const { states, length, label, headers } = providers[provider];
  return {
    url: `${addressOf(url)}/statuses/${status.version}`,
    headers: { ...headers(token), 'content-type': 'application/json', 'user-agent': 'shardplane' },
    body: JSON.stringify({
      state: states[status.state],
      description: cut(status.description, length),
      [label]: context,
    }),
  };
}

/** Whether `next` tells the host anything new after `last` (null: it has none yet). */
export function isNews(provider: ProviderName, last: CommitStatus | null, next: CommitStatus): boolean {
  // a commit that was superseded before the host heard of it is of no interest
  if (last === null) return next.state !== 'canceled';
  if (next.state !== last.state) return true;
  return next.description !== last.description && (next.state !== 'pending' || providers[provider].repeats);
}

/** Cuts at a number of code points, as the hosts count, and marks the cut with an ellipsis. */
function cut(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

import { GitError } from '../exec/git-error.ts';

/** A remote's URL, parsed so that its secrets stay off git's command line. */
export interface RemoteUrl {
  /** For git: without the password and, over http, the user. */
  readonly url: string;
  /** For messages. */
  readonly display: string;
  readonly scheme: 'file' | 'git' | 'http' | 'https' | 'ssh';
  /** From the URL, decoded; null where it has none. Over ssh the user stays in `url`. */
  readonly username: string | null;
  readonly password: string | null;
  /** `scheme://host[:port]` of a URL, as git tells it a credential helper; else ''. */
  readonly origin: string;
}

const schemes = ['file', 'git', 'http', 'https', 'ssh'] as const;
const host = /^([a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[0-9]+)?$/i;

/**
 * Parses a URL, an absolute path or `[user@]host:path`. Throws GitError `bad-url`, which never shows the URL, for
 * what git might take for an option, for transports that run programs (`ext::` and other helpers), and for what is
 * not understood.
 */
export function parseRemoteUrl(url: string): RemoteUrl {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f]/.test(url)) throw badUrl('it has a space or a control character in it');
  if (url.startsWith('-')) throw badUrl('it starts with "-"');
  if (/^[a-z0-9+.-]*::/i.test(url)) throw badUrl('transports that run a program (ext:: and the like) are not allowed');
  if (url.startsWith('/')) return { url, display: url, scheme: 'file', username: null, password: null, origin: '' };
  return url.includes('://') ? parseUrl(url) : parseScp(url);
}

function parseUrl(url: string): RemoteUrl {
  const [, name = '', userinfo = '', authority = '', path = ''] =
    /^([^:]*):\/\/(?:([^/?#]*)@)?([^/?#]*)(.*)$/.exec(url) ?? [];
  const scheme = schemes.find((each) => each === name.toLowerCase());
  if (scheme === undefined) throw badUrl(`it must begin with ${schemes.map((each) => `${each}://`).join(', ')}`);
  if (scheme === 'file') {
    if (authority !== '' || userinfo !== '')
      throw badUrl('file:// takes an absolute path, as in file:///srv/config.git');
    return { url, display: url, scheme, username: null, password: null, origin: '' };
  }
  // a password with a "/" in it would be taken for a host and a path, and shown
  if (!host.test(authority) || (userinfo === '' && path.includes('@'))) {
    throw badUrl('its host is not understood; percent-encode "/" (%2F) and "@" (%40) in a password or a path');
  }
  if (scheme.startsWith('http') && /[?#]/.test(path))
    throw badUrl('it has a "?" or "#" in it, and what git asks for comes after it; put a token into credentials_file');
  const [username = null, password = null] = userinfo === '' ? [] : splitUserinfo(userinfo);
  const user = scheme === 'ssh' && username !== null ? `${checkUser(username)}@` : '';
  const display = `${scheme}://${user}${authority}${path.replace(/[?#].*$/, '?***')}`;
  const origin = `${scheme}://${authority}`;
  return { url: `${scheme}://${user}${authority}${path}`, display, scheme, username, password, origin };
}

function splitUserinfo(userinfo: string): [string, string | null] {
  const colon = userinfo.indexOf(':');
  if (colon === -1) return [decode(userinfo), null];
  return [decode(userinfo.slice(0, colon)), decode(userinfo.slice(colon + 1))];
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    // eslint-disable-next-line no-control-regex
    if (!/[\u0000\r\n]/.test(decoded)) return decoded;
  } catch {
    // falls through: an incomplete %-sequence
  }
  throw badUrl('its user or password is not percent-encoded as it should be');
}

function parseScp(url: string): RemoteUrl {
  const [, user, name = '', path = ''] = /^(?:([^@:/]+)@)?([^@:/]+):(.+)$/.exec(url) ?? [];
  if (!host.test(name)) throw badUrl('give a URL, an absolute path, or user@host:path');
  if (user !== undefined) checkUser(user);
  if (path.startsWith('-')) throw badUrl('its path starts with "-"');
  return { url, display: url, scheme: 'ssh', username: user ?? null, password: null, origin: '' };
}

function checkUser(user: string): string {
  if (!/^[a-z0-9_][a-z0-9._-]*$/i.test(user)) throw badUrl('its user is not understood');
  return user;
}

function badUrl(why: string): GitError {
  return new GitError('bad-url', `the remote's URL can't be used: ${why}`, 'see repository.remote.url in the settings');
}

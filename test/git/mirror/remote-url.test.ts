import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { parseRemoteUrl } from '../../../src/git/mirror/remote-url.ts';

test('every form of URL that git speaks, without the secrets', () => {
  const table: [url: string, forGit: string, username: string | null, password: string | null][] = [
    ['/srv/config.git', '/srv/config.git', null, null],
    ['file:///srv/config.git', 'file:///srv/config.git', null, null],
    ['https://example.com/a/b.git', 'https://example.com/a/b.git', null, null],
    ['https://user@example.com/a', 'https://example.com/a', 'user', null],
    ['https://user:p%40ss%2Fword@example.com:8443/a', 'https://example.com:8443/a', 'user', 'p@ss/word'],
    ['https://user:p@ss@example.com/a', 'https://example.com/a', 'user', 'p@ss'],
    ['http://:token@[::1]:80/a', 'http://[::1]:80/a', '', 'token'],
    ['git://example.com/a', 'git://example.com/a', null, null],
    ['ssh://git@example.com:2222/a', 'ssh://git@example.com:2222/a', 'git', null],
    ['ssh://git:secret@example.com/a', 'ssh://git@example.com/a', 'git', 'secret'],
    ['git@example.com:team/config.git', 'git@example.com:team/config.git', 'git', null],
    ['example.com:config.git', 'example.com:config.git', null, null],
  ];
  for (const [url, forGit, username, password] of table) {
    const parsed = parseRemoteUrl(url);
    assert.deepEqual([parsed.url, parsed.username, parsed.password], [forGit, username, password], url);
    assert.equal(parsed.display, forGit, url);
  }
});

test('what runs programs, is taken for an option, or is not understood, is refused and not shown', () => {
  const table = [
    'ext::sh -c touch% /tmp/x',
    'ext::secret',
    'fd::17secret',
    'testgit::secret',
    '-secret',
    '--upload-pack=secret',
    'https://example.com/a\nsecret',
    'https://a b/secret',
    'ftp://secret/a',
    'git+ssh://secret/a',
    'https://user:pa/secret@example.com/a',
    'https://user:1/secret@example.com/a',
    'https://user:%zz-secret@example.com/',
    'https://user:%0asecret@example.com/',
    'ssh://-oProxyCommand=secret/a',
    'ssh://-lsecret@host/a',
    '-oProxyCommand=secret:a',
    'host:-secret',
    'secret',
    '../secret',
    'file://secret/a',
    'https:///secret',
    'https://example.com/a?private_token=secret',
    'http://example.com/a#secret',
    '',
  ];
  for (const url of table) {
    assert.throws(
      () => parseRemoteUrl(url),
      (error) => isGitError(error, 'bad-url') && !`${error.message} ${error.hint ?? ''}`.includes('secret'),
      url,
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGitError } from '../../../src/git/exec/git-error.ts';
import { checkPath, checkRef, checkSha } from '../../../src/git/exec/names.ts';

test('refs that git would not take, or would take for something else', () => {
  for (const good of ['HEAD', 'main', 'refs/heads/main', 'release/1.2', 'ünïcode', 'a-b', 'x@y'])
    assert.equal(checkRef(good), good);
  const bad = [
    '',
    '-x',
    '--upload-pack=x',
    'a b',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a@{1}',
    '@',
    '/a',
    'a/',
    'a//b',
    'a.',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a\u0000',
    'a\nb',
    'x'.repeat(300),
  ];
  for (const ref of bad)
    assert.throws(
      () => checkRef(ref),
      (error) => isGitError(error, 'bad-ref'),
      JSON.stringify(ref),
    );
});

test('paths that leave the repository, or are options', () => {
  for (const good of ['a.yaml', 'a/b c.yaml', ':(glob)*', 'a*[x].yaml', '...']) assert.equal(checkPath(good), good);
  for (const path of [
    '',
    '/etc/passwd',
    '../x',
    'a/../b',
    './a',
    'a//b',
    'a/',
    '-x',
    '.git/config',
    'a/.GIT/x',
    'a\u0000b',
    'a\nb',
  ]) {
    assert.throws(
      () => checkPath(path),
      (error) => isGitError(error, 'bad-path'),
      JSON.stringify(path),
    );
  }
});

test('only a full SHA is a SHA', () => {
  assert.equal(checkSha('a'.repeat(40)), 'a'.repeat(40));
  assert.equal(checkSha('0'.repeat(64)), '0'.repeat(64));
  for (const sha of ['', 'HEAD', 'abc123', 'A'.repeat(40), `${'a'.repeat(40)}\n`]) assert.throws(() => checkSha(sha));
});

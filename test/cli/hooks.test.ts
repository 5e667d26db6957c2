import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'hooks-'));
after(() => rmSync(folder, { recursive: true }));

const good = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\n';
const bad = 'shuffle_sharding: {total_hosts: 8, default_shard_size: 20}\n';

function run(command: string, args: readonly string[], cwd: string): { status: number | null; text: string } {
  const identity = {
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const env = { ...process.env, ...identity, GIT_CONFIG_GLOBAL: '/dev/null' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: 30_000 });
  return { status, text: stdout + stderr };
}

function git(cwd: string, ...args: string[]): { status: number | null; text: string } {
  return run('git', args, cwd);
}

function shardplane(cwd: string, ...args: string[]): { status: number | null; text: string } {
  return run(process.execPath, [main, ...args], cwd);
}

function createRepository(name: string): string {
  git(folder, 'init', '-q', '-b', 'main', name);
  return join(folder, name);
}

test('pre-commit checks what is staged, not what is saved', () => {
  const repository = createRepository('work');
  const file = join(repository, 'shard-config.yaml');
  assert.equal(shardplane(repository, 'hooks', 'install').status, 0);
  writeFileSync(file, bad);
  git(repository, 'add', '.');
  writeFileSync(file, good);
  const refused = git(repository, 'commit', '-m', 'Bad');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /^shard-config\.yaml:1:\d+: error: .*\[shard-too-big\]$/m);
  assert.match(refused.text, /^ +\^$/m);
  git(repository, 'add', '.');
  writeFileSync(file, bad);
  assert.equal(git(repository, 'commit', '-m', 'Good').status, 0);
  assert.equal(git(repository, 'commit', '-am', 'Bad again').status, 1);
});

test('a commit that has nothing to do with the config passes, one that deletes it does not', () => {
  const repository = createRepository('other');
  assert.equal(shardplane(repository, 'hooks', 'install').status, 0);
  writeFileSync(join(repository, 'README'), 'hello\n');
  git(repository, 'add', '.');
  assert.equal(git(repository, 'commit', '-m', 'No config').status, 0);
  writeFileSync(join(repository, 'shard-config.yaml'), good);
  git(repository, 'add', '.');
  assert.equal(git(repository, 'commit', '-m', 'Config').status, 0);
  git(repository, 'rm', '-q', 'shard-config.yaml');
  const refused = git(repository, 'commit', '-m', 'Delete it');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /\[file-missing\]/);
});

test('pre-receive refuses a bad push, with the message at the pusher’s terminal', () => {
  git(folder, 'init', '-q', '--bare', '-b', 'main', 'central.git');
  const central = join(folder, 'central.git');
  assert.match(shardplane(central, 'hooks', 'install').text, /pre-receive/);
  const repository = createRepository('pusher');
  const file = join(repository, 'shard-config.yaml');
  writeFileSync(file, good);
  git(repository, 'add', '.');
  git(repository, 'commit', '-qm', 'Good');
  assert.equal(git(repository, 'push', '-q', central, 'main').status, 0);
  writeFileSync(file, bad);
  git(repository, 'commit', '-qam', 'Bad');
  const refused = git(repository, 'push', central, 'main');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /remote: shard-config\.yaml:1:\d+: error: .*\[shard-too-big\]/);
  assert.match(refused.text, /pre-receive hook declined/);
  assert.equal(git(central, 'log', '--format=%s', 'main').text, 'Good\n');
  assert.equal(git(repository, 'push', '-q', central, '--delete', 'main').text.includes('[shard-too-big]'), false);
});

test('installing again is no change, and a hook of the user’s own is left alone', () => {
  const repository = createRepository('mine');
  assert.equal(shardplane(repository, 'hooks', 'install').status, 0);
  const hook = join(repository, '.git/hooks/pre-commit');
  const written = readFileSync(hook, 'utf8');
  assert.equal(shardplane(repository, 'hooks', 'install').status, 0);
  assert.equal(readFileSync(hook, 'utf8'), written);
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  const refused = shardplane(repository, 'hooks', 'install');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /exists already, and is not ours\n.*hint: add this line to it: .*check --hook pre-commit/);
  assert.equal(readFileSync(hook, 'utf8'), '#!/bin/sh\nexit 0\n');
});

test('where git looks for hooks elsewhere, that is said', () => {
  const repository = createRepository('elsewhere');
  git(repository, 'config', 'core.hooksPath', '/some/where');
  const refused = shardplane(repository, 'hooks', 'install');
  assert.equal(refused.status, 1);
  assert.match(refused.text, /core\.hooksPath is \/some\/where/);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Status } from '../../src/http/api.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

const run = promisify(execFile);

/** A real SSH key, and its line for the allowed signers. */
async function makeKey(folder: string, name: string): Promise<{ path: string; allowed: string }> {
  const path = join(folder, name);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  const { stdout } = await run('ssh-keygen', ['-y', '-f', path]);
  return { path, allowed: `${name}@example.com namespaces="git" ${stdout}` };
}

async function commitSigned(repository: TestRepository, key: string, count: number, name = file): Promise<string> {
  await repository.write({ [name]: config(count) });
  await repository.git('add', name);
  const how = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`];
  await repository.git(...how, 'commit', '--quiet', '--gpg-sign', '-m', `count ${count}`);
  return await repository.git('rev-parse', 'HEAD');
}

test('only commits by known SSH keys go live; the others are invalid, with the reason everywhere', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const known = await makeKey(folder.path, 'known');
  const stranger = await makeKey(folder.path, 'stranger');
  const signers = join(folder.path, 'allowed-signers');
  await writeFile(signers, known.allowed);
  const first = await commitSigned(repository, known.path, 1);
  await using daemon = await startDaemon({
    repository: repository.path,
    folder: folder.path,
    settings: { repository: { verify: { mode: 'head', ssh_allowed_signers: 'allowed-signers' } } },
  });
  await daemon.waitForLive(first);

  const unsigned = await repository.commit({ [file]: config(2) }, 'unsigned');
  const words = new RegExp(`^commit ${unsigned.slice(0, 12)} is not signed$`);
  const status = await daemon.waitFor(
    'invalid',
    ({ head }) => head?.version === unsigned && head.outcome === 'invalid',
  );
  assert.equal(status.live!.version, first);
  const [fault] = status.head!.diagnostics;
  assert.equal(fault!.code, 'signature-missing');
  assert.match(fault!.message, words);
  assert.match(fault!.hint!, /sign it/);
  assert.match((await daemon.run('status')).stdout, /is not signed/);
  const entry = (await daemon.history()).find(({ version }) => version === unsigned)!;
  assert.equal(entry.outcome, 'invalid');
  assert.match(entry.diagnostics[0]!.message, words);
  assert.match((await daemon.run('history', unsigned)).stdout, /is not signed/);
  const note = await until('its note', () =>
    repository.git('notes', '--ref=shardplane', 'show', unsigned).catch(() => null),
  );
  assert.match(note, /^invalid\nshard-config\.yaml:1:1: commit [0-9a-f]{12} is not signed$/);

  const foreign = await commitSigned(repository, stranger.path, 3);
  const refused = await daemon.waitFor(
    'invalid',
    ({ head }) => head?.version === foreign && head.outcome === 'invalid',
  );
  assert.equal(refused.head!.diagnostics[0]!.code, 'signature-unknown-key');
  assert.equal(refused.live!.version, first);

  // mode head: what came before the newest is not asked for its signature
  const good = await commitSigned(repository, known.path, 4);
  await daemon.waitForLive(good);

  // a key that is no longer known counts no more, without a restart
  await writeFile(signers, stranger.allowed);
  const late = await commitSigned(repository, known.path, 5);
  await daemon.waitFor('invalid', ({ head }) => head?.version === late && head.outcome === 'invalid');
  await daemon.waitForLive(await commitSigned(repository, stranger.path, 6));
});

test('the signers cannot be read: nothing goes live, the reason is told, and it goes on by itself', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const key = await makeKey(folder.path, 'known');
  await writeFile(join(folder.path, 'allowed-signers'), key.allowed);
  const first = await commitSigned(repository, key.path, 1);
  await using daemon = await startDaemon({
    repository: repository.path,
    folder: folder.path,
    settings: { repository: { poll: '200ms', verify: { mode: 'all', ssh_allowed_signers: 'allowed-signers' } } },
  });
  await daemon.waitForLive(first);
  await rename(join(folder.path, 'allowed-signers'), join(folder.path, 'away'));
  const second = await commitSigned(repository, key.path, 2);
  const status = await daemon.waitFor('the reason', ({ problems }) =>
    problems.some(({ message }) => /allowed (signers|keys)/.test(message)),
  );
  assert.equal(status.live!.version, first);
  await rename(join(folder.path, 'away'), join(folder.path, 'allowed-signers'));
  await daemon.waitForLive(second);
  await daemon.waitFor('all is well', ({ problems }) => problems.length === 0);
});

test('whoever may push, but not sign, can bring nothing back and nothing in', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const key = await makeKey(folder.path, 'known');
  await writeFile(join(folder.path, 'allowed-signers'), key.allowed);
  const old = await commitSigned(repository, key.path, 1);
  const live = await commitSigned(repository, key.path, 2);
  const verify = { mode: 'all', ssh_allowed_signers: 'allowed-signers' };
  await using daemon = await startDaemon({
    repository: repository.path,
    folder: folder.path,
    settings: { repository: { poll: '200ms', ref: 'main', on_rewrite: 'hold', verify } },
  });
  await daemon.waitForLive(live);
  // an unsigned merge: its first parent and its tree are the older release's
  const evil = await repository.git('commit-tree', '-p', old, '-p', live, '-m', 'evil', `${old}^{tree}`);
  await repository.git('reset', '--quiet', '--hard', evil);
  const isHeld = ({ live: now, head }: Status): boolean =>
    now?.version === live && head?.version === old && head.outcome === 'held';
  await daemon.waitFor('held', isHeld);
  await daemon.restart();
  await daemon.waitFor('held after a restart', isHeld);
  await repository.git('reset', '--quiet', '--hard', live);
  await daemon.waitForLive(live);

  // an unsigned commit on top of a signed change: the change waits for a signed one
  const next = await commitSigned(repository, key.path, 3);
  await repository.commit({ 'README.md': 'unsigned' });
  await daemon.waitFor('next', ({ head }) => head?.version === next);
  await commitSigned(repository, key.path, 1, 'README.md');
  await daemon.waitForLive(next);

  const unsigned = await repository.commit({ [file]: config(4) }, 'unsigned');
  await daemon.waitFor('invalid', ({ head }) => head?.version === unsigned && head.outcome === 'invalid');
  const above = await commitSigned(repository, key.path, 5);
  const status = await daemon.waitFor('invalid', ({ head }) => head?.version === above && head.outcome === 'invalid');
  assert.equal(status.live!.version, next);
  assert.match(
    status.head!.diagnostics[0]!.message,
    new RegExp(`^commit ${unsigned.slice(0, 12)} is not signed, and `),
  );
  assert.match(status.head!.diagnostics[0]!.hint!, /^sign it, .* shardplane accept/);
  // as the hint says
  await repository.git('checkout', '--quiet', '-b', 'anew', next);
  const again = await commitSigned(repository, key.path, 5);
  await repository.git('branch', '--force', 'main', again);
  await daemon.waitFor('held', ({ head }) => head?.version === again && head.outcome === 'held');
  assert.equal((await daemon.run('accept', again)).code, 0);
  await daemon.waitForLive(again);
});

import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHookStore, parseRefUpdates, readStaged } from '../../../src/git/read/hook-content.ts';
import type { Revision } from '../../../src/git/read/revision.ts';
import { git, makeRepository, repositoryAt, temporaryFolder } from '../../helpers/git.ts';

const file = 'shard-config.yaml';

function said(content: Revision['content'] | null): string {
  if (content === null) return 'nothing';
  return 'bytes' in content ? content.bytes.toString() : content.fault.code;
}

/** A hook of a real repository that prints what shardplane would check, and refuses. */
async function installHook(hooks: string, name: string, code: string): Promise<void> {
  const module = new URL('../../../src/git/read/hook-content.ts', import.meta.url).href;
  const script = `
    import { readFileSync } from 'node:fs';
    import { openHookStore, parseRefUpdates, readPushed, readStaged } from ${JSON.stringify(module)};
    const said = (content) => (content === null ? 'nothing' : 'bytes' in content ? content.bytes.toString() : content.fault.code);
    const store = await openHookStore(process.env, process.cwd());
    ${code}
    process.exit(1);`;
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, `${name}.mjs`), script);
  await writeFile(join(hooks, name), `#!/bin/sh\nexec ${process.execPath} ${join(hooks, `${name}.mjs`)}\n`);
  await chmod(join(hooks, name), 0o755);
}

const onCommit = `console.error('checks', said(await readStaged(store, '${file}')));`;
const onPush = `for (const update of parseRefUpdates(readFileSync(0, 'utf8'))) console.error('checks', update.ref, said(await readPushed(store, '${file}', update)));`;

test('staged content, not saved content; nothing where there is nothing; what is no file', async () => {
  await using repository = await makeRepository();
  const store = await openHookStore({}, repository.path);
  assert.equal(said(await readStaged(store, file)), 'nothing');
  await repository.write({ [file]: 'staged' });
  await repository.git('add', file);
  await repository.write({ [file]: 'saved' });
  assert.equal(said(await readStaged(store, file)), 'staged');
  await repository.git('commit', '--quiet', '-m', 'one');
  await repository.git('rm', '--quiet', '--cached', file);
  assert.equal(said(await readStaged(store, file)), 'file-missing');
  await rm(join(repository.path, file));
  await symlink('elsewhere', join(repository.path, file));
  await repository.git('add', file);
  assert.equal(said(await readStaged(store, file)), 'file-not-regular');
});

test('a real pre-commit hook sees what this commit would hold: by add, by -a, of some paths, in a linked worktree', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one', other: 'x' });
  await installHook(join(repository.path, '.git/hooks'), 'pre-commit', onCommit);
  await repository.write({ [file]: 'staged' });
  await repository.git('add', file);
  await repository.write({ [file]: 'saved' });
  await assert.rejects(repository.git('commit', '-m', 'x'), /checks staged/);
  await assert.rejects(repository.git('commit', '-a', '-m', 'x'), /checks saved/);
  await assert.rejects(repository.git('commit', '-m', 'x', '--', file), /checks saved/);
  const linked = join(folder.path, 'linked');
  await repository.git('worktree', 'add', '--quiet', '-b', 'linked', linked);
  await repositoryAt(linked).write({ [file]: 'in the worktree' });
  await assert.rejects(git(linked, ['commit', '-a', '-m', 'x']), /checks in the worktree/);
});

test('a real pre-receive hook reads from the quarantine, and refuses with its words at the pusher', async () => {
  await using bare = await makeRepository({ bare: true });
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await repository.git('push', '--quiet', bare.path, 'main');
  await installHook(join(bare.path, 'hooks'), 'pre-receive', onPush);
  const push = (...refs: string[]): Promise<string> => repository.git('push', '--quiet', bare.path, ...refs);
  await repository.commit({ [file]: 'bad content' });
  await assert.rejects(push('main'), /remote: checks refs\/heads\/main bad content/);
  await assert.rejects(push('main:new'), /remote: checks refs\/heads\/new bad content/);
  await assert.rejects(push(':main'), /remote: checks refs\/heads\/main nothing/);
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  await repository.commit({ other: 'x' });
  await assert.rejects(push('main'), /remote: checks refs\/heads\/main nothing/);
  await repository.git('rm', '--quiet', file);
  await repository.git('commit', '--quiet', '-m', 'gone');
  await assert.rejects(push('main'), /remote: checks refs\/heads\/main file-missing/);
  assert.equal(await bare.git('rev-list', '--count', 'main'), '1');
});

test('lines of pre-receive', () => {
  const [a, b] = ['a'.repeat(40), '0'.repeat(40)];
  assert.deepEqual(parseRefUpdates(`${a} ${b} refs/heads/x\n`), [{ from: a, to: b, ref: 'refs/heads/x' }]);
  assert.deepEqual(parseRefUpdates(''), []);
  assert.throws(() => parseRefUpdates('--all x y'));
});

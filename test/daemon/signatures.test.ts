import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Signatures } from '../../src/daemon/signatures.ts';
import { lookAtRef } from '../../src/git/read/look.ts';
import { openRepository, type GitRepository } from '../../src/git/read/repository.ts';
import { newestRevision } from '../../src/git/read/revisions.ts';
import { git, importCommits, makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';

const file = 'shard-config.yaml';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let key: string;
let signers: string;

before(async () => {
  folder = await temporaryFolder();
  key = join(folder.path, 'key');
  signers = join(folder.path, 'signers');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me', '-f', key]);
  const line = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' });
  await writeFile(signers, `me@example.com namespaces="git" ${line}`);
});

after(() => folder[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly opened: GitRepository;
  /** A commit of these parents with this content (undefined: a file beside it alone), by plumbing: no ref moves. */
  commit(content: string, parents: readonly string[], how?: 'signed' | 'unsigned'): Promise<string>;
  /** What the signatures say of the newest revision at `tip`, when `base` was taken and `live` is live. */
  judge(tip: string, at: { base: string | null; live?: string | null; mode?: 'head' | 'all' }): Promise<string>;
}

async function makeScene(): Promise<Scene> {
  const repository = await makeRepository();
  const opened = await openRepository(repository.path);
  const commit: Scene['commit'] = async (content, parents, how = 'signed') => {
    const blob = await git(repository.path, ['hash-object', '-w', '--stdin'], { input: content });
    const tree = await git(repository.path, ['mktree'], { input: `100644 blob ${blob}\t${file}\n` });
    const config = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`];
    const sign = how === 'signed' ? ['-S'] : [];
    const origins = parents.flatMap((parent) => ['-p', parent]);
    return await git(repository.path, [...config, 'commit-tree', ...sign, ...origins, '-m', `${how} ${content}`, tree]);
  };
  const judge: Scene['judge'] = async (tip, { base, live = base, mode = 'all' }) => {
    await repository.git('update-ref', 'refs/heads/main', tip);
    const look = { ref: 'main', file, base, last: null, onRewrite: 'hold' } as const;
    const found = await lookAtRef(opened, look);
    if (found?.decision !== 'take') return `${found?.movement ?? ''} ${found?.decision ?? ''}`;
    const newest = await newestRevision(opened, { tip, file });
    const standing = { isHead: true, isOvertaken: false, tip, previous: base };
    return (await signaturesOf({ opened, mode, live }).check(newest?.version ?? '', standing))?.message ?? 'taken';
  };
  return { repository, opened, commit, judge, [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose]() };
}

function signaturesOf(at: { opened: GitRepository; mode: 'head' | 'all'; live: string | null }): Signatures {
  return new Signatures({
    mode: at.mode,
    keys: { gpgKeyring: null, sshAllowedSigners: signers, directory: folder.path },
    file,
    repository: () => at.opened,
    liveVersion: () => at.live,
  });
}

const short = (version: string): string => version.slice(0, 12);

test('a merge with an older tree, whose first parent is older, is a rewind, signed or not', async () => {
  await using scene = await makeScene();
  const old = await scene.commit('old', []);
  const middle = await scene.commit('middle', [old]);
  const live = await scene.commit('live', [middle]);
  const side = await scene.commit('old', [old], 'unsigned');
  for (const mode of ['head', 'all'] as const) {
    for (const how of ['signed', 'unsigned'] as const) {
      for (const parents of [
        [old, live],
        [old, middle, live],
        [old, live, middle],
        [side, live],
      ]) {
        const merge = await scene.commit('old', parents, how);
        assert.equal(await scene.judge(merge, { base: live, mode }), 'rewind hold', parents.join(' '));
        // nor does it help to go on from there without changing the file
        const above = await scene.commit('old', [merge]);
        assert.equal(await scene.judge(above, { base: live, mode }), 'rewind hold');
      }
    }
  }
});

test('what the ref names must be signed, whether or not it changes the file', async () => {
  await using scene = await makeScene();
  const live = await scene.commit('live', []);
  const never = await scene.commit('signed for another branch', [live]);
  const base = await scene.commit('taken', [live]);
  const next = await scene.commit('next', [base]);
  for (const mode of ['head', 'all'] as const) {
    for (const tip of [
      await scene.commit('next', [next], 'unsigned'),
      await scene.commit('next', [next, live], 'unsigned'),
      await scene.commit('signed for another branch', [never, base], 'unsigned'),
      await scene.commit('signed for another branch', [never, base, live], 'unsigned'),
    ]) {
      const words = await scene.judge(tip, { base, mode });
      assert.match(
        words,
        new RegExp(`^commit ${short(tip)} is not signed; the ref names it, and it contains [0-9a-f]{12}$`),
      );
    }
    assert.equal(await scene.judge(await scene.commit('next', [next]), { base, mode }), 'taken');
  }
});

test('below what the ref names, only what is on top of what was taken may go', async () => {
  await using scene = await makeScene();
  const live = await scene.commit('live', []);
  const base = await scene.commit('taken', [live]);
  const never = await scene.commit('signed for another branch', [live]);
  const merge = await scene.commit('anything', [never, base], 'unsigned');
  const next = await scene.commit('next', [base]);
  const standing = { isHead: false, isOvertaken: false, tip: merge, previous: base };
  const signatures = signaturesOf({ opened: scene.opened, mode: 'head', live });
  assert.match((await signatures.check(never, standing))?.message ?? '', /is signed, but the choice of it is not/);
  assert.equal(await signatures.check(next, standing), null);
});

test('all: an unsigned change since the live release is named, however much is signed on top', async () => {
  await using scene = await makeScene();
  const live = await scene.commit('live', []);
  const bad = await scene.commit('bad', [live], 'unsigned');
  const good = await scene.commit('good', [bad]);
  const merge = await scene.commit('merged', [good, live]);
  for (const tip of [good, merge, await scene.commit('merged', [merge])]) {
    const words = await scene.judge(tip, { base: live });
    assert.match(words, new RegExp(`^commit ${short(bad)} is not signed, and [0-9a-f]{12} is on top of it$`));
    // the same after a restart, and when what is on top came later
    assert.equal(await scene.judge(tip, { base: bad, live }), words);
    assert.equal(await scene.judge(tip, { base: live, mode: 'head' }), 'taken');
  }
  // an unsigned commit that leaves the file alone changes nothing
  const beside = await scene.commit('live', [live], 'unsigned');
  assert.equal(await scene.judge(await scene.commit('next', [beside]), { base: live }), 'taken');
  // a merge is signed for by who merges
  const asked = await scene.commit('asked for', [live], 'unsigned');
  assert.equal(await scene.judge(await scene.commit('asked for', [live, asked]), { base: live }), 'taken');
});

test('all: a backlog longer than a page', async () => {
  await using scene = await makeScene();
  const live = await scene.commit('live', []);
  await scene.repository.git('update-ref', 'refs/heads/main', live);
  const contents = Array.from({ length: 1200 }, (_, at) => `content ${at}`);
  const last = await importCommits(scene.repository.path, { file, contents });
  const tip = await scene.commit('on top', [last]);
  assert.match(await scene.judge(tip, { base: live }), new RegExp(`^commit ${short(last)} is not signed, and `));
});

test('the first look ever: the newest and what the ref names; what a rewrite has lost asks no more', async () => {
  await using scene = await makeScene();
  const first = await scene.commit('first', [], 'unsigned');
  const second = await scene.commit('second', [first]);
  assert.equal(await scene.judge(second, { base: null }), 'taken');
  assert.match(await scene.judge(first, { base: null }), /is not signed$/);
  const above = await scene.commit('second', [second], 'unsigned');
  assert.match(await scene.judge(above, { base: null }), /; the ref names it, and it contains /);
  const gone = 'f'.repeat(40);
  assert.equal(await scene.judge(second, { base: null, live: gone }), 'taken');
});

test('neither a replace ref, nor a graft, nor a signed tag stands for a signature', async () => {
  await using scene = await makeScene();
  const { repository } = scene;
  const live = await scene.commit('live', []);
  const bad = await scene.commit('bad', [live], 'unsigned');
  const good = await scene.commit('bad', [live]);
  await repository.git('replace', bad, good);
  assert.match(await scene.judge(bad, { base: live }), /is not signed$/);
  await repository.git('replace', '-d', bad);
  const top = await scene.commit('top', [bad]);
  await writeFile(join(repository.path, '.git/info/grafts'), `${top} ${live}\n`);
  assert.match(await scene.judge(top, { base: live }), new RegExp(`^commit ${short(bad)} is not signed, and `));
  const how = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`];
  await repository.git(...how, 'tag', '--sign', '-m', 'a tag', 'signed', bad);
  const look = { ref: 'signed', file, base: live, last: null, onRewrite: 'hold' } as const;
  assert.equal((await lookAtRef(scene.opened, look))?.tip, bad);
});

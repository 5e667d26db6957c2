import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, appendFile, chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHookStore, readStaged } from '../../src/git/read/hook-content.ts';
import { Mirror } from '../../src/git/mirror/mirror.ts';
import { runGit } from '../../src/git/exec/run.ts';
import { writeNotes } from '../../src/git/notes/notes.ts';
import { Source, type SourceEvent } from '../../src/git/follow/source.ts';
import { workingFileState } from '../../src/git/follow/working-file.ts';
import { verifyCommit } from '../../src/git/signature/verify.ts';
import { gitEnv, makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

const file = 'shard-config.yaml';

const hooks = [
  'post-checkout',
  'post-commit',
  'post-merge',
  'post-index-change',
  'pre-push',
  'reference-transaction',
  'pre-auto-gc',
  'post-rewrite',
  'fsmonitor-watchman',
  'proc-receive',
  'update',
  'pre-receive',
];

/** Every key that we know of by which a repository's own config makes git run a program. */
function programKeys(program: string): [key: string, value: string][] {
  const plain = [
    'core.fsmonitor',
    'core.sshCommand',
    'core.gitProxy',
    'core.askPass',
    'core.pager',
    'core.editor',
    'core.alternateRefsCommand',
    'sequence.editor',
    'gpg.program',
    'gpg.openpgp.program',
    'gpg.x509.program',
    'gpg.ssh.program',
    'gpg.ssh.defaultKeyCommand',
    'diff.external',
    'diff.spy.command',
    'diff.spy.textconv',
    'filter.spy.clean',
    'filter.spy.smudge',
    'filter.spy.process',
    'merge.spy.driver',
    'interactive.diffFilter',
    'uploadpack.packObjectsHook',
    'remote.origin.uploadpack',
    'remote.origin.receivepack',
    'pager.log',
    'pager.diff',
    'pager.show',
    'trailer.spy.command',
    'trailer.spy.cmd',
    'sendemail.tocmd',
    'web.browser',
    'browser.spy.cmd',
  ];
  const shell = [
    'credential.helper',
    'alias.rev-parse',
    'alias.rev-list',
    'alias.diff-tree',
    'alias.cat-file',
    'alias.for-each-ref',
    'alias.symbolic-ref',
  ];
  const urls: [string, string][] = [
    ['remote.origin.url', `ext::${program}`],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialCloneFilter', 'blob:none'],
    ['extensions.partialClone', 'origin'],
    ['protocol.ext.allow', 'always'],
    ['log.showSignature', 'true'],
    ['fetch.recurseSubmodules', 'true'],
    ['submodule.recurse', 'true'],
    ['gc.auto', '1'],
  ];
  return [
    ...plain.map((key): [string, string] => [key, program]),
    ...shell.map((key): [string, string] => [key, `!${program}`]),
    ...urls,
  ];
}

interface Trap extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly canary: string;
  /** Whether a program of the repository's ran since the last call. */
  sprung(): Promise<boolean>;
}

/** A repository that runs a program at every opportunity; whatever ran leaves a canary. */
async function makeTrap(): Promise<Trap> {
  const folder = await temporaryFolder();
  const repository = await makeRepository();
  const canary = join(folder.path, 'canary');
  const program = join(folder.path, 'program');
  await writeFile(program, `#!/bin/sh\necho "$0 $*" >> ${canary}\n`);
  await chmod(program, 0o755);
  await repository.commit({
    [file]: 'one',
    '.gitattributes': '* filter=spy diff=spy merge=spy\n',
  });
  await repository.commit({ [file]: 'two' });
  const signed = await repository.git('cat-file', 'commit', 'HEAD');
  const pgp = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----';
  const input = signed.replace('\n\n', `\n${pgp}\n\n`);
  await writeFile(join(folder.path, 'commit'), `${input}\n`);
  const tip = await repository.git('hash-object', '-t', 'commit', '-w', join(folder.path, 'commit'));
  await repository.git('update-ref', 'refs/heads/main', tip);
  await mkdir(join(repository.path, '.git/hooks'), { recursive: true });
  for (const hook of hooks) {
    await writeFile(join(repository.path, '.git/hooks', hook), `#!/bin/sh\nexec ${program}\n`);
    await chmod(join(repository.path, '.git/hooks', hook), 0o755);
  }
  const lines = programKeys(program).map(([key, value]) => {
    const at = key.lastIndexOf('.');
    const [section = '', ...sub] = key.slice(0, at).split('.');
    return `[${section}${sub.length > 0 ? ` "${sub.join('.')}"` : ''}]\n\t${key.slice(at + 1)} = "${value}"\n`;
  });
  await appendFile(join(repository.path, '.git/config'), `${lines.join('')}[core]\n\trepositoryFormatVersion = 1\n`);
  const sprung = async (): Promise<boolean> => {
    const found = await access(canary).then(
      () => true,
      () => false,
    );
    await rm(canary, { force: true });
    return found;
  };
  return {
    repository,
    canary,
    sprung,
    [Symbol.asyncDispose]: async () => {
      await repository[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The same with a git that nobody guards; whether it succeeds is all one. */
async function unguarded(repository: TestRepository, ...args: string[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const child = execFile('git', args, { cwd: repository.path, env: gitEnv(), timeout: 20_000 }, () => resolve());
    child.stdin?.end();
  });
}

test('the trap works: a git that is not guarded springs it in each of these ways', async () => {
  await using trap = await makeTrap();
  const ways = [
    ['status'],
    ['diff', 'HEAD~1'],
    ['log', '-1', '-p', '--textconv'],
    ['verify-commit', 'HEAD'],
    ['update-ref', 'refs/heads/x', 'HEAD'],
    ['fetch', 'origin'],
    ['log', '-1', '--show-signature'],
    ['checkout', '--', file],
  ];
  for (const way of ways) {
    await unguarded(trap.repository, ...way);
    assert.equal(await trap.sprung(), true, way.join(' '));
  }
  await loseBlob(trap.repository);
  await unguarded(trap.repository, 'cat-file', '-p', `main:${file}`);
  assert.equal(await trap.sprung(), true, 'a missing blob');
});

test('nothing of ours springs it: following, a blob that is missing in a partial clone, saved files, notes, signatures, hooks, fetching from it', async () => {
  await using trap = await makeTrap();
  await using folder = await temporaryFolder();
  const { repository } = trap;
  const events: SourceEvent[] = [];
  await using source = Object.assign(
    new Source({
      path: repository.path,
      ref: 'main',
      file,
      since: null,
      onRewrite: 'follow',
      pollMs: 60_000,
      onEvent: (event) => void events.push(event),
    }),
    {
      async [Symbol.asyncDispose]() {
        await source.close();
      },
    },
  );
  await source.check();
  const move = events.find((event) => event.type === 'moved');
  assert.ok(move?.newest && 'bytes' in move.newest.content, JSON.stringify(events));
  const { version } = move.newest;
  assert.equal(await trap.sprung(), false, 'following');

  await writeFile(join(repository.path, file), 'saved');
  assert.equal(await workingFileState(source.repository!, file, move.newest.content), 'same');
  assert.equal(await trap.sprung(), false, 'a saved file with a filter');
  await writeFile(join(repository.path, '.gitattributes'), '* ident diff=spy merge=spy\n');
  await writeFile(join(repository.path, file), 'saved again');
  await until('the saved file', () => events.some((event) => event.type === 'working-file'));
  assert.equal(await trap.sprung(), false, 'a saved file');

  await source.older(move.tip!, { skip: 0, limit: 10 });
  await writeNotes({ gitDir: join(repository.path, '.git') }, new Map([[version, 'live']]));
  assert.equal(await trap.sprung(), false, 'notes');

  const opened = source.repository!;
  const empty = join(folder.path, 'signers');
  await writeFile(empty, '');
  const options = { gpgKeyring: null, sshAllowedSigners: empty, directory: join(folder.path, 'gnupg') };
  assert.equal((await verifyCommit(opened, { version, file }, options))?.code, 'signature-unknown-key');
  assert.equal(await trap.sprung(), false, 'signatures');

  assert.notEqual(await readStaged(await openHookStore({}, repository.path), file), null);
  assert.equal(await trap.sprung(), false, 'hooks');

  await loseBlob(repository);
  const lost = await source.older(move.tip!, { skip: 0, limit: 1 });
  assert.ok(lost[0] && 'fault' in lost[0].content && lost[0].content.fault.code === 'object-missing');
  assert.equal(await trap.sprung(), false, 'a missing blob');
});

test('a mirror of it takes over no config, no hooks and no attributes', async () => {
  await using trap = await makeTrap();
  await using folder = await temporaryFolder();
  // git-upload-pack serves the repository, and is the other side's business; packObjectsHook is protected by git itself
  const remote = {
    url: `file://${trap.repository.path}`,
    ref: 'main',
    timeoutMs: 20_000,
    credentialsFile: null,
    credentialHelper: true,
    sshKey: null,
    sshKnownHosts: null,
    proxy: null,
    ca: null,
  };
  const mirror = new Mirror({ directory: join(folder.path, 'mirror.git'), remote });
  await mirror.prepare();
  await mirror.fetch();
  assert.equal(await mirror.isFilled(), true);
  // what is made to be dangerous to others is not even taken in
  await plant(trap.repository);
  await assert.rejects(mirror.fetch(), /gitmodules/);
  assert.deepEqual(
    (await readdir(mirror.path)).filter((name) => name === 'hooks'),
    [],
  );
  assert.equal(await trap.sprung(), false);
});

/** A commit whose submodule runs a program on `git submodule update`. */
async function plant(repository: TestRepository): Promise<void> {
  const stream = `commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 inline .gitmodules\n`;
  const modules = '[submodule "x"]\n\tpath = x\n\turl = ext::x\n\tupdate = !x\n';
  await runGit(['fast-import', '--quiet'], {
    gitDir: join(repository.path, '.git'),
    input: `${stream}data ${modules.length}\n${modules}\n`,
  });
}

/** Takes away the content of the newest revision: the promisor remote of a partial clone is to have it. */
async function loseBlob(repository: TestRepository): Promise<void> {
  const blob = await new Promise<string>((resolve) => {
    execFile(
      'git',
      ['-c', 'core.fsmonitor=false', 'rev-parse', `main:${file}`],
      { cwd: repository.path, env: gitEnv() },
      (_error, stdout) => resolve(stdout.trim()),
    );
  });
  await rm(join(repository.path, '.git/objects', blob.slice(0, 2), blob.slice(2)));
}

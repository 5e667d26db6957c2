import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '../config/support.ts';
import { shardplane } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';

const name = 'shard-config.yaml';
const plain = `# ours
shuffle_sharding:
  total_hosts: 8
  default_shard_size: 2
  quarantine_hosts: 2
  customer:
    acme: {shard_size: 3} # big
`;
const identity = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  ...{ GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'ann@example.com' },
  ...{ GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'ann@example.com' },
};
const run = (repository: { path: string }, args: readonly string[], env: Record<string, string> = identity) =>
  shardplane([...args, '--repository', repository.path], { env });
const saved = ({ path }: TestRepository) => readFileSync(join(path, name), 'utf8');

test('one commit of that line alone: the author is the user, what else is staged stays staged, no hook runs', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [name]: plain, other: '1' });
  await repository.write({ other: '2' });
  await repository.git('add', 'other');
  const hooks = join(repository.path, '.git/hooks');
  mkdirSync(hooks, { recursive: true });
  for (const hook of ['pre-commit', 'commit-msg', 'post-commit', 'prepare-commit-msg', 'post-index-change']) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${repository.path}/hook-ran\nexit 1\n`);
    chmodSync(join(hooks, hook), 0o755);
  }
  const done = await run(repository, ['quarantine', 'acme', '--until', '4h', '-m', 'Its flood\nhits others']);
  assert.equal(done.code, 0, done.stderr);
  assert.ok(!existsSync(join(repository.path, 'hook-ran')));
  rmSync(hooks, { recursive: true }); // the test's own git would run some
  const sha = await repository.git('rev-parse', 'HEAD');
  assert.match(
    done.stdout,
    new RegExp(`^committed ${sha.slice(0, 12)}: acme is in quarantine until 20.*Z, on hosts [78], [78]\n$`),
  );
  const [, until = ''] = /quarantine_until: "(.*?)"/.exec(saved(repository)) ?? [];
  assert.ok(Math.abs(Date.parse(until) - Date.now() - 4 * 3_600_000) < 600_000, until);
  const entry = `{shard_size: 3, quarantine: true, quarantine_until: "${until}"} # big`;
  assert.equal(saved(repository), plain.replace('{shard_size: 3} # big', entry));
  assert.equal(
    await repository.git('log', '-1', '--format=%an <%ae> %s'),
    'Ann <ann@example.com> Its flood hits others',
  );
  assert.equal(await repository.git('show', '--name-only', '--format='), name);
  assert.equal(await repository.git('status', '--porcelain'), 'M  other');

  const again = await run(repository, ['quarantine', 'new', '-m', 'That one too', '--json']);
  const told = JSON.parse(again.stdout) as { version: string; customer: string; until: null; hosts: number[] };
  assert.equal(told.version, await repository.git('rev-parse', 'HEAD'));
  assert.deepEqual([told.customer, told.until, told.hosts.toSorted()], ['new', null, [7, 8]]);
  const back = await run(repository, ['unquarantine', 'acme', '-m', 'It has stopped']);
  assert.match(back.stdout, /^committed .*: acme is out of quarantine, on hosts [1-6], [1-6], [1-6]\n$/);
  await run(repository, ['unquarantine', 'new', '-m', 'It too']);
  assert.equal(saved(repository), plain);
  assert.equal(await repository.git('rev-list', '--count', 'HEAD'), '5');
});

test('without an end, after one: it is taken away', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [name]: plain });
  await run(repository, ['quarantine', 'acme', '--until', '2h', '-m', 'a']);
  const { code } = await run(repository, ['quarantine', 'acme', '-m', 'b']);
  assert.equal(code, 0);
  assert.equal(parse(saved(repository)).config?.quarantineUntil, undefined);
});

/** What is wrong, how it comes about, and what is said. */
const refusals: readonly [string, (repository: TestRepository) => Promise<unknown>, readonly string[], RegExp][] = [
  ['edits', (r) => r.write({ [name]: `${plain}# edited\n` }), [], /has edits that are not committed\n.*git diff/],
  [
    'staged edits',
    async (r) => {
      await r.write({ [name]: `${plain}# edited\n` });
      await r.git('add', name);
      await r.write({ [name]: plain });
    },
    [],
    /has edits that are not committed/,
  ],
  [
    'no hosts set apart',
    (r) => r.commit({ [name]: plain.replace(/ {2}quarantine_hosts.*\n/, '') }),
    [],
    /no host is set apart/,
  ],
  ['a file that is not valid', (r) => r.commit({ [name]: plain.replace('8', '0') }), [], /is not valid/],
  ['another branch', (r) => r.git('switch', '-qc', 'mine'), ['--ref', 'main'], /is on mine, and main is followed/],
  ['no branch', (r) => r.git('switch', '-q', '--detach'), ['--ref', 'main'], /is on no branch, and main is followed/],
  ['a filter', (r) => r.commit({ '.gitattributes': '*.yaml filter=x\n' }), [], /has a git filter/],
  [
    'a file that is not committed',
    (r) => r.write({ 'new.yaml': plain }),
    ['--file', 'new.yaml'],
    /is not committed yet/,
  ],
];
for (const [what, make, flags, words] of refusals)
  test(`nothing is done: ${what}`, async () => {
    await using repository = await makeRepository();
    await repository.commit({ [name]: plain });
    await make(repository);
    const [before, head] = [saved(repository), await repository.git('rev-parse', 'HEAD')];
    const { code, stderr } = await run(repository, ['quarantine', 'acme', '-m', 'why', ...flags]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
    assert.equal(saved(repository), before);
    assert.equal(await repository.git('rev-parse', 'HEAD'), head);
  });

test('nothing is done: it would change nothing', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [name]: plain });
  assert.match((await run(repository, ['unquarantine', 'acme', '-m', 'why'])).stderr, /acme is not in quarantine/);
  await run(repository, ['quarantine', 'acme', '-m', 'why']);
  const again = await run(repository, ['quarantine', 'acme', '-m', 'why']);
  assert.deepEqual([again.code, /acme is in quarantine already/.test(again.stderr)], [1, true]);
});

test('a commit that git refuses leaves the file as it was, and says why', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [name]: plain });
  // no identity, and none is guessed
  const { code, stderr } = await run(repository, ['quarantine', 'acme', '-m', 'why'], {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...{ GIT_AUTHOR_NAME: '', GIT_AUTHOR_EMAIL: '', GIT_COMMITTER_NAME: '', GIT_COMMITTER_EMAIL: '' },
  });
  assert.equal(code, 1);
  assert.match(stderr, /git could not commit: [^]*hint: git config --global user\.name/);
  assert.equal(saved(repository), plain);
  assert.equal(await repository.git('status', '--porcelain'), '');
});

test('a bare repository, a remote and signed commits are for a clone of the operator’s own', async () => {
  await using bare = await makeRepository({ bare: true });
  assert.match((await run(bare, ['quarantine', 'acme', '-m', 'why'])).stderr, /is a bare repository[^]*in a clone/);
  await using folder = await temporaryFolder();
  for (const [settings, words] of [
    ['repository: {remote: {url: "https://example.com/x.git"}}', /a remote is followed[^]*--repository, and push/],
    ['repository: {verify: {mode: head, ssh_allowed_signers: /dev/null}}', /have to be signed here/],
  ] as const) {
    const config = join(folder.path, 'settings.yaml');
    writeFileSync(config, settings);
    const { code, stderr } = await shardplane(['quarantine', 'acme', '-m', 'why', '--config', config]);
    assert.equal(code, 1);
    assert.match(stderr, words);
  }
});

test('usage: why has to be said, and a time that is there', async () => {
  await using repository = await makeRepository();
  for (const flags of [[], ['-m', ' '], ['-m', 'why', '--until', '2020-01-01']])
    assert.equal((await run(repository, ['quarantine', 'acme', ...flags])).code, 2, flags.join(' '));
});

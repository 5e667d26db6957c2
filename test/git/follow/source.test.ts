import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, cp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Source, type Moved, type SourceEvent, type SourceOptions } from '../../../src/git/follow/source.ts';
import type { Revision } from '../../../src/git/read/revision.ts';
import { git, importCommits, makeRepository, repositoryAt, temporaryFolder } from '../../helpers/git.ts';
import { until } from '../../helpers/until.ts';

const file = 'shard-config.yaml';

interface Followed extends AsyncDisposable {
  readonly source: Source;
  readonly events: SourceEvent[];
  /** The moves so far. */
  moves(): Moved[];
  /** Waits for one more move than there was at the last call. */
  nextMove(): Promise<Moved>;
}

/** A source that only hears of changes by its watch: its poll is too slow to help. */
async function follow(path: string, options: Partial<SourceOptions> = {}): Promise<Followed> {
  const events: SourceEvent[] = [];
  const onEvent = (event: SourceEvent): void => void events.push(event);
  const source = new Source({
    path,
    ref: 'HEAD',
    file,
    since: null,
    onRewrite: 'follow',
    pollMs: 60_000,
    onEvent,
    ...options,
  });
  const moves = (): Moved[] => events.filter((event) => event.type === 'moved');
  let seen = 0;
  const nextMove = async (): Promise<Moved> => {
    await until('a move', () => moves().length > seen);
    return moves()[seen++]!;
  };
  await source.check();
  return { source, events, moves, nextMove, [Symbol.asyncDispose]: () => source.close() };
}

function text(content: Revision['content'] | undefined): string {
  return content !== undefined && 'bytes' in content
    ? content.bytes.toString()
    : `fault ${content?.fault.code ?? 'none'}`;
}

test('the first look gives only the newest revision', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  const second = await repository.commit({ [file]: 'two' }, 'second\n\nShardplane-Accept: yes');
  await repository.commit({ 'README.md': 'no revision' });
  await using followed = await follow(repository.path);
  const move = await followed.nextMove();
  assert.equal(move.movement, 'initial');
  assert.equal(move.decision, 'take');
  assert.deepEqual(
    move.revisions.map((revision) => revision.version),
    [second],
  );
  assert.equal(move.newest?.version, second);
  assert.equal(move.newest.subject, 'second');
  assert.equal(move.newest.author, 'Test Author <author@example.com>');
  assert.deepEqual([...move.newest.trailers], [['shardplane-accept', 'yes']]);
  assert.equal(text(move.newest.content), 'two');
});

test('commit, amend, revert, reset and a merge are seen without polling', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  await followed.nextMove();

  const second = await repository.commit({ [file]: 'two' });
  const committed = await followed.nextMove();
  assert.equal(committed.movement, 'fast-forward');
  assert.deepEqual(
    committed.revisions.map((revision) => revision.version),
    [second],
  );

  await repository.write({ [file]: 'two, amended' });
  await repository.git('commit', '--quiet', '--all', '--amend', '-m', 'amended');
  const amended = await followed.nextMove();
  assert.equal(amended.movement, 'diverged');
  assert.deepEqual([amended.revisions.length, text(amended.newest?.content)], [1, 'two, amended']);

  await repository.git('revert', '--no-edit', 'HEAD');
  const reverted = await followed.nextMove();
  assert.equal(reverted.movement, 'fast-forward');
  assert.equal(text(reverted.newest?.content), 'one');

  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  const reset = await followed.nextMove();
  assert.equal(reset.movement, 'rewind');
  assert.deepEqual(reset.revisions, []);
  assert.equal(text(reset.newest?.content), 'two, amended');

  await repository.git('branch', 'topic');
  await git(repository.path, ['worktree', 'add', '--quiet', 'elsewhere', 'topic']);
  await repositoryAt(join(repository.path, 'elsewhere')).commit({ [file]: 'of the topic' });
  await repository.git('merge', '--quiet', '--no-ff', '-m', 'merge the topic', 'topic');
  const merged = await followed.nextMove();
  assert.equal(merged.movement, 'fast-forward');
  assert.deepEqual(
    merged.revisions.map((revision) => revision.subject),
    ['merge the topic'],
  );
  assert.equal(text(merged.newest?.content), 'of the topic');
});

test('a burst of commits: every one is told, oldest first', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'start' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  for (let at = 1; at <= 20; at++) await repository.commit({ [file]: `burst ${at}` }, `burst ${at}`);
  const told = (): string[] =>
    followed
      .moves()
      .slice(1)
      .flatMap((move) => move.revisions.map((revision) => revision.subject));
  await until('the last of the burst', () => told().at(-1) === 'burst 20');
  assert.deepEqual(
    told(),
    Array.from({ length: 20 }, (_, at) => `burst ${at + 1}`),
  );
});

test('after a restart: all 1,000 commits made meanwhile, or nothing new', async () => {
  await using repository = await makeRepository();
  const since = await repository.commit({ [file]: 'start' });
  const tip = await importCommits(repository.path, {
    file,
    contents: Array.from({ length: 1500 }, (_, at) => `content ${at}\n`),
  });
  {
    await using followed = await follow(repository.path, { since });
    const move = await followed.nextMove();
    assert.equal(move.revisions.length, 1500);
    const versions = move.revisions.map(({ version }) => version);
    const read = await followed.source.read(versions.slice(0, 600));
    assert.deepEqual(
      read.map(({ version, content }) => [version, text(content)]),
      versions.slice(0, 600).map((version, at) => [version, `content ${at}\n`]),
    );
    assert.equal(text(move.newest?.content), 'content 1499\n');
    assert.equal(move.movement, 'fast-forward');
  }
  await using again = await follow(repository.path, { since: tip });
  const move = await again.nextMove();
  assert.equal(move.movement, 'unchanged');
  assert.deepEqual(move.revisions, []);
  assert.equal(move.newest?.version, tip);
});

test('older revisions come in full pages, however large they are', async () => {
  await using repository = await makeRepository();
  const contents = Array.from({ length: 7 }, (_, at) => String(at).repeat(15 * 1024 * 1024));
  const tip = await importCommits(repository.path, { file, contents });
  await using followed = await follow(repository.path, { ref: 'main' });
  const first = await followed.source.older(tip, { skip: 1, limit: 5 });
  assert.deepEqual(
    first.map(({ content }) => text(content)[0]),
    ['5', '4', '3', '2', '1'],
  );
  const second = await followed.source.older(tip, { skip: 6, limit: 5 });
  assert.deepEqual(
    second.map(({ content }) => text(content)[0]),
    ['0'],
  );
});

test('a rewind while the daemon was down is classified, and held when the policy says so', async () => {
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'one' });
  const second = await repository.commit({ [file]: 'two' });
  await repository.git('reset', '--quiet', '--hard', first);
  await using followed = await follow(repository.path, { since: second, onRewrite: 'hold' });
  const held = await followed.nextMove();
  assert.deepEqual([held.movement, held.decision, held.newest?.version], ['rewind', 'hold', first]);

  // what comes on top of a held tip is held too, with all that is not accepted
  const third = await repository.commit({ [file]: 'three' });
  const more = await followed.nextMove();
  assert.deepEqual([more.movement, more.decision, more.previous], ['diverged', 'hold', second]);
  assert.equal(followed.source.accept(first), false);
  assert.equal(followed.source.accept(third), true);

  const fourth = await repository.commit({ [file]: 'four' });
  const next = await followed.nextMove();
  assert.deepEqual(
    [next.movement, next.decision, next.previous, next.newest?.version],
    ['fast-forward', 'take', third, fourth],
  );
});

test('a tip that is accepted while it is told is what the next move is compared with', async () => {
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'one' });
  await repository.commit({ [file]: 'two' });
  const events: SourceEvent[] = [];
  const accepted: boolean[] = [];
  await using followed = await follow(repository.path, {
    onRewrite: 'hold',
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'moved' && event.decision === 'hold') accepted.push(followed.source.accept(first));
    },
  });
  await repository.git('reset', '--quiet', '--hard', first);
  await followed.source.check();
  await repository.commit({ [file]: 'three' });
  await followed.source.check();
  const moves = events.filter((event) => event.type === 'moved').map((each) => `${each.movement} ${each.decision}`);
  assert.deepEqual(moves, ['initial take', 'rewind hold', 'fast-forward take']);
  assert.deepEqual(accepted, [true]);
});

test('a held rewrite that is undone leaves nothing held', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  const second = await repository.commit({ [file]: 'two' });
  await using followed = await follow(repository.path, { onRewrite: 'hold' });
  await followed.nextMove();
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  assert.equal((await followed.nextMove()).decision, 'hold');
  await repository.git('reset', '--quiet', '--hard', second);
  const undone = await followed.nextMove();
  assert.deepEqual([undone.movement, undone.decision, undone.newest?.version], ['unchanged', 'take', second]);
});

test('HEAD follows a branch switch, and a detached HEAD', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'main' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await repository.git('checkout', '--quiet', '-b', 'other');
  await repository.commit({ [file]: 'other' });
  assert.equal(text((await followed.nextMove()).newest?.content), 'other');
  await repository.git('checkout', '--quiet', 'main');
  const back = await followed.nextMove();
  assert.deepEqual([back.movement, text(back.newest?.content)], ['rewind', 'main']);
  await repository.git('checkout', '--quiet', '--detach', 'other');
  assert.equal(text((await followed.nextMove()).newest?.content), 'other');
});

test('a rebase or a bisect that is under way moves nothing', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one', other: 'a' });
  await repository.commit({ [file]: 'two' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await repository.git('-c', 'sequence.editor=sed -i 1s/^pick/edit/', 'rebase', '--quiet', '--interactive', '--root');
  await followed.source.check();
  assert.equal(followed.moves().length, 1);
  await repository.git('rebase', '--abort');
  await repository.git('bisect', 'start', 'HEAD', 'HEAD~1');
  await repository.git('checkout', '--quiet', 'HEAD~1');
  await followed.source.check();
  assert.equal(followed.moves().length, 1);
  await repository.git('bisect', 'reset');
  await repository.commit({ [file]: 'three' });
  assert.equal(text((await followed.nextMove()).newest?.content), 'three');
});

test('a commit that does not touch the file moves the tip, and gives no revision', async () => {
  await using repository = await makeRepository();
  const first = await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await repository.commit({ 'README.md': 'words' });
  const move = await followed.nextMove();
  assert.deepEqual([move.movement, move.revisions, move.newest?.version], ['fast-forward', [], first]);
});

test('unborn, then born; deleted, then recreated', async () => {
  await using repository = await makeRepository();
  await using followed = await follow(repository.path, { ref: 'main', onRewrite: 'hold' });
  assert.deepEqual([(await followed.nextMove()).movement, followed.moves()[0]?.decision], ['absent', 'keep']);
  const first = await repository.commit({ [file]: 'one' });
  const created = await followed.nextMove();
  assert.deepEqual([created.movement, created.newest?.version], ['created', first]);

  await repository.git('checkout', '--quiet', '--detach');
  await repository.git('branch', '--quiet', '-D', 'main');
  const deleted = await followed.nextMove();
  assert.deepEqual([deleted.movement, deleted.decision, deleted.tip], ['deleted', 'keep', null]);
  await repository.git('branch', 'main', first);
  const recreated = await followed.nextMove();
  assert.deepEqual([recreated.movement, recreated.decision], ['recreated', 'take']);

  // deleting first is no way around a hold
  await repository.git('branch', '--quiet', '-D', 'main');
  await followed.nextMove();
  await repository.git('checkout', '--quiet', '--orphan', 'main');
  await repository.commit({ [file]: 'unrelated' });
  const rewritten = await followed.nextMove();
  assert.deepEqual([rewritten.movement, rewritten.decision], ['diverged', 'hold']);
});

test('a tag of the same name is not mistaken for the branch', async () => {
  await using repository = await makeRepository();
  const old = await repository.commit({ [file]: 'old' });
  await repository.git('tag', 'main', old);
  const tip = await repository.commit({ [file]: 'new' });
  await using followed = await follow(repository.path, { ref: 'main' });
  assert.equal((await followed.nextMove()).tip, tip);
});

test('gc --prune=now and packed refs while running, and locks of other processes, change nothing', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await repository.git('gc', '--quiet', '--prune=now');
  await writeFile(join(repository.path, '.git/index.lock'), '');
  await followed.source.check();
  assert.equal(followed.events.length, 1);
  await rm(join(repository.path, '.git/index.lock'));
  await repository.commit({ [file]: 'two' });
  assert.equal(text((await followed.nextMove()).newest?.content), 'two');
  await writeFile(join(repository.path, '.git/index.lock'), '');
  const tip = await repository.git('commit-tree', '-p', 'HEAD', '-m', 'beside the index', 'HEAD~1^{tree}');
  await repository.git('update-ref', 'refs/heads/main', tip);
  assert.equal(text((await followed.nextMove()).newest?.content), 'one');
});

test('gc --prune=now each time that a commit is being read: all are told, and nothing fails', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'start' });
  await using followed = await follow(repository.path);
  const told = (): string[] =>
    followed
      .moves()
      .slice(1)
      .flatMap((move) => move.revisions.map((revision) => revision.subject));
  for (let at = 1; at <= 15; at++) {
    await repository.commit({ [file]: `content ${at}` }, `change ${at}`);
    await repository.git('gc', '--quiet', '--prune=now'); // not beside a commit: it would take that one's objects
  }
  await until('the last commit', () => told().at(-1) === 'change 15');
  assert.deepEqual(
    told(),
    Array.from({ length: 15 }, (_, at) => `change ${at + 1}`),
  );
  assert.equal(text(followed.moves().at(-1)?.newest?.content), 'content 15');
  assert.ok(followed.events.every((event) => event.type !== 'failed'));
});

test(
  'a repository that another user takes over is refused, until it is given back',
  { skip: process.getuid?.() !== 0 && 'only root can give a folder away' },
  async () => {
    await using repository = await makeRepository();
    await repository.commit({ [file]: 'one' });
    await using followed = await follow(repository.path, { pollMs: 100 });
    const places = [repository.path, join(repository.path, '.git')];
    for (const place of places) await chown(place, 65534, 65534);
    const failed = await until('the failure', () => followed.events.find((event) => event.type === 'failed'));
    assert.equal(failed.error.code, 'dubious-ownership');
    for (const place of places) await chown(place, 0, 0);
    await until('recovery', () => followed.events.some((event) => event.type === 'recovered'));
    assert.equal(followed.moves().length, 1);
  },
);

test('a rewrite whose old history was collected is still seen as one', async () => {
  await using repository = await makeRepository();
  const lost = await repository.commit({ [file]: 'one' });
  await repository.git('commit', '--quiet', '--amend', '-m', 'rewritten');
  await repository.git('reflog', 'expire', '--expire=now', '--all');
  await repository.git('gc', '--quiet', '--prune=now');
  await using followed = await follow(repository.path, { since: lost });
  const move = await followed.nextMove();
  assert.deepEqual([move.movement, move.revisions.map((revision) => revision.subject)], ['diverged', ['rewritten']]);
});

test('a merge that drops our change (a foxtrot, -s ours) is a rewind to the older revision, whose content the tip has', async () => {
  await using repository = await makeRepository();
  const base = await repository.commit({ [file]: 'one' });
  await repository.git('checkout', '--quiet', '-b', 'dev');
  await repository.commit({ 'README.md': 'words' });
  await repository.git('checkout', '--quiet', 'main');
  await repository.commit({ [file]: 'two' });
  await using followed = await follow(repository.path, { ref: 'main' });
  await followed.nextMove();
  await repository.git('checkout', '--quiet', 'dev');
  await repository.git('merge', '--quiet', '-s', 'ours', '-m', 'drop it', 'main');
  await repository.git('branch', '--force', 'main', 'dev');
  const move = await followed.nextMove();
  assert.deepEqual([move.movement, move.revisions, move.newest?.version], ['rewind', [], base]);
});

test('a linked worktree, a .git file, a subfolder, a bare repository and a shallow clone are followed', async () => {
  await using folder = await temporaryFolder();
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one', 'sub/x': '' });
  await repository.commit({ [file]: 'two' });
  const at = (name: string): string => join(folder.path, name);
  await repository.git('worktree', 'add', '--quiet', '-b', 'linked', at('linked'));
  await repository.git('clone', '--quiet', '--bare', '.', at('bare'));
  await git(folder.path, ['clone', '--quiet', '--depth=1', `file://${repository.path}`, at('shallow')]);
  await git(folder.path, [
    'clone',
    '--quiet',
    `--separate-git-dir=${at('elsewhere.git')}`,
    repository.path,
    at('separate'),
  ]);
  for (const name of ['linked', 'shallow', 'separate']) {
    await using followed = await follow(name === 'separate' ? at('separate/sub') : at(name));
    assert.equal(text((await followed.nextMove()).newest?.content), 'two', name);
    await repositoryAt(at(name)).commit({ [file]: `of ${name}` });
    assert.equal(text((await followed.nextMove()).newest?.content), `of ${name}`);
  }
  await using followed = await follow(at('bare'), { ref: 'refs/heads/main' });
  await followed.nextMove();
  const pushed = await repository.commit({ [file]: 'pushed' });
  await repository.git('push', '--quiet', at('bare'), 'main');
  assert.equal((await followed.nextMove()).newest?.version, pushed);
});

test('a repository that goes away is said once, and recovers by itself when it is back', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'repository');
  const failures = (events: SourceEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'failed' ? [event.error.code] : []));
  await using followed = await follow(path);
  await until('the failure', () => failures(followed.events).length > 0);
  assert.deepEqual(failures(followed.events), ['not-a-repository']);

  await git(folder.path, ['init', '--quiet', '--initial-branch=main', path]);
  await repositoryAt(path).commit({ [file]: 'one' });
  await until('recovery', () => followed.events.some((event) => event.type === 'recovered'));
  await until('the first revision', () => text(followed.moves().at(-1)?.newest?.content) === 'one');

  await cp(path, `${path}.copy`, { recursive: true });
  await rm(path, { recursive: true });
  await followed.source.check();
  // while it is being removed, git may have other words for it first
  await until(
    'a second failure',
    () => failures(followed.events).at(-1) === 'not-a-repository' && failures(followed.events).length >= 2,
  );
  await rename(`${path}.copy`, path);
  await until('a second recovery', () => followed.events.filter((event) => event.type === 'recovered').length === 2);
  await repositoryAt(path).commit({ [file]: 'two' });
  await until('the next revision', () => text(followed.moves().at(-1)?.newest?.content) === 'two');
});

test('a .git folder that is replaced is watched anew', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await rm(join(repository.path, '.git'), { recursive: true });
  await git(repository.path, ['init', '--quiet', '--initial-branch=main', '.']);
  await repository.commit({ [file]: 'another life' });
  const move = await followed.nextMove();
  assert.notEqual(move.movement, 'fast-forward');
  await until('the new history', () => text(followed.moves().at(-1)?.newest?.content) === 'another life');
  await repository.commit({ [file]: 'and on' });
  await until('the next commit', () => text(followed.moves().at(-1)?.newest?.content) === 'and on');
});

test('a branch file that a crash left empty is an error, not a deletion', async () => {
  await using repository = await makeRepository();
  const tip = await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  await followed.nextMove();
  await writeFile(join(repository.path, '.git/refs/heads/main'), '');
  const failed = await until('the failure', () => followed.events.find((event) => event.type === 'failed'));
  assert.equal(failed.error.code, 'ref-broken');
  // the hint, as it stands, works
  const [, write = '', log = ''] =
    /^(echo COMMIT > '.*') writes it anew; the end of '(.*)' shows/.exec(failed.error.hint ?? '') ?? [];
  const was = (await readFile(log, 'utf8')).trimEnd().split('\n').at(-1)?.split(' ')[1] ?? '';
  assert.equal(was, tip);
  execFileSync('sh', ['-c', write.replace('COMMIT', was)]);
  await until('recovery', () => followed.events.some((event) => event.type === 'recovered'));
  assert.equal(followed.moves().length, 1);
});

test('what could not be watched is watched again, and both are told', async () => {
  await using repository = await makeRepository();
  await repository.commit({ 'folder/f.yaml': 'one' });
  const folder = join(repository.path, 'folder');
  await rm(folder, { recursive: true });
  await symlink('folder', folder); // a loop, which nobody can look into
  await using followed = await follow(repository.path, { file: 'folder/f.yaml', pollMs: 50 });
  const told = (type: string): boolean => followed.events.some((event) => event.type === type);
  await until('that nothing is watched', () => told('unwatched'));
  assert.equal(told('watched'), false);
  await rm(folder);
  await until('that it is watched', () => told('watched'));
});

test('a saved edit is told, as is its end; a save by rename too', async () => {
  await using repository = await makeRepository();
  await repository.commit({ [file]: 'one' });
  await using followed = await follow(repository.path);
  const states = (): string[] =>
    followed.events.flatMap((event) =>
      event.type !== 'working-file' ? [] : [event.state === 'same' ? 'same' : text(event.state)],
    );
  await repository.write({ [file]: 'edited' });
  await until('the edit', () => states().at(-1) === 'edited');
  await repository.write({ '.swap': 'edited by rename' });
  await rename(join(repository.path, '.swap'), join(repository.path, file));
  await until('the second edit', () => states().at(-1) === 'edited by rename');
  await repository.git('checkout', '--quiet', '--', file);
  await until('nothing left', () => states().at(-1) === 'same');
  assert.equal(followed.moves().length, 1);
});

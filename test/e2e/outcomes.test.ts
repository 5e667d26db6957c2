import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryEntry } from '../../src/ledger/store.ts';
import { startDaemon, type TestDaemon } from '../helpers/daemon.ts';
import { importCommits, makeRepository, temporaryFolder, type TestRepository } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';

const file = 'shard-config.yaml';
const text = (count: number): string =>
  `shuffle_sharding: {total_hosts: 8, default_shard_size: 2}\nruntime: {test.count: ${count}}\n`;
const broken = 'shuffle_sharding: {total_hosts: 8, default_shard_size: two}\n';
const customers = (...ids: string[]): string =>
  `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer:\n${ids.map((id) => `    ${id}: {shard_size: 1}\n`).join('')}`;

interface Scene extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly daemon: TestDaemon;
  readonly commit: (content: string) => Promise<string>;
  /** Outcomes by version, once none is open but those of `held`. */
  outcomes(...held: string[]): Promise<Map<string, HistoryEntry['outcome']>>;
}

async function startScene(settings: object = {}): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const repository = stack.use(await makeRepository());
  const folder = stack.use(await temporaryFolder());
  const daemon = stack.use(await startDaemon({ repository: repository.path, folder: folder.path, settings }));
  const isOpen = ({ outcome, held }: HistoryEntry) => outcome === null || outcome === 'held' || held;
  return {
    repository,
    daemon,
    commit: (content) => repository.commit({ [file]: content }),
    outcomes: (...held) =>
      until('no outcome is missing', async () => {
        const history = await daemon.json<HistoryEntry[]>('history', '--limit', '1000');
        const open = history.filter(isOpen).map(({ version }) => version);
        if (open.length !== held.length || !open.every((version) => held.includes(version))) return null;
        return new Map(history.map(({ version, outcome }) => [version, outcome]));
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('of a held rewrite each revision gets its final outcome, and what was live is that again', async () => {
  await using scene = await startScene({ repository: { on_rewrite: 'hold', ref: 'main' } });
  const { daemon, repository, commit } = scene;
  const first = await commit(text(1));
  await daemon.waitForLive(first);
  const second = await commit(text(2));
  await daemon.waitForLive(second);
  const put = async (ref: string) => repository.git('update-ref', 'refs/heads/main', ref);
  const isHeld = (version: string) =>
    daemon.waitFor('held', ({ head }) => head?.version === version && head.outcome === 'held');

  // a rewind by itself, and put back
  await put(first);
  await isHeld(first);
  await put(second);
  await daemon.waitForLive(second);
  assert.equal((await scene.outcomes()).get(first), 'live');

  // three commits of another history at once, one more on top, and put back
  await repository.git('checkout', '--quiet', '--detach', first);
  const others = [await commit(text(3)), await commit(broken), await commit(text(4))];
  await put(others[2]!);
  await repository.git('checkout', '--quiet', 'main');
  await isHeld(others[2]!);
  const held = await scene.outcomes(others[2]!);
  assert.deepEqual(
    others.map((version) => held.get(version)),
    ['superseded', 'invalid', 'held'],
  );
  const onTop = await commit(text(5));
  await isHeld(onTop);
  assert.equal((await scene.outcomes(onTop)).get(others[2]!), 'superseded');
  await daemon.restart();
  await isHeld(onTop);
  await repository.git('reset', '--quiet', '--hard', second);
  await daemon.waitForLive(second);
  const final = await scene.outcomes();
  assert.deepEqual(
    [first, second, ...others, onTop].map((version) => final.get(version)),
    ['live', 'live', 'superseded', 'invalid', 'superseded', 'superseded'],
  );
  assert.match((await daemon.get('/metrics')).body, /^shardplane_head_held 0$/m);
});

test('accepting a held rewrite takes its newest revision, and no other of it', async () => {
  await using scene = await startScene({ repository: { on_rewrite: 'hold', ref: 'main' } });
  const { daemon, repository, commit } = scene;
  await daemon.waitForLive(await commit(text(1)));
  const live = await commit(text(2));
  await daemon.waitForLive(live);
  await repository.git('checkout', '--quiet', '--detach', 'HEAD~1');
  const [good, bad] = [await commit(text(3)), await commit(broken)];
  await repository.git('update-ref', 'refs/heads/main', bad);
  await repository.git('checkout', '--quiet', 'main');
  await daemon.waitFor('held', ({ head }) => head?.version === bad && head.outcome === 'held');
  await daemon.run('accept', bad);
  const status = await daemon.waitFor('judged', ({ head }) => head?.outcome === 'invalid');
  assert.equal(status.live!.version, live);
  const final = await scene.outcomes();
  assert.deepEqual([final.get(good), final.get(bad)], ['superseded', 'invalid']);
});

test('what a crash cut short and the ref no longer has gets its outcome, too', async () => {
  await using scene = await startScene();
  const { daemon, repository, commit } = scene;
  const first = await commit(text(0));
  await daemon.waitForLive(first);
  await daemon.kill('SIGKILL');
  await importCommits(repository.path, { file, contents: Array.from({ length: 400 }, (_, at) => text(at + 1)) });
  await daemon.restart();
  await daemon.waitFor('they are seen', ({ head }) => head !== null && head.version !== first);
  await daemon.kill('SIGKILL');
  await repository.git('update-ref', 'refs/heads/main', first);
  await daemon.restart();
  await daemon.waitForLive(first);
  await scene.outcomes();
});

test('a commit goes live while those before it are still being judged, and status says how many they are', async () => {
  await using scene = await startScene();
  const { daemon, repository, commit } = scene;
  await daemon.waitForLive(await commit(text(0)));
  const contents = Array.from({ length: 8_000 }, (_, at) => text(at + 1));
  const tip = await importCommits(repository.path, { file, contents });
  const { backlog } = await daemon.waitForLive(tip, 20_000);
  assert.ok(backlog > 0);
  const shown = daemon.run('status');
  await repository.git('reset', '--quiet', '--hard');
  const newest = await commit(text(9_999));
  await daemon.waitForLive(newest);
  assert.match((await shown).stdout, /^older {2}\d+ overtaken by it are still being judged$/m);
  await daemon.waitFor('all are judged', (status) => status.backlog === 0, 60_000);
  await scene.outcomes();
  const [last, ...others] = await daemon.history();
  assert.equal(last!.version, newest);
  const oldest = await daemon.json<HistoryEntry[]>('history', '--before', '1000', '--limit', '500');
  assert.ok(
    oldest.some(({ outcomeAt }) => outcomeAt! > last!.outcomeAt!),
    'the newest did not wait for them',
  );
  assert.ok(others.every(({ outcome }) => outcome === 'superseded' || outcome === 'live'));
});

test('the revert of a growth is let through, over a restart too; what was never live is held', async () => {
  await using scene = await startScene();
  const { daemon, commit } = scene;
  await daemon.waitForLive(await commit(customers('a')));
  await daemon.waitForLive(await commit(customers('a', 'b', 'c', 'd')));
  const reverted = await commit(customers('a'));
  await daemon.waitForLive(reverted);
  await daemon.waitForLive(await commit(customers('a', 'b', 'c', 'd')));
  await daemon.restart();
  await daemon.waitFor('back', ({ live }) => live !== null);
  const again = await commit(`# with a comment\n${customers('a')}`);
  const { head } = await daemon.waitForLive(again);
  assert.equal(head!.outcome, 'live');
  await daemon.waitForLive(await commit(customers('a', 'b', 'c', 'd')));
  const other = await commit(customers('b'));
  await daemon.waitFor('held', (status) => status.head?.version === other && status.head.outcome === 'held');
});

test('below the newest lies one that is costly to read: what is live is known to the next start, and a commit waits for nothing', async () => {
  await using scene = await startScene();
  const { daemon, commit } = scene;
  await daemon.waitForLive(await commit(text(0)));
  await daemon.kill('SIGKILL');
  const many = Array.from({ length: 60_000 }, (_, at) => `c${at}: {shard_size: 1}`).join(',\n    ');
  const costly = await commit(
    `shuffle_sharding:\n  total_hosts: 8\n  default_shard_size: 2\n  customer: {\n    ${many} }\n`,
  );
  const reverted = await commit(text(1));
  await daemon.restart();
  await daemon.waitForLive(reverted);
  await daemon.restart();
  assert.match((await daemon.logged(new RegExp(`^serving ${reverted.slice(0, 12)}`))).msg, /from the ledger/);
  const next = await commit(text(2));
  await daemon.waitForLive(next);
  const outcome = (await scene.outcomes()).get(costly);
  assert.ok(outcome === 'superseded' || outcome === 'invalid', String(outcome));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadNode, type Answer } from '../../scripts/bench/load/node.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { config } from './remote-scene.ts';
import { file } from './support.ts';

test('a node that refuses what others accept: it rolls back once, and not at all once it is muted', async (t) => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  let count = 0;
  const commit = () => repository.commit({ [file]: config((count += 1)) });
  const first = await commit();
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(first);
  const nodes = new Set<LoadNode>();
  t.after(() => nodes.forEach((node) => node.close()));
  const connect = (id: string, onResponse: (version: string) => Answer) => {
    const node = new LoadNode({
      id,
      port: daemon.xdsPort,
      onResponse: ({ version }) => onResponse(version),
      onClose: () => undefined,
    });
    nodes.add(node);
    return node;
  };
  const garbage = (version: string): Answer => (refused.has(version) ? { refusal: 'garbage' } : 'ack');
  const refused = new Set<string>();
  connect('good-1', () => 'ack');
  connect('good-2', () => 'ack');
  const bad = connect('garbage', garbage);
  const voteOf = async (id: string) => (await daemon.status()).nodes.find((node) => node.id === id)?.vote;
  await until('it has a vote', async () => (await voteOf('garbage')) === 'full', 20_000);
  /** Commits what garbage refuses. */
  const poison = async () => {
    const text = config((count += 1));
    await repository.write({ [file]: text });
    await repository.git('add', '--all');
    const tree = await repository.git('write-tree');
    const sha = await repository.git('commit-tree', tree, '-p', 'HEAD', '-m', `count ${count}`);
    refused.add(sha);
    await repository.git('reset', '--quiet', '--soft', sha);
    return sha;
  };
  const second = await poison();
  await daemon.waitFor('it rolls back', ({ head }) => head?.version === second && head.outcome === 'rolled_back');
  assert.equal(await voteOf('garbage'), 'lost');
  const third = await poison();
  await daemon.waitForLive(third);
  // it comes again under the same name
  bad.close();
  await daemon.logged(/^Envoy garbage \(.*\) left/);
  const { gone } = await daemon.waitFor('it is gone', ({ counts }) => counts.connected === 2);
  assert.deepEqual(
    gone.map(({ id, version }) => [id, version]),
    [['garbage', first]],
  );
  connect('garbage', garbage);
  await daemon.waitFor('it is back', ({ counts, gone: away }) => counts.connected === 3 && away.length === 0);
  assert.equal(await voteOf('garbage'), 'lost');

  const muted = await daemon.run('node', 'mute', 'garbage');
  assert.equal(muted.code, 0, muted.stderr);
  assert.match(muted.stdout, /^garbage no longer has a vote: its answers don't count/);
  assert.equal((await daemon.run('node', 'mute', 'garbage')).code, 1, 'it is muted already');
  const shown = (await daemon.run('status')).stdout;
  assert.match(shown, / garbage .*\(muted\)/);
  assert.match(shown, /^muted {2}garbage$/m, 'connected or not');
  await daemon.restart();
  const again = await daemon.waitFor('it is muted still', ({ muted: ids }) => ids.includes('garbage'));
  assert.deepEqual(again.muted, ['garbage']);
  const fourth = await poison();
  await daemon.waitForLive(fourth);
  const unmuted = await daemon.run('node', 'unmute', 'garbage');
  assert.equal(unmuted.stdout, 'garbage has a vote again\n');
  const none = await daemon.run('node', 'unmute', 'garbage');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /garbage is not muted/);
});

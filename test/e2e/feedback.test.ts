import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDaemon } from '../helpers/daemon.ts';
import { makeRepository, temporaryFolder } from '../helpers/git.ts';
import { readProcesses } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { answer, startHost, token } from '../feedback/host.ts';
import { XdsClient } from '../xds/client.ts';
import { config, startRemoteScene } from './remote-scene.ts';
import { file } from './support.ts';

const words = 'Invalid runtime entry value for test.count';

test('git log --notes=shardplane shows the outcome beside each commit', async () => {
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const first = await repository.commit({ [file]: config(1) }, 'first');
  await using daemon = await startDaemon({ repository: repository.path, folder: folder.path });
  await daemon.waitForLive(first);
  using node = new XdsClient(`127.0.0.1:${daemon.xdsPort}`);
  node.subscribe('node-1');
  await node.response(1);
  node.answer();
  await daemon.waitFor('proven', ({ live }) => live?.proven);
  const [pushed] = (await daemon.history()).map(({ push }) => push);
  assert.deepEqual([pushed?.acked, pushed?.connected], [1, 1], 'the history tells what the note tells');
  const second = await repository.commit({ [file]: config(2) }, 'second');
  await node.response(2);
  node.answer();
  await daemon.waitForLive(second);
  const refused = await repository.commit({ [file]: config(3) }, 'refused');
  await node.response(3);
  node.answer(words);
  await daemon.waitFor('rolled back', ({ head }) => head?.version === refused && head.outcome === 'rolled_back');
  await node.response(4);
  node.answer();
  const broken = await repository.commit({ [file]: 'shuffle_sharding: 7\n' }, 'broken');
  await daemon.waitFor('invalid', ({ head }) => head?.version === broken && head.outcome === 'invalid');
  const log = await until('all notes', async () => {
    const text = await repository.git('log', '--notes=shardplane', '--format=%s%n%N');
    return /invalid/.test(text) && /rolled_back/.test(text) ? text : null;
  });
  assert.match(log, /^broken\ninvalid\nshard-config\.yaml:1:19: shuffle_sharding must be a mapping/);
  assert.match(
    log,
    new RegExp(`^refused\nrolled_back\nshard-config\\.yaml:5:3: Envoy node-1 refused it: ${words}$`, 'm'),
  );
  assert.match(log, /^second\nlive: acknowledged by 1 of 1$/m);
  // the notes are no revision of the branch, and the working copy is as it was
  assert.equal(await repository.git('status', '--porcelain'), '');
  assert.equal(await repository.git('rev-parse', 'HEAD'), broken);
});

test('notes: push brings them to the remote, beside the notes of others', async () => {
  await using scene = await startRemoteScene({ repository: { notes: 'push' }, login: 'bot:s3cret' });
  const { daemon, bare, work } = scene;
  const first = await work.git('rev-parse', 'HEAD');
  await daemon.waitForLive(first);
  const show = (sha: string) =>
    until('its note', () => bare.git('notes', '--ref=shardplane', 'show', sha).catch(() => null));
  assert.equal(await show(first), 'live: no Envoy was connected');
  const tree = await bare.git('rev-parse', 'HEAD^{tree}');
  await bare.git('notes', '--ref=shardplane', 'add', '-m', 'somebody else', tree);
  const second = await scene.push(2);
  assert.equal(await show(second), 'live: no Envoy was connected');
  assert.equal(await bare.git('notes', '--ref=shardplane', 'show', tree), 'somebody else');
  assert.deepEqual((await daemon.status()).problems, []);
});

test('commit statuses: pending, then success; failure in the words of the Envoy that refuses', async (t) => {
  const host = await startHost(t, 'github');
  await using repository = await makeRepository();
  await using folder = await temporaryFolder();
  const first = await repository.commit({ [file]: config(1) }, 'first');
  await using daemon = await startDaemon({
    repository: repository.path,
    folder: folder.path,
    settings: { status: { provider: 'github', url: host.url, token_file: host.tokenFile } },
  });
  const statusesOf = (sha: string, count: number) =>
    until(`${count} statuses of ${sha}`, () =>
      host.statuses.get(sha)?.length === count ? host.statuses.get(sha) : null,
    );
  assert.deepEqual(await statusesOf(first, 1), ['success live; no Envoy was connected to try it']);
  using node = new XdsClient(`127.0.0.1:${daemon.xdsPort}`);
  node.subscribe('node-1');
  await node.response(1);
  node.answer();
  await daemon.waitFor('proven', ({ live }) => live?.proven);

  const second = await repository.commit({ [file]: config(2) }, 'second');
  await node.response(2);
  assert.deepEqual(await statusesOf(second, 1), ['pending rolling out: acked 0 of 1']);
  node.answer();
  assert.deepEqual(await statusesOf(second, 2), ['pending rolling out: acked 0 of 1', 'success live: acked 1 of 1']);

  // the host is away at first: the push does not wait for it, and the status comes later
  host.troubles.push(answer(503));
  const third = await repository.commit({ [file]: config(3) }, 'third');
  await node.response(3);
  node.answer(words);
  await daemon.waitFor('rolled back', ({ head }) => head?.version === third && head.outcome === 'rolled_back');
  await node.response(4);
  node.answer();
  const [failure] = await statusesOf(third, 1);
  assert.equal(failure, `failure rolled back; shard-config.yaml:5:3: Envoy node-1 refused it: ${words}`);
  await daemon.waitFor('all is well', ({ problems }) => problems.length === 0);

  const commands = [...(await readProcesses('cmdline')).values()].join('\n');
  const told = `${JSON.stringify(daemon.log())}${JSON.stringify(await daemon.status())}${commands}`;
  assert.ok(!told.includes(token));
});

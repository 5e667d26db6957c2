import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HistoryEntry } from '../../src/ledger/store.ts';
import { until } from '../helpers/until.ts';
import { versionOf, XdsClient } from '../xds/client.ts';
import { config, startRemoteScene, type RemoteScene } from './remote-scene.ts';
import { file } from './support.ts';

const few = 'shuffle_sharding: {total_hosts: 1, default_shard_size: 1}\n';

for (const on_rewrite of ['hold', 'refuse', 'follow'])
  describe(`a remote ref that is force-pushed back to what is live (on_rewrite: ${on_rewrite})`, () => {
    let scene: RemoteScene;
    let live: string;
    let node: XdsClient;
    before(async () => {
      scene = await startRemoteScene({ repository: { on_rewrite } });
      node = new XdsClient(`127.0.0.1:${scene.daemon.xdsPort}`);
      node.subscribe('node-1');
      await node.response(1);
      node.answer();
      live = await scene.work.git('rev-parse', 'HEAD');
      await scene.daemon.waitFor('live, proven', (status) => status.live?.version === live && status.live.proven);
    });
    after(async () => {
      node[Symbol.dispose]();
      await scene[Symbol.asyncDispose]();
    });

    async function commit(text: string): Promise<string> {
      const sha = await scene.work.commit({ [file]: text }, 'it will be taken back');
      await scene.work.git('push', '--quiet', 'origin', 'HEAD:main');
      return sha;
    }

    async function putBack(): Promise<void> {
      const { daemon, work } = scene;
      await work.git('reset', '--quiet', '--hard', live);
      await work.git('push', '--quiet', '--force', 'origin', 'HEAD:main');
      const { head, problems } = await daemon.waitFor('the ref is back', (status) => status.head?.version === live);
      assert.deepEqual([head!.outcome, head!.diagnostics, problems], ['live', [], []]);
      const metrics = (await daemon.get('/metrics')).body;
      assert.match(metrics, /^shardplane_head_held 0$/m);
      assert.match(metrics, /^shardplane_head_is_live 1$/m);
      assert.match((await daemon.run('accept', live)).stderr, /is not held/);
    }

    async function assertOutcome(version: string, outcome: string): Promise<void> {
      const find = async () => (await scene.daemon.history()).find((entry) => entry.version === version);
      await until(`${version} is ${outcome}`, async () => (await find())?.outcome === outcome);
      const told = await find();
      assert.deepEqual([told?.outcome, told?.held], [outcome, false]);
    }

    test('after an invalid commit, and what is committed next goes live', async () => {
      const broken = await commit(config(2).replace(': 2', ': two'));
      await scene.daemon.waitFor('invalid', ({ head }) => head?.version === broken && head.outcome === 'invalid');
      await putBack();
      await assertOutcome(live, 'live');
      await assertOutcome(broken, 'invalid');
      const seen = node.received.length;
      live = await scene.push(3);
      assert.equal(versionOf(await node.response(seen + 1)), live);
      node.answer();
      await scene.daemon.waitForLive(live);
    });

    test('after a commit that an Envoy refused', async () => {
      const seen = node.received.length;
      const refused = await scene.push(4);
      assert.equal(versionOf(await node.response(seen + 1)), refused);
      node.answer('no');
      assert.equal(versionOf(await node.response(seen + 2)), live);
      node.answer();
      await scene.daemon.waitFor('rolled back', ({ head }) => head?.outcome === 'rolled_back');
      await putBack();
      await assertOutcome(refused, 'rolled_back');
    });

    test('after a commit that is held for what it takes away', async () => {
      const held = await commit(few);
      await scene.daemon.waitFor('held', ({ head }) => head?.version === held && head.outcome === 'held');
      await putBack();
      await assertOutcome(held, 'superseded');
    });

    test('while another is still being rolled out, and after a restart', async () => {
      const { daemon } = scene;
      const seen = node.received.length;
      const silent = await scene.push(5);
      assert.equal(versionOf(await node.response(seen + 1)), silent);
      await putBack();
      await assertOutcome(silent, 'superseded');
      const broken = await commit(config(6).replace(': 2', ': two'));
      await daemon.waitFor('invalid', ({ head }) => head?.version === broken);
      await daemon.kill('SIGKILL');
      await scene.work.git('reset', '--quiet', '--hard', live);
      await scene.work.git('push', '--quiet', '--force', 'origin', 'HEAD:main');
      await daemon.restart();
      await putBack();
      await assertOutcome(broken, 'invalid');
      const stories: HistoryEntry[] = await daemon.history();
      assert.deepEqual(
        stories.filter((entry) => entry.held).map(({ version }) => version),
        [],
      );
    });
  });

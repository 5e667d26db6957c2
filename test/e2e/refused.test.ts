import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Status } from '../../src/http/api.ts';
import type { Story } from '../../src/ledger/store.ts';
import { envoyVersions, skipWithout, type Envoy } from '../helpers/envoy.ts';
import { temporaryFolder } from '../helpers/git.ts';
import { until } from '../helpers/until.ts';
import { file, rejections, startScene, versionOf, type Scene } from './support.ts';

const versions = [envoyVersions[0]!, envoyVersions.at(-1)!];
const missing = versions.map(skipWithout).find(Boolean) ?? false;

/** What an Envoy refuses, in place of `my.list`. */
const poison = { my: { list: [1, 2] } };

describe(`a commit that Envoy ${versions.join(' and ')} refuse`, { skip: missing }, () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene;
  let good: string;
  let refused: string;
  before(async () => {
    const folder = stack.use(await temporaryFolder());
    // a schema of the user's own, which lets anything through `runtime:`
    const schema = join(folder.path, 'mine.json');
    writeFileSync(schema, JSON.stringify({ type: 'object', required: ['shuffle_sharding'] }));
    scene = stack.use(await startScene({ envoys: versions, settings: { repository: { schema } } }));
    good = await scene.release({ size: 3, runtime: { 'my.flag': 1 } });
  });
  after(() => stack.disposeAsync());

  test('is rolled back on both within a second, with the key’s line', async (t) => {
    const { daemon, repository, envoys } = scene;
    const text = scene.text({ size: 1, runtime: poison });
    await repository.write({ [file]: text });
    await repository.git('commit', '--quiet', '--all', '-m', 'poison');
    const returned = Date.now();
    refused = await repository.git('rev-parse', 'HEAD');
    const status = await daemon.waitFor('rolled back', isRolledBack(refused, good));
    await daemon.logged(new RegExp(`^${good.slice(0, 12)} acknowledged by 2 of 2`));
    t.diagnostic(`git commit returning to both back on the last live version: ${whenBack(scene, good) - returned} ms`);
    t.diagnostic(`the refusal to both back: ${whenBack(scene, good) - whenRefused(scene, refused)} ms`);

    const [fault, ...more] = status.head!.diagnostics;
    assert.deepEqual(more, []);
    assert.equal(fault!.code, 'refused');
    assert.match(fault!.message, /Envoy envoy-[01] refused it: .*Invalid runtime entry value for my\.list/s);
    assert.equal(fault!.line, text.split('\n').findIndex((each) => each.includes('list:')) + 1);
    assert.equal(fault!.excerpt, '    list:');
    const told = await daemon.logged(new RegExp(`^rolled back ${refused.slice(0, 12)}`));
    assert.equal(told.level, 'error');
    assert.match(
      told.drawn ?? '',
      new RegExp(`shard-config\\.yaml:${String(fault!.line)}:5: error: Envoy .* refused it`),
    );
    const shown = await daemon.run('status');
    assert.match(shown.stdout, /rolled_back/);
    assert.match(
      shown.stdout,
      /shard-config\.yaml:\d+:5: error: Envoy envoy-. refused it: [^\n]*my\.list[^\n]*\n +list:\n +\^\n +hint: /,
    );

    for (const envoy of envoys) {
      assert.equal(await versionOf(envoy), good);
      await assertHealed(envoy);
    }
  });

  test('is not pushed again, whatever else is committed or looked at', async () => {
    const { daemon, repository, envoys } = scene;
    const counts = await Promise.all(envoys.map(rejections));
    assert.ok(counts.some((count) => count > 0));
    await repository.write({ 'README.md': 'another file' });
    await repository.git('add', 'README.md');
    await repository.git('commit', '--quiet', '-m', 'another file');
    assert.equal((await daemon.run('sync')).code, 1, 'it is rolled back still');
    await daemon.restart();
    await daemon.run('sync'); // git has been asked: what is seen is not just what the ledger remembers
    const status = await daemon.waitFor('rolled back still', isRolledBack(refused, good));
    // restarted, it has only the ledger's words: the same ones
    assert.match(status.head!.diagnostics[0]!.message, /refused it: .*my\.list/s);
    assert.equal(status.head!.diagnostics[0]!.excerpt, '    list:');
    await daemon.waitFor('both are there', ({ counts: { acked } }) => acked === 2);
    assert.deepEqual(await Promise.all(envoys.map(rejections)), counts);
    for (const envoy of envoys) assert.equal(await versionOf(envoy), good);
  });

  test('retry pushes it once more, and it is rolled back once more', async () => {
    const { daemon, envoys } = scene;
    const before = await Promise.all(envoys.map(rejections));
    const answer = await daemon.run('retry', refused.slice(0, 10));
    assert.equal(answer.code, 1, 'it has waited for the answer');
    assert.match(answer.stderr, /^error: [0-9a-f]{12} was refused by an Envoy: it is rolled back$/m);
    assert.match(answer.stdout, new RegExp(`${refused.slice(0, 12)} is pushed again`));
    await until('it is refused again', async () => (await sum(envoys)) > before[0]! + before[1]!);
    await daemon.waitFor('rolled back again', isRolledBack(refused, good));
    for (const envoy of envoys) {
      assert.equal(await versionOf(envoy), good);
      await assertHealed(envoy);
    }
    const story = await daemon.json<Story>('history', refused);
    assert.equal(story.revision.outcome, 'rolled_back');
    const events = story.events.map(({ type }) => type);
    assert.equal(events.filter((type) => type === 'pinned').length, 2, events.join(' '));
    assert.equal(events.filter((type) => type === 'unpinned').length, 1);
    const unpinned = story.events.find(({ type }) => type === 'unpinned');
    assert.notEqual(unpinned!.by, null, 'who retried is remembered');
  });

  test('git revert goes live', async () => {
    const { daemon, repository, envoys } = scene;
    const before = await sum(envoys);
    await repository.git('revert', '--no-edit', refused);
    const sha = await repository.git('rev-parse', 'HEAD');
    await daemon.waitFor('the revert is live', ({ live }) => live?.version === sha && live.proven);
    for (const envoy of envoys) {
      assert.equal(await versionOf(envoy), sha);
      assert.equal(await runtimeValue(envoy, 'my.flag'), '1');
    }
    assert.equal(await sum(envoys), before);
    const retried = await daemon.run('retry', refused);
    assert.equal(retried.code, 1);
    assert.match(retried.stderr, /retry works only on the newest revision, and .* is another/);
  });
});

function isRolledBack(refused: string, good: string) {
  return ({ live, head, counts }: Status) =>
    head?.version === refused && head.outcome === 'rolled_back' && live?.version === good && counts.acked === 2;
}

function whenBack({ daemon }: Scene, version: string): number {
  const all = daemon.log().filter(({ msg }) => msg.startsWith(`${version.slice(0, 12)} acknowledged by 2 of 2`));
  return Date.parse(all.at(-1)!.time);
}

function whenRefused({ daemon }: Scene, version: string): number {
  return Date.parse(daemon.log().find(({ msg }) => msg.startsWith(`rolled back ${version.slice(0, 12)}`))!.time);
}

/** A poisoned layer fails every reload of the runtime. */
async function assertHealed(envoy: Envoy): Promise<void> {
  const value = String(Math.random());
  const answer = await envoy.admin(`/runtime_modify?healed.probe=${value}`, 'POST');
  assert.equal(answer.status, 200, answer.body);
  assert.equal(await runtimeValue(envoy, 'healed.probe'), value);
}

async function runtimeValue(envoy: Envoy, key: string): Promise<string | undefined> {
  const { entries } = JSON.parse((await envoy.admin('/runtime')).body) as {
    entries: Record<string, { final_value: string }>;
  };
  return entries[key]?.final_value;
}

async function sum(envoys: readonly Envoy[]): Promise<number> {
  return (await Promise.all(envoys.map(rejections))).reduce((a, b) => a + b);
}
